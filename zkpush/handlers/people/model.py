"""The templates and photos of people, and what terminals say of people."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ...stored import stored_type
from ...values.people import OfPerson, Person
from .tables import BIODATA, BIOPHOTO, USER


class Template(OfPerson, frozen=True, kw_only=True):
    """A template of a person."""

    type: int
    """Biometric type, Appendix 10."""
    number: int
    major_version: int
    """The algorithm version; 0 if nobody has said it."""
    duress: int | None = None
    form: str
    """The table that it came in."""
    template: bytes | None
    """In base64; None if it is damaged."""


class PersonPhoto(OfPerson, frozen=True, kw_only=True):
    """A photo of a person."""

    kind: str
    """USERPIC or BIOPHOTO."""
    type: int
    content: bytes | None
    """The picture; None where it is elsewhere, and where it is damaged."""


STORED_PERSON = stored_type(Person, USER)
STORED_TEMPLATE = stored_type(Template, BIODATA)
STORED_PERSON_PHOTO = stored_type(PersonPhoto, BIOPHOTO)


class PersonStatement(msgspec.Struct, frozen=True):
    """What a terminal says of one user, template or photo."""

    key: tuple[str | int, ...]
    """What it says it of; the user ID (PIN) first."""
    values: Mapping[str, object]
    """The columns it is kept in."""
    text: bytes
    """What tells two statements apart; without what is random in them."""


class PutPerson(msgspec.Struct, frozen=True):
    """Put a person on a terminal, or change one who is there."""

    person: Person


class DeletePerson(msgspec.Struct, frozen=True):
    """Take a person off a terminal, with their templates and photos."""

    pin: str


class PutTemplate(msgspec.Struct, frozen=True):
    """Put a template of a person on a terminal."""

    template: Template


class PutPhoto(msgspec.Struct, frozen=True):
    """Put a photo of a person on a terminal."""

    photo: PersonPhoto


class Enrol(msgspec.Struct, frozen=True):
    """Let a terminal take a template of a person, or their card."""

    pin: str
    type: int | None
    """Biometric type, Appendix 10; None for a card."""
    number: int = 0
    """Which one, such as a finger."""

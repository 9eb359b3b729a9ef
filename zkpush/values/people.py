"""People: persons, their templates and photos, and what verifiers are asked about them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..protocol.tables import BIODATA, BIOPHOTO, USER
from ..stored import StoredRecord, stored_type


class OfPerson(StoredRecord, frozen=True, kw_only=True):
    """What a record of a person has, whichever terminals it is on."""

    pin: str
    """User ID."""
    device: str | None = None
    """The terminal that said it last."""
    updated_at: int | None = None


class Person(OfPerson, frozen=True, kw_only=True):
    """A person as terminals know them: a user."""

    name: str | None = None
    privilege: int | None = None
    card: str | None = None
    group: int | None = None
    start_datetime: str | None = None
    end_datetime: str | None = None
    expires: str | None = None
    templates: dict[int, int] = {}
    """How many templates there are, by biometric type."""
    has_photo: bool = False


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


class VerifyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a terminal has recognised, and asks the server about (12.8.3)."""

    pin: str | None
    """User ID; None if none can be found in the body, or more than one."""
    user: Person | None
    """What the store knows of that user."""
    time: str
    """When it is asked, by the terminal's own wall clock."""
    at: int
    """The same as an instant."""
    body: bytes
    """What the terminal sent, which may hold secrets."""


class Verdict(msgspec.Struct, frozen=True):
    """What a verifier says."""

    admitted: bool
    reason: str = ""
    """Of one who is not admitted: a line for the terminal to show."""

"""Templates and photos of people, statements of terminals about people, and intents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from ...phrases import counted_phrase
from ...stored import stored_type
from ...values.people import OfPerson, Person
from ...values.punchspans import PunchSpan
from .limits import EMPTYING, RULE, is_many
from .tables import BIODATA, BIOPHOTO, USER

__all__ = ["EMPTYING", "RULE", "is_many"]

Spans = tuple[tuple[int | None, int | None], ...]
"""Periods, each with the seconds since the epoch at which it begins and before which it ends."""
LONGEST_AREA = 100
"""Maximum length of the name of an area, in characters."""


def check_area(name: str) -> None:
    """Raise `ValueError` if a text cannot be the name of an area."""
    if not name or name != name.strip() or len(name) > LONGEST_AREA or not name.isprintable():
        raise ValueError(
            counted_phrase(
                "%(name)s is no name of an area: 1 printable character, no space",
                "%(name)s is no name of an area: 1 to %(num)s printable characters, without "
                "spaces at its ends",
                LONGEST_AREA,
                name=repr(name[:40]),
            )
        )


ERASE = "erase person"
CHANGE_PERSON = "change person"
"""Action of the audit log."""
PEOPLE = "People"
"""The parameter of packages that names people by their user IDs, separated by commas."""
ARRIVAL = 3_600_000
"""Milliseconds in which a terminal that was away sends everything."""


class Template(OfPerson, frozen=True, kw_only=True):
    """Template of a person."""

    type: int
    """Biometric type (Appendix 10)."""
    number: int
    major_version: int
    """Algorithm version; 0 if unknown."""
    duress: int | None = None
    form: str
    """Name of the table that it was uploaded in."""
    template: bytes | None
    """Template in base64; None if it is damaged."""


class PersonPhoto(OfPerson, frozen=True, kw_only=True):
    """Photo of a person."""

    kind: str
    """USERPIC or BIOPHOTO."""
    type: int
    content: bytes | None
    """The picture; None if it is stored elsewhere or damaged."""


STORED_PERSON = stored_type(Person, USER)
STORED_TEMPLATE = stored_type(Template, BIODATA)
STORED_PERSON_PHOTO = stored_type(PersonPhoto, BIOPHOTO)


Key = tuple[str | int, ...]
"""Key of a user, template or photo; the user ID (PIN) comes first."""


def key_text(key: Key) -> str:
    """Return a key as it is stored beside what a terminal holds."""
    return msgspec.json.encode(key).decode()


class PersonStatement(msgspec.Struct, frozen=True):
    """Statement of a terminal about one user, template or photo."""

    key: Key
    """Key of the subject."""
    values: Mapping[str, object]
    """Values of its columns."""
    text: bytes
    """Content that identifies the statement, without random parts."""


class PersonChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one field of a user."""

    id: int
    pin: str
    field: str
    at: int
    author: str
    old: str | None
    new: str | None


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Values that a terminal states about a user and that were not taken."""

    id: int
    pin: str
    device: str
    said: Mapping[str, object] | None
    """The values by field; None if they are damaged."""
    fields: Sequence[str]
    at: int


class PunchOwner(StrEnum):
    """Whose the punches are that came from a terminal with somebody else under the user ID."""

    PERSON = "person"
    """They are the stored person's."""
    OTHER = "other"
    """They are those of whom the terminal had."""


class PunchClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A span of time in which a terminal has, or had, somebody else under a user ID."""

    id: int
    pin: str
    device: str
    device_id: int
    name: str
    """Whom the terminal has; empty if that is damaged."""
    since_at: int | None
    """From when on the punches came; None if nothing shows that the terminal had the person."""
    until_at: int | None
    """None while it goes on."""
    stated_at: int | None = None
    """When the terminal last stated the person; None if that is not known."""
    named_at: int | None = None
    """When the terminal named the other one; None if that is not known."""
    owner: PunchOwner | None = None
    """None until somebody decides: the punches are doubtful."""
    decided_at: int | None = None
    decided_by: str | None = None

    @property
    def span(self) -> PunchSpan:
        """The punches that it is about."""
        return PunchSpan(
            pin=self.pin,
            device_id=self.device_id,
            since_at=self.since_at,
            until_at=self.until_at,
            made_since=self.stated_at,
        )


class HeardPeople(NamedTuple):
    """What follows from statements about users, as user IDs."""

    agreed: Sequence[str] = ()
    """Those whose conflict with the terminal has ended."""
    adopted: Sequence[str] = ()
    """Those whom another terminal had sent templates or photos of, and none had stated."""


class Portrait(StrEnum):
    """Kind of a photo that an operator uploads; the value is the name of its field in histories."""

    PICTURE = "photo"
    """For the screen of terminals (USERPIC)."""
    FACE = "face_photo"
    """Comparison photo, from which terminals of visible light make a template (BIOPHOTO)."""


class PeopleFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Selects users; None selects all."""

    text: str | None = None
    """Beginning of the user ID, part of the name, or a card number."""
    with_cards: bool = True
    """Whether the text may be a card number."""
    name: str | None = None
    """Words of the name, in any case and order."""
    card: str | None = None
    """Number of the main or the second card."""
    privilege: int | None = None
    area: str | None = None
    device: str | None = None
    """Serial number of a terminal that last stated that it has the user."""
    has_templates: bool | None = None
    has_photo: bool | None = None


ALL_PEOPLE = PeopleFilter()


class EnrolledTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """A template, comparison photo or card that a terminal enrolled."""

    type: int | None
    """Biometric type (Appendix 10); None for a card."""
    number: int = 0
    index: int = 0
    major_version: int | None = None
    """Algorithm version of a template."""
    updated_at: int


class PersonField(msgspec.Struct, frozen=True):
    """A field of a user, as a terminal should have it."""

    value: object
    """None if it is empty."""
    by_operator: bool
    is_default: bool
    """Whether a terminal that does not state the field has this value."""

    @property
    def is_emptied(self) -> bool:
        """Whether an operator has emptied it."""
        return self.by_operator and self.value in (None, "")


class PartRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A stored template or photo of a person, without its content."""

    key: Key
    """Its key: user ID, type, number, index, then both versions or the kind of photo."""
    content: bytes
    """Identifies the content."""
    form: str
    """Table in which it was uploaded."""
    flags: tuple[object, ...] = ()
    """Other values that a terminal is sent with a template."""
    reporters: frozenset[int] = frozenset()
    """Terminals whose last statement is this record."""
    removed_from: frozenset[int] = frozenset()
    """Terminals from which it was deleted by a command."""


class PersonOverview(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored about a person, and what terminals state of it."""

    fields: Mapping[str, PersonField] | None
    """Fields by name; None if there is no such person."""
    areas: frozenset[str] = frozenset()
    templates: Sequence[PartRecord] = ()
    photos: Sequence[PartRecord] = ()
    holders: frozenset[int] = frozenset()
    """Terminals that last stated that they have the person, or should have by a command."""
    words: Mapping[int, Mapping[str, object]] = {}
    """Fields that each terminal stated, by terminal."""
    contradicting: frozenset[int] = frozenset()
    """Terminals with an open conflict about the person, or whose templates and photos of the person
    are stored apart."""
    strangers: frozenset[int] = frozenset()
    """Terminals that have somebody else under the user ID, and are to delete the user first."""


class Removal(msgspec.Struct, frozen=True):
    """A removed user, or somebody else under a user ID, whom a terminal still has."""

    pin: str
    at: int
    device: str


class PutPerson(msgspec.Struct, frozen=True):
    """Intent to add or change a person on a terminal."""

    person: Person


class DeletePerson(msgspec.Struct, frozen=True):
    """Intent to remove a person from a terminal, with their templates and photos."""

    pin: str


class QueryPeople(msgspec.Struct, frozen=True):
    """Intent to have a terminal upload its users, without templates and photos."""

    pin: str | None = None
    """User ID; None for all."""


class QueryTemplates(msgspec.Struct, frozen=True):
    """Intent to have a terminal upload all its templates of a biometric type (Appendix 10)."""

    type: int


class PutPackage(msgspec.Struct, frozen=True):
    """Intent to put many people on a terminal by a package, beside those that are there."""

    source: str
    """What the package holds; see `zkpush.device.functions.CommandFunctions.sources`."""


class PutTemplate(msgspec.Struct, frozen=True):
    """Intent to add or change a template on a terminal."""

    template: Template


class PutPhoto(msgspec.Struct, frozen=True):
    """Intent to add or change a photo on a terminal."""

    photo: PersonPhoto
    post_back: bool = False
    """Whether the terminal uploads the template that it extracts from a comparison photo."""


class Enrol(msgspec.Struct, frozen=True):
    """Intent to enrol a template or a card of a person at a terminal."""

    pin: str
    type: int | None
    """Biometric type (Appendix 10); None for a card."""
    number: int = 0
    """Number of the template, such as a finger."""
    overwrite: bool = False
    """Whether an existing template is replaced; without it, that is an error of the terminal."""

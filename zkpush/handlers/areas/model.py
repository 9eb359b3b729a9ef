"""Values of areas."""

from __future__ import annotations

from enum import StrEnum

import msgspec

LONGEST_DESCRIPTION = 1000
"""Maximum length of the description of an area, in characters."""


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """An area, with the numbers of its terminals and people."""

    place: int
    """Its place among all areas by name, from 1."""
    name: str
    description: str | None
    distributes: bool
    devices: int
    users: int


PRIORITY = -10
"""Priority of commands that distribute."""
USER = "user"
"""The part of a person that holds the fields; deletions of a person are rows of this part, too."""
MOST_TRIES = 3
"""Commands after which a terminal that still differs is left alone until the content changes."""
DELETED = b""
"""What the command of a deletion holds."""


PACKAGES = "distribution"
"""Name of the source of packages for terminals of areas that distribute."""


class PartState(StrEnum):
    """State of a part of a person on a terminal, as stored."""

    THERE = "there"
    WAITING = "waiting"
    """A command is to be queued."""
    SENT = "sent"
    """A command is queued or sent."""
    CONFLICT = "conflict"
    """The terminal says something else about the person, and nobody has decided yet."""
    REFUSED = "refused"
    DOES_NOT_FIT = "does_not_fit"
    UNKNOWN = "unknown"


class SentPart(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs on a terminal, or is to be deleted there, and how far that is."""

    wanted: bytes | None
    """Digest of the content; None for a deletion."""
    told: bytes | None = None
    """Digest of the content that the terminal is known to have."""
    sent: bytes | None = None
    """Digest of the content of the open command."""
    state: PartState
    reason: str | None = None
    """Why, in words."""
    command: str | None = None
    """CmdID of the open command."""
    tries: int = 0
    """Commands in a row after which the terminal did not have the content."""
    updated_at: int


class PlacedPart(SentPart, frozen=True, kw_only=True):
    """A part of a person that belongs on a terminal, or is to be deleted there."""

    device_id: int
    pin: str
    part: str
    is_guarded: bool = False
    """Whether a deletion counts for the limit of deletions without a confirmation."""
    is_copied: bool = False
    """Whether a caller had it copied to the terminal, whose area does not distribute."""

    @property
    def key(self) -> tuple[int, str, str]:
        """Terminal, person and part."""
        return self.device_id, self.pin, self.part


class DistributionTerminal(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal of an area that distributes."""

    device_id: int
    area: str
    basis: str
    users: int
    """Number of users that it last counted."""
    phase: int
    """Phase of the full comparison."""
    after: str
    """Where the full comparison goes on."""
    due_at: int
    """When the full comparison goes on, or begins."""
    may_delete: int
    """Number of deletions that an operator has confirmed."""
    compared_at: int = 0
    """When its people were last compared as a whole."""
    package: str | None = None
    """CmdID of the open package."""
    packaged_at: int | None = None
    """When a package was executed; None since the terminal was asked for its users."""
    no_packages: str | None = None
    """Why the terminal gets no packages any more, in words."""


class DistributionEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What it means that an area distributes."""

    people: int
    devices: int
    commands: int
    """Largest number of commands that may be needed."""
    deletions: int
    """Number of deletions of people from terminals."""
    unconfirmed: int = 0
    """People whom only terminals have stated, if the area does not distribute yet."""
    privileged: int = 0
    """People with rights that only a terminal has given."""
    with_passwords: int = 0
    """People with a password that only a terminal has stated."""
    of_terminals: int = 0
    """People of any of these three kinds."""
    unfetched: int = 0
    """People whom terminals count beyond those that they have stated, if it does not yet."""


class PersonPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A person on a terminal."""

    id: int
    device: str
    pin: str
    state: str
    meaning: str
    updated_at: int | None
    is_misnamed: bool = False
    """Whether the terminal has the person under a name that is known to be wrong."""

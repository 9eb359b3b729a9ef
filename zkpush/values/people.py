"""People, and what verifiers are asked about them."""

from __future__ import annotations

import msgspec

from ..stored import StoredRecord


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

"""People, and the questions that verifiers answer about them."""

from __future__ import annotations

import msgspec

from ..stored import StoredRecord


class OfPerson(StoredRecord, frozen=True, kw_only=True):
    """Fields of a person's records, whichever terminals they are on."""

    pin: str
    """User ID."""
    device: str | None = None
    """Serial number of the terminal that sent the last change."""
    updated_at: int | None = None


class Person(OfPerson, frozen=True, kw_only=True):
    """A person as known to terminals: a user."""

    name: str | None = None
    privilege: int | None = None
    card: str | None = None
    group: int | None = None
    start_datetime: str | None = None
    end_datetime: str | None = None
    expires: str | None = None
    templates: dict[int, int] = {}
    """Number of templates by biometric type."""
    has_photo: bool = False
    areas: tuple[str, ...] = ()
    """Names of the areas of the person, sorted."""


class VerifyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal's question whether to admit the user it has recognised (12.8.3)."""

    pin: str | None
    """User ID; None if the body does not contain exactly one."""
    user: Person | None
    """The stored user; None if unknown."""
    time: str
    """Time of the question, by the terminal's wall clock."""
    at: int
    """The same time as an instant."""
    body: bytes
    """Body of the request, which may contain secrets."""


class Verdict(msgspec.Struct, frozen=True):
    """Decision of a verifier."""

    admitted: bool
    reason: str = ""
    """One-line reason for a refusal, which the terminal shows."""

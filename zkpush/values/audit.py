"""The audit log."""

from __future__ import annotations

import msgspec


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the audit log."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    detail: str | None = None
    pins: list[str] = []
    """User IDs of the people that the record names by pseudonym, as far as they are known."""


def device_actor(sn: str) -> str:
    """Return the actor of what a terminal did, or of what was done in its name."""
    return f"device {sn}"


def terminal_subject(sn: str) -> str:
    """Return the subject of what was done to a terminal."""
    return f"terminal {sn}"

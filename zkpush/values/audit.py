"""The audit log."""

from __future__ import annotations

import msgspec


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    detail: str | None = None
    pins: list[str] = []
    """The people that it names by pseudonyms, as far as they are still known."""

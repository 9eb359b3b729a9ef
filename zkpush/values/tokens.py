"""Tokens of the API."""

from __future__ import annotations

import msgspec


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token of the API that is to be kept."""

    name: str
    digest: bytes
    """SHA-256 of it."""
    scopes: frozenset[str]
    created_by: str
    expires_at: int | None = None


class StoredToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token of the API, as it is kept."""

    id: int
    name: str
    digest: bytes
    """SHA-256 of it."""
    scopes: frozenset[str]
    """They include scopes that only a later version knows."""
    created_at: int
    created_by: str
    expires_at: int | None = None
    """None for one that is good until it is revoked."""
    last_used_at: int | None = None

"""API tokens."""

from __future__ import annotations

import msgspec


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A new API token to store."""

    name: str
    digest: bytes
    """SHA-256 of the token."""
    scopes: frozenset[str]
    created_by: str
    expires_at: int | None = None
    areas: frozenset[str] | None = None
    """Areas that it is limited to; None for no limit."""


class StoredToken(msgspec.Struct, frozen=True, kw_only=True):
    """A stored API token."""

    id: int
    name: str
    digest: bytes
    """SHA-256 of the token."""
    scopes: frozenset[str]
    """Names of its scopes, possibly of scopes that only a later version knows."""
    created_at: int
    created_by: str
    expires_at: int | None = None
    """Time of expiry; None for a token that is valid until revoked."""
    last_used_at: int | None = None
    areas: frozenset[str] | None = None
    """Areas that it is limited to; None for no limit."""

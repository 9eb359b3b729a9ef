"""Keys of terminals: offered pushcommkeys, and keys of encrypted sessions."""

from __future__ import annotations

import msgspec

from ..values.sessions import SessionState

MOST_OFFERED = 8
"""Maximum number of offered pushcommkeys that are listed for one terminal."""


class OfferedKey(msgspec.Struct, frozen=True):
    """A pushcommkey offered in the name of a terminal, or its exchanges without a key."""

    fingerprint: str | None
    """SHA-256, in hex; None for exchanges without a key."""
    address: str | None
    """Address of the last offer."""
    first_seen_at: int
    last_seen_at: int


class StoredKeys(msgspec.Struct, frozen=True, kw_only=True):
    """State that a cipher suite needs to continue a session."""

    generation: int
    """Value of the terminal's `generation` when the keys were stored."""
    suite: str
    state: bytes
    """Secret state of the cipher suite."""
    number: int = 0
    """Number of the last accepted request."""
    step: SessionState | None = None
    """Progress of an unfinished key exchange; None for keys in use."""
    has_secret: bool = False
    """Whether they were made with a secret that the terminal shares with the server."""

    def __repr__(self) -> str:
        return f"<Keys {self.generation}>"

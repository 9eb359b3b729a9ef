"""Sessions of terminals: their states, tokens, and the policies of operators."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class SessionState(StrEnum):
    """State of a terminal's session; `zkpush.device.session` is the state machine."""

    NEW = "new"
    """No initialization exchange with this server yet."""
    READY = "ready"
    """Initialized; the terminal works with the current options."""
    STALE = "stale"
    """Initialized, but the exchange has to be repeated: an option it sent has changed."""
    KEYS = "keys"
    """Public keys are exchanged; factors are not."""
    FACTORS = "factors"
    """Factors are exchanged; the terminal has not proved yet that it has the session key."""
    ENCRYPTED = "encrypted"
    """The terminal has proved that it has the session key; plain requests are refused."""
    OUTDATED = "outdated"
    """Encrypted, but the exchanges have to be repeated."""


ENCRYPTED_STATES = frozenset({SessionState.ENCRYPTED, SessionState.OUTDATED})
REPEATED_STATES = frozenset({SessionState.STALE, SessionState.OUTDATED})
"""The terminal has to repeat its exchanges."""


class EncryptionPolicy(StrEnum):
    """Whether sessions with a terminal are encrypted (Appendix 8)."""

    PREFER = "prefer"
    """Encrypt if both sides can and the terminal starts it."""
    REQUIRE = "require"
    """Always encrypt; plain requests are refused."""
    NEVER = "never"
    """Report a protocol version without encryption to the terminal."""


class TokenPolicy(StrEnum):
    """Check of the session token, which terminals get as a cookie (6, 7, 10)."""

    CHECK = "check"
    """Require the token once the terminal has shown that it returns it."""
    REQUIRE = "require"
    """Require the token from the first request on."""
    IGNORE = "ignore"
    """Do not check the token."""


class SessionToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that the server issued in an exchange of a terminal."""

    digest: str
    """SHA-256 of the token, in hex."""
    address: str | None = None
    """Address that the exchange came from."""
    proved: bool = False
    """Whether a request has returned the token."""
    trusted: bool = False
    """Whether the token is known to belong to the terminal: see `zkpush.device.tokens`."""
    follows: str | None = None
    """Digest of the token that the exchange carried."""
    comm_key: str | None = None
    """Fingerprint of the pushcommkey that the exchange carried."""

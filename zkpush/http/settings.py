"""Settings that an application passes in: limits and trusted proxies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Struck = Callable[[str, str | None, str | None], object]
"""Called when a limit is exceeded, with its name, None and the client's address, if known.

The names are the fields of `HttpLimits`, and `proxy` for a peer that is not a trusted proxy or
names no address. (The second argument is for applications that identify clients.)"""


class HttpLimits(Protocol):
    """Limits of a site. Lengths are in bytes, times in seconds."""

    @property
    def body_bytes(self) -> int:
        """Maximum length of a body."""

    @property
    def head_bytes(self) -> int:
        """Maximum length of a head, and of a trailer after chunks."""

    @property
    def connections(self) -> int:
        """Maximum number of connections."""

    @property
    def connections_per_address(self) -> int:
        """Maximum number of connections of one address that does not speak for many."""

    @property
    def idle_seconds(self) -> float:
        """Maximum silence, and maximum time for a head."""

    @property
    def request_seconds(self) -> float:
        """Maximum time for a request to arrive."""

    @property
    def stalled_seconds(self) -> float:
        """Maximum time without progress of a reply."""


class TrustedProxies(Protocol):
    """Peers that are trusted to name the address of a client."""

    def __bool__(self) -> bool:
        """Whether there are any trusted proxies."""

    def trusts(self, host: str | None) -> bool:
        """Whether a peer is a trusted proxy; None means a peer without an address."""

    def client(self, peer: str | None, forwarded: bytes) -> str | None:
        """Return the client address that a trusted peer names in `X-Forwarded-For`.

        Raises `ValueError` if the header names none.
        """

    def normalize(self, host: str) -> str | None:
        """Return the canonical form of an address; None if it is malformed."""

    def speaks_for_many(self, host: str | None) -> bool:
        """Whether many clients may share an address."""

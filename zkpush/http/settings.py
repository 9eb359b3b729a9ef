"""What an application passes in: limits, and the proxies that it trusts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Struck = Callable[[str, str | None, str | None], object]
"""Called when a limit strikes, with its name, None and the client's address, if known.

The names are those of the fields of `HttpLimits`, and `proxy` for a peer that may not speak for
others, or names no address. (The second argument is for applications that know more of a client.)
"""


class HttpLimits(Protocol):
    """Limits of a site. Lengths are in bytes, times in seconds."""

    @property
    def body_bytes(self) -> int:
        """Longest body."""

    @property
    def head_bytes(self) -> int:
        """Longest head, and longest trailer after chunks."""

    @property
    def connections(self) -> int:
        """Most connections."""

    @property
    def connections_per_address(self) -> int:
        """Most connections of one address that does not speak for many."""

    @property
    def idle_seconds(self) -> float:
        """Longest silence, and longest time that a head may take."""

    @property
    def request_seconds(self) -> float:
        """Longest time that a request may take to arrive."""

    @property
    def stalled_seconds(self) -> float:
        """Longest time without progress of a reply."""


class TrustedProxies(Protocol):
    """The peers that may say for whom they speak."""

    def __bool__(self) -> bool:
        """Whether there are any."""

    def trusts(self, host: str | None) -> bool:
        """Whether a peer is one; None is a peer without an address."""

    def client(self, peer: str | None, forwarded: bytes) -> str | None:
        """Return the client that a trusted peer names in `X-Forwarded-For`.

        `ValueError` if the header names none.
        """

    def normalize(self, host: str) -> str | None:
        """Return the usual form of an address; None if it is none."""

    def speaks_for_many(self, host: str | None) -> bool:
        """Whether many clients may share an address."""

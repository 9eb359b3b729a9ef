"""Trusted proxies and the client addresses that they forward.

`X-Forwarded-For` is read only from a trusted proxy, and is ignored from any other peer. `Forwarded`
(RFC 7239) is always ignored.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..protocol.addresses import (
    UNIX,
    forwarded_for,
    is_within,
    parse_address,
    parse_networks,
    parse_proxies,
)
from ..protocol.errors import TerminalError

_MOST_KNOWN = 4096
_LOOPBACK = parse_networks(["127.0.0.0/8", "::1"])


class Proxies:
    """Peers that are trusted to name the address of a client."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        """`trusted` lists networks, addresses and `unix`; raises `ValueError` for anything else."""
        self._networks = parse_proxies(trusted)
        self._unix = UNIX in trusted
        self._known: dict[str, bool] = {}
        self._many: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return self._unix or bool(self._networks)

    def trusts(self, host: str | None) -> bool:
        """Whether a peer is a trusted proxy; None means a Unix socket."""
        if host is None:
            return self._unix
        known = self._known.get(host)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[host] = is_within(parse_address(host), self._networks)
        return known

    def client(self, peer: str | None, forwarded: bytes) -> str | None:
        """Return the client address that a trusted peer forwards.

        Raises `ValueError` if the header has no address in the required position.
        """
        try:
            return forwarded_for(peer or "", forwarded, self._networks) or peer
        except TerminalError as error:
            raise ValueError(str(error)) from None

    def normalize(self, host: str) -> str | None:
        """Return the canonical form of an address; None if it is malformed."""
        address = parse_address(host)
        return None if address is None else str(address)

    def speaks_for_many(self, host: str | None) -> bool:
        """Whether a peer may stand for many terminals: a trusted proxy or this machine."""
        if host is None:
            return True
        known = self._many.get(host)
        if known is None:
            if len(self._many) >= _MOST_KNOWN:
                self._many.clear()
            known = self.trusts(host) or is_within(parse_address(host), _LOOPBACK)
            self._many[host] = known
        return known

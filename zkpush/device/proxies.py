"""The proxies in front of this server, which say whom they speak for.

`X-Forwarded-For` is looked at only if it comes from a trusted proxy; from anybody else it is a
header like all that are not known. `Forwarded` (RFC 7239) is not looked at.
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
    """Which peers are trusted to tell the address of a client."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        """Networks, addresses, and `unix`; `ValueError` for anything else."""
        self._networks = parse_proxies(trusted)
        self._unix = UNIX in trusted
        self._known: dict[str, bool] = {}
        self._many: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return self._unix or bool(self._networks)

    def trusts(self, host: str | None) -> bool:
        """Whether a peer is a trusted proxy; None is one without address."""
        if host is None:
            return self._unix
        known = self._known.get(host)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[host] = is_within(parse_address(host), self._networks)
        return known

    def client(self, peer: str | None, forwarded: bytes) -> str | None:
        """The address of the client that a trusted peer speaks for.

        `ValueError` if there is none in the place where it has to be.
        """
        try:
            return forwarded_for(peer or "", forwarded, self._networks) or peer
        except TerminalError as error:
            raise ValueError(str(error)) from None

    def normalize(self, host: str) -> str | None:
        """Return the usual form of an address; None if it is none."""
        address = parse_address(host)
        return None if address is None else str(address)

    def speaks_for_many(self, host: str | None) -> bool:
        """Whether many terminals may be behind a peer: a trusted proxy, or this machine."""
        if host is None:
            return True
        known = self._many.get(host)
        if known is None:
            if len(self._many) >= _MOST_KNOWN:
                self._many.clear()
            known = self.trusts(host) or is_within(parse_address(host), _LOOPBACK)
            self._many[host] = known
        return known

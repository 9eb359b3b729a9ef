"""Base of connections: address, counts and end.

The address of a connection is known when it is accepted. Behind `haproxy:` endpoints it is known
when the PROXY header has arrived, which precedes everything else. A trusted proxy may name another
address with each request. The number of connections is limited, in total and for each address. If a
new connection exceeds the total, the oldest connection without a request in progress is closed for
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from .messages import Plain
from .replies import BAD_REQUEST, CROWDED
from .transport import UnwatchedConnection

if TYPE_CHECKING:
    from .channel import HttpChannel
    from .site import HttpSite


class LimitExceeded(Exception):
    """A request exceeds a limit; `reply` is the reply to send."""

    def __init__(self, limit: str | None, reply: Plain) -> None:
        """`limit` is the name of the limit; None if it was already counted."""
        super().__init__(limit)
        self.limit = limit
        self.reply = reply


class Connection(Protocol):
    """A connection, independent of its content."""

    counted: str | None = None
    """The address under which this connection is counted."""
    _trusted = False
    """Whether the peer is a proxy that may name another address."""
    _closing = False
    _direct = False
    """Whether replies are sent without the transport's buffer, which is empty."""
    _buffered = 0
    """Bytes passed to the transport's buffer."""

    def __init__(self, site: HttpSite, address: IAddress | None, awaits_proxy: bool) -> None:
        """With `awaits_proxy`, the address arrives in a PROXY header."""
        self._site = site
        self._address: str | None = getattr(address, "host", None)
        self._awaits_proxy = awaits_proxy
        self.active_at = site.tick
        """Tick of the site when useful data was last received or sent."""

    def arrive(self, channel: HttpChannel) -> bool:
        """Register with the site; False if there are too many. `channel` is this connection."""
        site = self._site
        site.channels[channel] = None
        transport: Any = self.transport
        if isinstance(transport, UnwatchedConnection):
            self._direct = True
        elif self._awaits_proxy and site.has_proxies and not site.proxies.trusts(self._address):
            return self._turn_away("proxy")
        if len(site.channels) > site.most_connections and not site.make_room(channel):
            return self._turn_away("connections")
        if not self._awaits_proxy and not self._count():
            return self._turn_away("connections_per_address")
        return True

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Remove the connection from the counts."""
        self._closing = True
        if self.counted is not None:
            self._site.uncount(self.counted)

    def hang_up(self) -> None:
        """End the connection after pending data is sent; ignore further input."""
        self._closing = True
        if self.transport is None:
            return
        if self._direct:
            self._site.close_soon(self.transport)
        else:
            self.transport.loseConnection()

    def cut(self) -> None:
        """Reset the connection at once; discard unsent data."""
        self._closing = True
        transport: Any = self.transport
        transport.abortConnection()

    def _strike(self, limit: str) -> None:
        """Report that this connection exceeded a limit."""
        self._site.struck(limit, None, self._address)

    def _send(self, data: bytes, *, last: bool = False) -> None:
        """Send data; with `last`, the connection ends after it."""
        raise NotImplementedError

    def _say_last(self, reply: Plain) -> None:
        """Send a reply without reading a request, and end the connection."""
        status, body = reply
        head = self._site.head(status, "1.1", False, len(body), dated=self._site.dates(None))
        self._send(head + body)
        self.hang_up()

    def _turn_away(self, limit: str) -> bool:
        """End a surplus connection, with a reply if that can be sent at once."""
        self._strike(limit)
        if self._direct:
            self._say_last(CROWDED)
        else:
            self.cut()
        return False

    def _count(self) -> bool:
        """Count the connection under its address; False if that address has too many."""
        site = self._site
        if not site.count(self._address):
            return False
        self.counted = self._address
        if site.has_proxies:
            self._trusted = site.proxies.trusts(self._address)
        return True

    def _take_proxy_header(self) -> None:
        """Read the address from the PROXY header; raises `LimitExceeded` if it is refused."""
        self._awaits_proxy = False
        transport: Any = self.transport
        host = getattr(transport.getPeer(), "host", None)
        if host is not None:
            address = self._site.proxies.normalize(host)
            if address is None:
                raise LimitExceeded("proxy", BAD_REQUEST)
            self._address = address
        if not self._count():
            raise LimitExceeded("connections_per_address", CROWDED)

    def _client(self, forwarded: bytes) -> str | None:
        """Return the address that a trusted proxy names; raises `LimitExceeded` if none."""
        try:
            return self._site.proxies.client(self._address, forwarded)
        except ValueError:
            raise LimitExceeded("proxy", BAD_REQUEST) from None

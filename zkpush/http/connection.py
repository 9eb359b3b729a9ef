"""One connection of a terminal, without what is said on it: who it is from, and what it may cost.

Theory of operation. Where a connection comes from is known at once, or, behind `haproxy:`, from the
PROXY header that comes before all else; a trusted proxy may name another address with each request.
There are as many connections as configured, of each address as well. If there is one too many, the
oldest of which nothing is in hand makes way for it, so that whoever holds many open holds nobody
up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.haproxy._wrapper import HAProxyProtocolWrapper
from twisted.python.failure import Failure

from ..protocol.addresses import parse_address
from ..protocol.errors import TerminalError, TooLarge, TooSlow, Unavailable, refusal
from .messages import Plain
from .transport import UnwatchedServer

if TYPE_CHECKING:
    from .channel import TerminalChannel
    from .site import TerminalSite

BAD_REQUEST = (TerminalError.status, refusal("This is not an HTTP request that can be served."))
TOO_LARGE = (
    TooLarge.status,
    refusal("The body is larger than this server is configured to take."),
)
SLOW = (TooSlow.status, refusal("The request did not come whole in time; send it again."))
CROWDED = (
    Unavailable.status,
    refusal("This server has as many connections as it is configured to take; try later."),
)
FULL = (Unavailable.status, refusal("Too much is being sent to this server; send it again later."))


class LimitExceeded(Exception):
    """What comes is more than a limit; it is answered with `reply`."""

    def __init__(self, limit: str | None, reply: Plain) -> None:
        """`limit` is None where it is counted already."""
        super().__init__(limit)
        self.limit = limit
        self.reply = reply


def _proxy_of(transport: Any) -> Any:
    """What hears the PROXY header of a connection: it comes before the handshake of TLS."""
    while transport is not None and not isinstance(transport, HAProxyProtocolWrapper):
        transport = getattr(transport, "transport", None)
    return transport


class Connection(Protocol):
    """What a connection is, whatever comes on it."""

    counted: str | None = None
    """The address as one of whose connections it is counted."""
    _proxy: Any = None
    """What has heard the PROXY header, as long as that is not looked at."""
    _trusted = False
    """Whether the other side is a proxy that may say whom it speaks for."""
    _closing = False
    _direct = False
    _left = 0
    """Bytes that were left to the reactor to write."""

    def __init__(self, site: TerminalSite, address: IAddress | None) -> None:
        self._site = site
        self._address: str | None = getattr(address, "host", None)
        self.active_at = site.tick
        """When (in ticks of the site) something came last that is of use."""

    def arrive(self, channel: TerminalChannel) -> bool:
        """Be known to the site, if there may be one more; `channel` is this connection."""
        site = self._site
        site.channels[channel] = None
        transport: Any = self.transport
        if isinstance(transport, UnwatchedServer):
            self._direct = True
        else:
            self._proxy = _proxy_of(transport)
            if self._proxy and site.has_proxies and not site.proxies.trusts(self._address):
                return self._turn_away("proxy")
        if len(site.channels) > site.most_connections and not site.make_room(channel):
            return self._turn_away("connections")
        if self._proxy is None and not self._count():
            return self._turn_away("connections_per_address")
        return True

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Count no more."""
        self._closing = True
        if self.counted is not None:
            self._site.uncount(self.counted)

    def hang_up(self) -> None:
        """End the connection, after what was written; nothing that still comes is looked at."""
        self._closing = True
        if self.transport is None:
            return
        if self._direct:
            self._site.close_soon(self.transport)
        else:
            self.transport.loseConnection()

    def cut(self) -> None:
        """End the connection at once, whatever is still to be written."""
        self._closing = True
        transport: Any = self.transport
        transport.abortConnection()

    def _strike(self, limit: str) -> None:
        """Tell that a limit has struck this connection."""
        self._site.refused(limit, None, self._address)

    def _send(self, data: bytes) -> None:
        """Write at once what the socket takes, and leave only the rest to the reactor.

        Almost every reply fits: that saves waiting until the socket says that it can be written.
        """
        transport: Any = self.transport
        if self._direct:
            sent = transport.send_now(data)
            if sent == len(data):
                return
            # The reactor has the rest, and everything from now on, so that nothing overtakes it.
            self._direct = False
            data = data[sent:]
        self._left += len(data)
        transport.write(data)

    def _say_last(self, reply: Plain) -> None:
        """Answer what is no request, or not to be read, and end the connection."""
        status, body = reply
        self._send(self._site.head(status, "1.1", False, len(body)) + body)
        self.hang_up()

    def _turn_away(self, limit: str) -> bool:
        """End a connection that there may not be, with a word where that costs no time."""
        self._strike(limit)
        if self._direct:
            self._say_last(CROWDED)
        else:
            self.cut()
        return False

    def _count(self) -> bool:
        """Be one of the connections of an address, if it may have one more."""
        site = self._site
        if not site.count(self._address):
            return False
        self.counted = self._address
        if site.has_proxies:
            self._trusted = site.proxies.trusts(self._address)
        return True

    def _hear_proxy(self) -> None:
        """Take the client address from the PROXY header; `LimitExceeded` if it is refused."""
        host = getattr(self._proxy.getPeer(), "host", None)
        self._proxy = None
        if host is not None:
            address = parse_address(host)
            if address is None:
                raise LimitExceeded("proxy", BAD_REQUEST)
            self._address = str(address)
        if not self._count():
            raise LimitExceeded("connections_per_address", CROWDED)

    def _client(self, forwarded: bytes) -> str | None:
        """The address that a trusted proxy names; `LimitExceeded` if it names none."""
        try:
            return self._site.proxies.client(self._address, forwarded)
        except TerminalError:
            raise LimitExceeded("proxy", BAD_REQUEST) from None

"""HTTP connections to receivers, only to addresses that were checked.

Twisted's agent does the HTTP. This module chooses the address: a name is resolved once, all its
addresses are checked, and one of the permitted ones is connected to.

`treq.client.HTTPClient(agent)` cannot be used, though it can leave out redirects and cookies:
it always asks for gzip and expands it, with no limit to the size, and it converts each URL by
`to_uri` of hyperlink, which raises an error for IPv6 addresses (hyperlink issue 188).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import (
    IAddress,
    IHostResolution,
    IProtocol,
    IProtocolFactory,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import optionsForClientTLS
from twisted.python.failure import Failure
from twisted.web.client import URI, Agent, FileBodyProducer, HTTPConnectionPool, ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IResponse
from zope.interface import implementer

from .addresses import ForbiddenAddress, fault_of

CONNECT_SECONDS = 5
"""Longest time to connect to one of several addresses."""
IDLE_SECONDS = 60
"""Seconds for which an idle connection is kept for the next request."""
MOST_BODY = 4096
"""Bytes of a reply that are read by default; a longer one ends the connection."""


@implementer(IResolutionReceiver)
class _Addresses:
    """Collects the addresses of a name."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self.complete: Deferred[None] = Deferred()

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """Do nothing: a resolution that takes too long is abandoned with the request."""

    def addressResolved(self, address: IAddress) -> None:
        """Keep an address."""
        self.found.append(address)

    def resolutionComplete(self) -> None:
        """All addresses are known."""
        if not self.complete.called:
            self.complete.callback(None)


@implementer(IStreamClientEndpoint)
@attrs.frozen
class GuardedEndpoint:
    """Connects to a permitted address of a host."""

    reactor: Any
    host: str
    port: int
    is_secure: bool
    allow_private: bool
    trust: Any = None
    """Authorities that may sign the certificate of the host; None for those of the system."""

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Resolve the name, check its addresses, and connect to the first that answers."""
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        refusals: list[Exception] = []
        for address in await self._permitted():
            is_v6 = ":" in address
            endpoint: Any = (TCP6ClientEndpoint if is_v6 else TCP4ClientEndpoint)(
                self.reactor, address, self.port, timeout=CONNECT_SECONDS
            )
            if self.is_secure:
                endpoint = wrapClientTLS(optionsForClientTLS(self.host, self.trust), endpoint)
            try:
                connected: IProtocol = await endpoint.connect(factory)
            except ConnectError as error:
                refusals.append(error)
            else:
                return connected
        raise refusals[0]

    async def _permitted(self) -> Sequence[str]:
        """Return the permitted addresses; `ForbiddenAddress` or `DNSLookupError` without any."""
        receiver = _Addresses()
        self.reactor.nameResolver.resolveHostName(receiver, self.host, self.port)
        await receiver.complete
        found = [str(one.host) for one in receiver.found]
        if not found:
            raise DNSLookupError(f"the name {self.host} has no address")
        faults = {one: fault_of(one, allow_private=self.allow_private) for one in found}
        permitted = [one for one, fault in faults.items() if fault is None]
        if not permitted:
            raise ForbiddenAddress(next(filter(None, faults.values())))
        return permitted


@implementer(IAgentEndpointFactory)
@attrs.frozen
class GuardedEndpoints:
    """Makes the endpoints of an agent."""

    reactor: Any
    allow_private: bool

    def endpointForURI(self, uri: URI) -> GuardedEndpoint:
        """Return the endpoint for a URL."""
        host = uri.host.decode("ascii").strip("[]")
        return GuardedEndpoint(
            self.reactor, host, uri.port, uri.scheme == b"https", self.allow_private
        )


class ReplyReader(Protocol):
    """Reads the beginning of a reply; `read` fires with it."""

    def __init__(self, most: int) -> None:
        """`most` is the number of bytes to read."""
        self._most = most
        self.read: Deferred[bytes] = Deferred(lambda _: self._abort())
        self._text = b""

    def dataReceived(self, data: bytes) -> None:
        """Keep data, up to the limit."""
        self._text += data[: self._most - len(self._text)]
        if len(self._text) >= self._most:
            self._abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End: a reply that was cut has still a status, so that it is no error."""
        if not self.read.called:
            if reason.check(ResponseDone) is None and not self._text:
                self._text = b"(the reply was cut)"
            self.read.callback(self._text)

    def _abort(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()


class ReceiverClient:
    """Client of one receiver; connections are reused."""

    def __init__(self, reactor: Any, *, allow_private: bool, most_body: int = MOST_BODY) -> None:
        """Of a reply, `most_body` bytes are read."""
        self._most_body = most_body
        self._pool = HTTPConnectionPool(reactor)
        self._pool.maxPersistentPerHost = 1
        self._pool.cachedConnectionTimeout = IDLE_SECONDS
        endpoints = GuardedEndpoints(reactor, allow_private)
        self._agent = Agent.usingEndpointFactory(reactor, endpoints, pool=self._pool)

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Headers, bytes]:
        """Send a POST; return what `request` does."""
        return await self.request(b"POST", url, body, headers)

    async def request(
        self, method: bytes, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Headers, bytes]:
        """Send a request; return status, headers and the beginning of the body.

        Redirects are not followed.
        """
        lines = Headers({name: [value] for name, value in headers.items()})
        producer = None if body is None else FileBodyProducer(BytesIO(body))
        response: IResponse = await self._agent.request(
            method, url.encode("ascii"), lines, producer
        )
        reader = ReplyReader(self._most_body)
        response.deliverBody(reader)
        return response.code, response.headers, await reader.read

    def close(self) -> None:
        """Close idle connections."""
        self._pool.closeCachedConnections()

"""The terminals' resources on twisted.web's own channel: what the lean one is compared to."""

from __future__ import annotations

from io import BytesIO

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.web.server import Request, Site

from zkpush.device.proxies import Proxies
from zkpush.protocol.errors import TerminalError, TooLarge, refusal
from zkpush.resources.gate import RequestGate


class LimitedRequest(Request):
    """A request whose body stays in memory, within the limit of its site."""

    def __init__(self, channel, *args) -> None:
        super().__init__(channel, *args, parsePOSTFormSubmission=False)
        self._room = channel.site.body_bytes
        self._too_large = False

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()
        if length is not None and length > self._room:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self._room -= len(data)
        if self._room < 0:
            self._refuse()
        if not self._too_large:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if self._too_large:
            return
        self._client = self.client
        forwarded = self.requestHeaders.getRawHeaders(b"x-forwarded-for")
        proxies = self.channel.site.proxies
        host = getattr(self.client, "host", None)
        if forwarded and proxies.trusts(host):
            try:
                self._client = IPv4Address("TCP", proxies.client(host, b",".join(forwarded)), 40000)
            except TerminalError as error:
                self._say(TerminalError.status, str(error))
                return
        super().requestReceived(command, path, version)

    def getClientAddress(self) -> IAddress:
        return self._client

    def _refuse(self) -> None:
        if not self._too_large:
            self._too_large = True
            self._say(TooLarge.status, "The body is larger than this server is configured to take.")

    def _say(self, status: int, message: str) -> None:
        body = refusal(message)
        self.channel.write(
            b"HTTP/1.1 %d Refused\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)
        )
        self.channel.loseConnection()


class ReferenceSite(Site):
    """Serves a resource tree as twisted.web does."""

    requestFactory = LimitedRequest

    def __init__(
        self, gate: RequestGate, body_bytes: int, proxies: Proxies, clock: IReactorTime
    ) -> None:
        super().__init__(gate.root, reactor=clock, parsePOSTFormSubmission=False)
        self.gate = gate
        self.body_bytes = body_bytes
        self.proxies = proxies

    def log(self, request: Request) -> None:
        """Log nothing."""

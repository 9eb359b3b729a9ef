"""The terminals' routes served by twisted.web: the server that ours is compared to."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from zkpush.device.request import AcceptedRequest
from zkpush.http.messages import PLAIN, Declined, FileReply, Reply, RequestHead, is_of_browser
from zkpush.http.sending import Interrupted, Sending
from zkpush.protocol.errors import TerminalError, TooLarge, refusal
from zkpush.protocol.requests import normalize_segment
from zkpush.resources.paths import SharedPath
from zkpush.resources.site import TerminalSite

if TYPE_CHECKING:
    from .rig import Rig

_log = Logger()


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
            except ValueError as error:
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
    """Serves the routes of a daemon as twisted.web does."""

    requestFactory = LimitedRequest

    def __init__(self, rig: Rig) -> None:
        super().__init__(
            ReferenceRoot(rig.terminals), reactor=rig.clock, parsePOSTFormSubmission=False
        )
        self.body_bytes = rig.config.limits.body_bytes
        self.proxies = rig.terminals.proxies

    def log(self, request: Request) -> None:
        """Log nothing."""


class ReferenceRoot(Resource):
    """The tree of paths as twisted.web walks it: /iclock, in any case, with `.aspx`, doubled."""

    def __init__(self, site: TerminalSite, below: bool = False) -> None:
        super().__init__()
        self._site = site
        self._below = below

    def getChild(self, path: bytes, request: Request) -> Resource:
        """The resource of a path segment."""
        name = normalize_segment(path)
        if name == b"iclock":
            return ReferenceRoot(self._site, below=True)
        found = self._site.gate.paths.find(b"/iclock/" + name) if self._below else None
        return ReferenceLeaf(self._site, found)

    def render(self, request: Request) -> int:
        """Answer a request for /iclock itself."""
        return ReferenceLeaf(self._site, None).render(request)


class ReferenceLeaf(Resource):
    """One path of ours, or none, as a resource of twisted.web."""

    isLeaf = True

    def __init__(self, site: TerminalSite, path: SharedPath | None) -> None:
        super().__init__()
        self._site = site
        self._path = path

    def render(self, request: Request) -> int:
        """Answer a request, in whatever case its method is written."""
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)

        async def run() -> None:
            reply = await self._reply(request)
            if not gone:
                await _write(request, reply)

        Deferred.fromCoroutine(run()).addErrback(
            lambda failure: _log.failure("A reply was not written", failure)
        )
        return NOT_DONE_YET

    async def _reply(self, request: Request) -> Reply:
        body = request.content.read()
        reply: Any = self._site.judge(_head(request, len(body)))
        if isinstance(reply, Deferred):
            reply = await reply
        if isinstance(reply, Declined):
            return reply.reply
        if isinstance(reply, AcceptedRequest):
            path = self._path
            route = reply.request.route
            method = reply.request.head.method
            if route.path:  # else it is kept for people, and refused
                assert path is not None
                served = path.by_family[route.family.name]
                rows = [*(one.route for one in served.methods[method]), served.others[method]]
                assert route in rows
                assert request.postpath in ([], [b""]) or path.is_folder
            reply = self._site.answer(reply, body)
            if isinstance(reply, Deferred):
                reply = await reply
        return reply


def _head(request: Request, length: int) -> RequestHead:
    path, _, query = request.uri.partition(b"?")
    headers = request.requestHeaders
    ranges = headers.getRawHeaders(b"range") or ()
    cookies = headers.getRawHeaders(b"cookie") or ()
    return RequestHead(
        request.method.decode("ascii", "replace").upper(),
        path,
        query,
        getattr(request.getClientAddress(), "host", None),
        length,
        any(
            is_of_browser(name, value)
            for name, values in headers.getAllRawHeaders()
            for value in values
        ),
        ranges[0] if len(ranges) == 1 else None,
        b"; ".join(cookies) or None,
        if_range=(headers.getRawHeaders(b"if-range") or [None])[-1],
    )


async def _write(request: Request, reply: Reply) -> None:
    """Write a reply; where the bytes of a file cannot be read to the end, cut the connection."""
    if not isinstance(reply, FileReply):
        reply = FileReply(reply[0], PLAIN, body=reply[1])
    request.setResponseCode(reply.status)
    for line in reply.header.splitlines():
        name, _, value = line.partition(b": ")
        request.setHeader(name, value)
    request.setHeader(b"Content-Length", b"%d" % len(reply))
    request.setHeader(b"Cache-Control", b"no-store")
    request.responseHeaders.removeHeader(b"Server")
    request.write(reply.body)
    if reply.read is not None and request.method != b"HEAD":
        sending = Sending(reply.read, request)
        request.notifyFinish().addErrback(lambda _: sending.stopProducing())
        try:
            await sending.run(reply.start, reply.end)
        except Interrupted:
            if request.channel is not None:
                request.channel.forceAbortClient()
            return
    request.finish()

"""zkpush's channel and twisted.web's, fed with the same bytes: which requests does each see?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import Site

from zkpush.device.proxies import Proxies
from zkpush.http.messages import Accepted, RequestHead
from zkpush.http.site import HttpSite
from zkpush.settings.network import Limits

from ..reference import LimitedRequest, ReferenceSite

MOST_BODY = 4096
_REPLY = b"fine"


class Seen(NamedTuple):
    """A request as one of the channels sees it."""

    method: str
    target: bytes
    body: bytes


class Outcome(NamedTuple):
    """What a channel made of a connection."""

    requests: list[Seen]
    refused: bool
    """Whether it ended the connection: nothing that comes later is looked at."""
    written: bytes


class SeenHead(Accepted, frozen=True, kw_only=True):
    """What is kept of a request until its body has arrived."""

    head: RequestHead


class _LeanSite(HttpSite):
    """Sees requests, and answers each at once."""

    def __init__(self, clock: Clock) -> None:
        limits = Limits(body_bytes=MOST_BODY)
        super().__init__(self._accept, self._see, limits, Proxies(), lambda *_: None, clock)
        self.seen: list[Seen] = []

    def _accept(self, head: RequestHead) -> SeenHead:
        return SeenHead(MOST_BODY, None, head=head)

    def _see(self, accepted: SeenHead, body: bytes) -> tuple[int, bytes]:
        head = accepted.head
        self.seen.append(Seen(head.method, head.path + b"?" + head.query, body))
        return 200, _REPLY


class _SeenRequest(LimitedRequest):
    """Hands over what it is, and is answered at once."""

    def process(self) -> None:
        assert self.content is not None
        body = self.content.read()
        method = self.method.decode("ascii", "replace").upper()
        path, _, query = self.uri.partition(b"?")
        self.channel.site.seen.append(Seen(method, path + b"?" + query, body))
        self.setHeader(b"Content-Length", b"%d" % len(_REPLY))
        self.write(_REPLY)
        self.finish()


class _WebSite(ReferenceSite):
    requestFactory = _SeenRequest

    def __init__(self, clock: Clock) -> None:
        Site.__init__(self, Resource(), reactor=clock, parsePOSTFormSubmission=False)
        self.body_bytes = MOST_BODY
        self.proxies = Proxies()
        self.seen: list[Seen] = []


def _feed(site: Any, parts: Iterable[bytes]) -> Outcome:
    transport = StringTransport(peerAddress=IPv4Address("TCP", "192.0.2.7", 40000))
    channel = site.buildProtocol(transport.getPeer())
    channel.makeConnection(transport)
    for part in parts:
        if transport.disconnecting:
            break
        channel.dataReceived(part)
    outcome = Outcome(list(site.seen), transport.disconnecting, transport.value())
    channel.connectionLost(Failure(ConnectionDone()))
    return outcome


def lean(parts: Iterable[bytes]) -> Outcome:
    """What zkpush's channel makes of bytes that come in these parts."""
    return _feed(_LeanSite(Clock()), parts)


def reference(parts: Iterable[bytes]) -> Outcome:
    """What that of twisted.web makes of them."""
    clock = Clock()
    clock.advance(1_772_366_400)
    return _feed(_WebSite(clock), parts)


def compare(parts: list[bytes]) -> None:
    """Both see the same requests, or one of them refuses what the other one takes.

    `AssertionError` if they see two different things, or one waits where the other has gone on:
    between two such servers, a request can be smuggled.
    """
    ours, theirs = lean(parts), reference(parts)
    for one, other in zip(ours.requests, theirs.requests, strict=False):
        assert one == other
    more = ours.requests[len(theirs.requests) :]
    # What follows CONNECT is no HTTP for us, and not looked at: it is refused, and that is the end.
    if more and not (ours.refused and [request.method for request in more] == ["CONNECT"]):
        assert theirs.refused, (ours, theirs)
    if len(ours.requests) < len(theirs.requests):
        assert ours.refused, (ours, theirs)
    assert ours.written == b"" or ours.written.startswith(b"HTTP/1.")
    assert ours.written.count(b"HTTP/1.") >= len(ours.requests)


def compare_cut(raw: bytes, cuts: Iterable[int]) -> None:
    """Ours sees the same however the bytes come; `AssertionError` if not.

    What may be the beginning of a method waits until it is one: so that nothing waits, more comes.
    """
    more = raw + b" " * 8
    whole, cut = lean([more]), lean(in_parts(more, cuts))
    assert cut.requests == whole.requests
    assert cut.refused == whole.refused


def in_parts(raw: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Bytes cut at these places."""
    places = sorted({cut for cut in cuts if 0 < cut < len(raw)})
    return [raw[a:b] for a, b in zip([0, *places], [*places, len(raw)], strict=True)]

"""The library without terminals: an application of a few lines, and bytes in and out."""

from __future__ import annotations

import attrs
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from zkpush.http.messages import Accepted, FileReply, Plain, Reply, RequestHead
from zkpush.http.replies import OWN_REPLIES
from zkpush.http.sending import PART, Interrupted
from zkpush.http.site import HttpSite

from ..rig import Wire

POST = b"POST /%b HTTP/1.1\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@attrs.frozen
class Limits:
    """Small limits."""

    body_bytes: int = 200_000
    head_bytes: int = 500
    connections: int = 3
    connections_per_address: int = 5
    idle_seconds: float = 10
    request_seconds: float = 30
    stalled_seconds: float = 10


class NoProxies:
    """Nobody speaks for others."""

    def __bool__(self) -> bool:
        return False

    def trusts(self, host: str | None) -> bool:
        """Nobody is trusted."""
        return False

    def client(self, peer: str | None, forwarded: bytes) -> str | None:
        """The peer itself."""
        return peer

    def normalize(self, host: str) -> str | None:
        """The address as it is."""
        return host

    def speaks_for_many(self, host: str | None) -> bool:
        """Nobody does."""
        return False


class AcceptedPath(Accepted, frozen=True, kw_only=True):
    """What the application keeps of an accepted request."""

    path: bytes


class Application:
    """Accepts all paths but `/no`; answers `/later` when told to, and others at once."""

    def __init__(self) -> None:
        self.answered: list[tuple[bytes, int]] = []
        self.later: list[Deferred[Reply]] = []
        self.struck: list[str] = []
        self.clock = Clock()
        self.site = HttpSite(
            self.judge,
            self.answer,
            Limits(),
            NoProxies(),
            lambda limit, who, address: self.struck.append(limit),
            self.clock,
            wall=lambda: 0,
        )

    def judge(self, head: RequestHead) -> AcceptedPath | Plain:
        """Decide by the path."""
        return (403, b"no") if head.path == b"/no" else AcceptedPath(1000, None, path=head.path)

    def answer(self, accepted: AcceptedPath, body: bytes) -> Plain | Deferred[Reply]:
        """Answer with the length of the body."""
        self.answered.append((accepted.path, len(body)))
        if accepted.path != b"/later":
            return 200, b"%d" % len(body)
        later: Deferred[Reply] = Deferred()
        self.later.append(later)
        return later

    def connect(self, *parts: bytes) -> Wire:
        """Send parts on a new connection."""
        wire = Wire("192.0.2.7")
        channel = self.site.buildProtocol(wire.getPeer())
        wire.channel = channel
        channel.makeConnection(wire)
        for part in parts:
            channel.dataReceived(part)
        return wire

    def pass_seconds(self, count: int) -> None:
        """Let the site check its deadlines so often."""
        for _ in range(count):
            self.site.check_deadlines()


@pytest.fixture
def app() -> Application:
    """A new application."""
    return Application()


def test_requests_are_answered_one_at_a_time(app: Application) -> None:
    """The second is not looked at, and nothing more is read, until the first is answered."""
    wire = app.connect(POST % (b"later", 1) + b"x" + POST % (b"a", 2) + b"xy")
    assert app.answered == [(b"/later", 1)]
    assert wire.producerState == "paused"
    assert wire.value() == b""
    app.later[0].callback((200, b"first"))
    assert app.answered == [(b"/later", 1), (b"/a", 2)]
    assert wire.value().index(b"first") < wire.value().index(b"\r\n\r\n2")
    assert wire.producerState == "producing"


def test_a_request_is_refused_by_its_head(app: Application) -> None:
    """The reply does not wait for the body, which is discarded, and the connection ends."""
    wire = app.connect(POST % (b"no", 100))
    assert wire.value().startswith(b"HTTP/1.1 403 ")
    assert not wire.closed
    wire.channel.dataReceived(b"x" * 100)
    assert wire.closed
    assert app.answered == []


def test_a_long_body_of_a_refused_request_is_not_read(app: Application) -> None:
    """The connection ends with the reply."""
    assert app.connect(POST % (b"no", 150_000)).closed


@pytest.mark.parametrize(
    ("sent", "status", "limit"),
    [
        (POST % (b"a", 200_001), 413, "body_bytes"),
        (CHUNKED + b"3e9\r\n" + b"x" * 1001 + b"\r\n", 413, "body_bytes"),
        (b"GET /a HTTP/1.1\r\nA: " + b"x" * 600 + b"\r\n\r\n", 400, "head_bytes"),
    ],
)
def test_what_exceeds_a_limit_is_refused(app: Application, sent, status: int, limit: str) -> None:
    """With its status; the limit is reported, and the application is not asked."""
    wire = app.connect(sent)
    assert wire.value().startswith(b"HTTP/1.1 %d " % status)
    assert wire.closed
    assert app.struck == [limit]
    assert app.answered == []


@pytest.mark.parametrize(
    ("sent", "ended_after", "limit"),
    [
        (b"", 11, "idle_seconds"),
        (b"GET /a HTTP/1.1\r\n", 11, "idle_seconds"),
    ],
)
def test_silence_ends_a_connection(app: Application, sent, ended_after: int, limit: str) -> None:
    """Not a second before its time."""
    wire = app.connect(sent)
    app.pass_seconds(ended_after - 1)
    assert not wire.closed
    app.pass_seconds(1)
    assert wire.closed
    assert app.struck == [limit]


def test_a_body_that_trickles_is_ended_in_time(app: Application) -> None:
    """It is never silent, and takes too long."""
    wire = app.connect(POST % (b"a", 100))
    for _ in range(30):
        wire.channel.dataReceived(b"x")
        app.pass_seconds(1)
    assert not wire.closed
    app.pass_seconds(1)
    assert wire.closed
    assert app.struck == ["request_seconds"]


def test_an_idle_connection_makes_way(app: Application) -> None:
    """One with a request in hand does not."""
    busy, idle = app.connect(POST % (b"later", 0)), app.connect()
    app.connect()
    app.connect(POST % (b"a", 0))
    assert idle.disconnected
    assert not busy.disconnected
    assert app.struck == ["connections"]


def test_a_file_is_read_in_parts_and_cut_where_it_cannot_be_read(app: Application) -> None:
    """The client sees that the file is incomplete, and the site has nothing in hand."""
    read: list[tuple[int, int]] = []

    async def part(start: int, end: int) -> bytes:
        read.append((start, end))
        if start:
            raise Interrupted
        return bytes(end - start)

    wire = app.connect(POST % (b"later", 0))
    app.later[0].callback(FileReply(200, b"A: b\r\n", 0, PART + 1, part))
    assert read == [(0, PART), (PART, PART + 1)]
    assert wire.disconnected
    assert wire.value().endswith(bytes(PART))
    assert app.site.in_hand == 0


def test_a_lost_connection_leaves_nothing(app: Application) -> None:
    """The site forgets it, and its address has its place again."""
    for _ in range(10):
        wire = app.connect(POST % (b"a", 0))
        assert wire.value().startswith(b"HTTP/1.1 200 ")
        wire.channel.connectionLost(Failure(ConnectionDone()))
        assert not app.site.channels


@pytest.mark.parametrize("reply", OWN_REPLIES)
def test_own_refusals_do_not_look_like_success(reply: Plain) -> None:
    """Clients take a reply that contains `OK` for success."""
    status, body = reply
    assert status >= 400
    assert b"OK" not in body
    assert body.endswith(b"\n")

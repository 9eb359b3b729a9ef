"""The channel of terminals: as strict as twisted.web, however the bytes come."""

from __future__ import annotations

import gc
import weakref

import pytest
import pytest_twisted
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from ..rig import TIMEOUT, Rig, Wire, everything, talk

LINE = b"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n"
UPLOAD = b"POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=1 HTTP/1.1\r\nHost: s\r\n"
POLL = b"GET /iclock/getrequest?SN=T1 HTTP/1.1\r\nHost: s\r\n"
CHUNKED = UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n"

CHUNKED_LINE = b"Transfer-Encoding: chunked\r\n\r\n20\r\n" + LINE + b"\r\n0\r\n\r\n"

AMBIGUOUS = {
    "two lengths": UPLOAD + b"Content-Length: 32\r\nContent-Length: 0\r\n\r\n" + LINE,
    "length and chunks": UPLOAD
    + b"Content-Length: 32\r\nTransfer-Encoding: chunked\r\n\r\n"
    + LINE,
    "chunks and length": UPLOAD
    + b"Transfer-Encoding: chunked\r\nContent-Length: 32\r\n\r\n"
    + LINE,
    "signed length": UPLOAD + b"Content-Length: +32\r\n\r\n" + LINE,
    "negative length": UPLOAD + b"Content-Length: -32\r\n\r\n" + LINE,
    "hexadecimal length": UPLOAD + b"Content-Length: 0x20\r\n\r\n" + LINE,
    "list of lengths": UPLOAD + b"Content-Length: 32, 32\r\n\r\n" + LINE,
    "unknown coding": UPLOAD + b"Transfer-Encoding: xchunked\r\n\r\n" + LINE,
    "space before colon": UPLOAD + b"Content-Length : 32\r\n\r\n" + LINE,
    "no colon": UPLOAD + b"Content-Length\r\n\r\n" + LINE,
    "nul in a header": POLL + b"X: a\x00b\r\n\r\n",
    "bad chunk size": CHUNKED + b"zz\r\n" + LINE + b"\r\n0\r\n\r\n",
    "no version": b"GET /iclock/getrequest?SN=T1\r\n\r\n",
    "unknown version": b"GET /iclock/getrequest?SN=T1 HTTP/3.0\r\n\r\n",
    "old version": b"GET /iclock/getrequest?SN=T1 HTTP/0.9\r\n\r\n",
    "no method": b" /iclock/getrequest?SN=T1 HTTP/1.1\r\n\r\n",
    "control in the target": b"GET /iclock/getrequest?SN=T1\x01 HTTP/1.1\r\nHost: s\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 4 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
@pytest_twisted.ensureDeferred
async def test_what_could_be_read_in_two_ways_is_refused(rig: Rig, name: str) -> None:
    """A request that a proxy might read otherwise ends the connection, and stores nothing."""
    await rig.exchange()
    written = await everything(rig.terminals, AMBIGUOUS[name] + POLL + b"\r\n")
    assert written.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 "))
    assert b"OK" not in written
    assert written.count(b"HTTP/1.1") == 1
    assert await rig.items("/attendance") == []


@pytest.mark.parametrize("rubbish", [b"\x00\xff rubbish\r\n\r\n", AMBIGUOUS["two lengths"]])
@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (POLL + b"\r\n", b"OK"),
        (UPLOAD + b"Content-Length: %d\r\n\r\n" % len(LINE) + LINE, b"OK: 1"),
        ((POLL + b"\r\n") * 2, b"OK"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_came_before_rubbish_is_answered(
    rig: Rig, request_: bytes, reply: bytes, rubbish: bytes
) -> None:
    """A good request is served also if the same read brings a bad one; then the connection ends."""
    await rig.exchange()
    written = await everything(rig.terminals, request_ + rubbish)
    assert written.startswith(b"HTTP/1.1 200 ")
    assert written.count(b"HTTP/1.1 200 ") == request_.count(b"HTTP/1.1")
    assert b"\r\n\r\n" + reply in written


@pytest_twisted.ensureDeferred
async def test_a_chunked_upload_is_stored(rig: Rig) -> None:
    """A body may come in chunks, cut anywhere."""
    await rig.exchange()
    chunks = b"5\r\n" + LINE[:5] + b"\r\n%x\r\n" % len(LINE[5:]) + LINE[5:] + b"\r\n0\r\n\r\n"
    assert (await talk(rig.terminals, CHUNKED + chunks)).body == b"OK: 1"


@pytest_twisted.ensureDeferred
async def test_the_reply_is_the_same_however_the_bytes_come(rig: Rig) -> None:
    """Requests cut into pieces of any size, or sent all at once, are answered alike."""
    await rig.exchange()
    raw = UPLOAD + b"Content-Length: %d\r\n\r\n" % len(LINE) + LINE
    raw += POLL + b"\r\n" + POLL + b"Connection: close\r\n\r\n"

    async def in_pieces(cuts: list[int]) -> bytes:
        wire = Wire("192.0.2.7")
        channel = rig.terminals.buildProtocol(wire.getPeer())
        channel.makeConnection(wire)
        for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
            channel.dataReceived(raw[start:end])
        while not wire.closed:
            await wire.changed()
        return wire.value()

    expected = await in_pieces([])
    assert expected.count(b"HTTP/1.1 200 ") == 3

    @settings(max_examples=60)
    @given(st.sets(st.integers(1, len(raw) - 1), max_size=30).map(sorted))
    def however_it_is_cut(cuts: list[int]) -> None:
        written = threads.blockingCallFromThread(
            reactor, lambda: Deferred.fromCoroutine(in_pieces(cuts))
        )
        assert written == expected

    await threads.deferToThread(however_it_is_cut)


@pytest_twisted.ensureDeferred
async def test_a_long_body_comes_in_many_reads(rig: Rig) -> None:
    """A body of a hundred kilobytes, in reads as sockets give them, is one request."""
    await rig.exchange()
    body = b"".join(b"%d\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n" % pin for pin in range(3000))
    raw = UPLOAD + b"Content-Length: %d\r\n\r\n" % len(body) + body + POLL + b"\r\n"
    for size in (1000, 30_000, 65_536):
        wire = Wire("192.0.2.7")
        channel = rig.terminals.buildProtocol(wire.getPeer())
        channel.makeConnection(wire)
        for start in range(0, len(raw), size):
            channel.dataReceived(raw[start : start + size])
        while not wire.value().endswith(b"\r\n\r\nOK"):
            await wire.changed()
        assert b"\r\n\r\nOK: 3000HTTP/1.1 200 " in wire.value()
        channel.connectionLost(Failure(ConnectionDone()))


@pytest_twisted.ensureDeferred
async def test_any_bytes_at_all_end_in_a_reply_or_in_waiting(rig: Rig) -> None:
    """No bytes make the server raise, and none are answered with success by chance."""
    await rig.exchange()

    @settings(max_examples=150)
    @given(st.binary(max_size=200), st.sampled_from([b"", POLL, UPLOAD, CHUNKED]))
    def anything(rubbish: bytes, before: bytes) -> None:
        def feed() -> bytes:
            wire = Wire("192.0.2.7")
            channel = rig.terminals.buildProtocol(wire.getPeer())
            channel.makeConnection(wire)
            channel.dataReceived(before + rubbish)
            channel.connectionLost(Failure(ConnectionDone()))
            return wire.value()

        written = threads.blockingCallFromThread(reactor, feed)
        assert written == b"" or written.startswith((b"HTTP/1.1 ", b"HTTP/1.0 "))

    await threads.deferToThread(anything)


@pytest_twisted.ensureDeferred
async def test_a_header_without_end_is_cut_off(rig: Rig) -> None:
    """A head of more than 16 KiB is refused, in one header or in many."""
    for raw in (
        POLL + b"X: " + b"a" * 20_000,
        POLL + b"A: b\r\n" * 4_000,
        b"GET /" + b"a" * 20_000,
    ):
        written = await everything(rig.terminals, raw + b"\r\n\r\n")
        assert written.startswith(b"HTTP/1.1 400 ")
        assert b"OK" not in written


@pytest_twisted.ensureDeferred
async def test_a_chunk_larger_than_any_number_is_refused(rig: Rig) -> None:
    """The size of a chunk is looked at before any of it comes."""
    await rig.exchange()
    written = await everything(rig.terminals, CHUNKED + b"f" * 40 + b"\r\n")
    assert written.startswith(b"HTTP/1.1 400 ")


@pytest_twisted.ensureDeferred
async def test_a_head_that_comes_in_drops_is_cut_off(rig: Rig) -> None:
    """An endless header is refused when it is too long, not when memory is out."""
    wire = Wire("192.0.2.7")
    channel = rig.terminals.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    channel.dataReceived(POLL + b"X: ")
    sent = 0
    while not wire.value():
        channel.dataReceived(b"a" * 1000)
        sent += 1000
    assert sent <= 17_000
    assert wire.value().startswith(b"HTTP/1.1 400 ")


@pytest_twisted.ensureDeferred
async def test_a_silent_connection_is_ended(rig: Rig) -> None:
    """A connection that says nothing for a minute is closed; one that waits for us is not."""
    await rig.exchange()
    rig.terminals.ticking.startService()
    wire = Wire("192.0.2.7")
    channel = rig.terminals.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    channel.dataReceived(POLL)
    for _ in range(59):
        rig.clock.advance(1)
    assert not wire.disconnecting
    for _ in range(3):
        rig.clock.advance(1)
    assert wire.disconnecting
    await rig.terminals.ticking.stopService()


@pytest_twisted.ensureDeferred
async def test_a_head_request_gets_no_body(rig: Rig) -> None:
    """HEAD is not a method of any path, and its refusal has no body."""
    await rig.exchange()
    raw = POLL.replace(b"GET", b"HEAD") + b"Connection: close\r\n\r\n"
    written = await everything(rig.terminals, raw)
    head, _, body = written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 405 ")
    assert body == b""


@pytest_twisted.ensureDeferred
async def test_a_wish_for_another_protocol_is_not_granted(rig: Rig) -> None:
    """A request with Upgrade is answered as the request it is."""
    await rig.exchange()
    raw = POLL + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    response = await talk(rig.terminals, raw)
    assert response.body == b"OK"


@pytest.mark.parametrize("body", [b"Content-Length: 32\r\n\r\n" + LINE, CHUNKED_LINE])
@pytest_twisted.ensureDeferred
async def test_an_upload_that_wishes_for_another_protocol_is_refused(rig: Rig, body: bytes) -> None:
    """400: the HTTP parser does not read such a body, so that an OK would lose its records."""
    await rig.exchange()
    raw = UPLOAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + body
    written = await everything(rig.terminals, raw)
    assert written.startswith(b"HTTP/1.1 400 ")
    assert b"OK" not in written


def uploading(rig: Rig, wire: Wire) -> Protocol:
    """A connection on which a record has come."""
    connection = rig.terminals.buildProtocol(wire.getPeer())
    connection.makeConnection(wire)
    connection.dataReceived(UPLOAD + b"Content-Length: %d\r\n\r\n" % len(LINE) + LINE)
    return connection


@pytest_twisted.ensureDeferred
async def test_a_connection_that_is_lost_while_its_data_is_stored_hurts_nobody(rig: Rig) -> None:
    """The record is stored all the same, and the next connection is served."""
    await rig.exchange()
    wire = Wire("192.0.2.7")
    uploading(rig, wire).connectionLost(Failure(ConnectionDone()))
    assert (await rig.get("getrequest?SN=T1")).body == b"OK"
    assert len(await rig.items("/attendance")) == 1
    assert wire.value() == b""


class Unwritable(Wire):
    """A connection whose transport is at fault, after some replies."""

    def __init__(self, address: str, good: int) -> None:
        super().__init__(address)
        self._good = good

    def write(self, data: bytes) -> None:
        self._good -= 1
        if self._good < 0:
            raise RuntimeError("a mistake in the transport")
        super().write(data)


@pytest.mark.parametrize("good", [0, 1])
@pytest_twisted.ensureDeferred
async def test_a_reply_that_cannot_be_written_holds_up_nobody(rig: Rig, good: int) -> None:
    """Its connection is cut, whether the reply is one that was waited for, or the next one.

    When the daemon stops, it does not wait for that request.
    """
    await rig.exchange()
    await rig.get("getrequest?SN=T1")
    wire = Unwritable("192.0.2.7", good)
    connection = uploading(rig, wire)
    connection.dataReceived(POLL + b"\r\n")
    assert len(await rig.items("/attendance")) == 1
    assert wire.closed
    connection.connectionLost(Failure(ConnectionDone()))
    await Deferred.fromCoroutine(rig.terminals.drain()).addTimeout(TIMEOUT, reactor)


@pytest_twisted.ensureDeferred
async def test_a_connection_leaves_nothing_to_the_garbage_collector(rig: Rig) -> None:
    """When it has ended, all of it is gone at once: the collector seldom looks."""
    await rig.exchange()
    await rig.get("getrequest?SN=T1")
    wire = Wire("192.0.2.7")
    channel = rig.terminals.buildProtocol(wire.getPeer())
    gone = weakref.ref(channel)
    gc.disable()
    try:
        channel.makeConnection(wire)
        channel.dataReceived(POLL + b"\r\n")
        channel.connectionLost(Failure(ConnectionDone()))
        del channel
        assert gone() is None
    finally:
        gc.enable()


@pytest_twisted.ensureDeferred
async def test_only_a_method_becomes_capitals(rig: Rig) -> None:
    """A read that begins with a short word in the middle of a header leaves it as it is."""
    await rig.exchange("abc")
    await rig.get("getrequest?SN=abc")
    raw = POLL.replace(b"SN=T1", b"SN=abc").replace(b"GET", b"Get") + b"Connection: close\r\n\r\n"
    for cut in range(1, len(raw)):
        wire = Wire("192.0.2.7")
        channel = rig.terminals.buildProtocol(wire.getPeer())
        channel.makeConnection(wire)
        channel.dataReceived(raw[:cut])
        channel.dataReceived(raw[cut:])
        assert wire.value().endswith(b"\r\n\r\nOK"), cut
        channel.connectionLost(Failure(ConnectionDone()))
    assert [item["sn"] for item in await rig.items("/devices")] == ["abc"]

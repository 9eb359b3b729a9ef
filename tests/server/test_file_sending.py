"""Files on their way to terminals: in parts, as they are taken, and to the end or not at all."""

from __future__ import annotations

import base64
import hashlib
import tracemalloc

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from zkpush.http.sending import PART
from zkpush.interfaces import StoreError
from zkpush.resources.serving import MOST_TARGETS

from ..rig import Response, Rig, everything, talk
from .files import Lazy, by_url, fetch, request, upgrade

LONG = hashlib.shake_128(b"firmware").digest(5 * PART + 1234)
POLL = request("getrequest?SN=T1")


async def ready(make_rig, tmp_path, content: bytes = LONG, form: int = 2) -> Rig:
    """A daemon with a database file, a terminal, and a file that it is to fetch."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'db.sqlite'}")
    await rig.exchange()
    rig.target = by_url(await upgrade(rig, content, form))
    return rig


def connect(rig: Rig, raw: bytes):
    """A connection that has sent a request and reads nothing by itself."""
    wire = Lazy("192.0.2.7")
    channel = rig.terminals.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    channel.dataReceived(raw)
    return wire, channel


def lost(wire: Lazy, channel) -> None:
    """The other side has gone."""
    if wire.producer is not None:
        wire.producer.stopProducing()
    channel.connectionLost(Failure(ConnectionDone()))


async def settled(wire: Lazy) -> None:
    """Wait until the wire holds what it takes of a file."""
    while not wire.is_full:
        await wire.changed()


async def looked(rig: Rig) -> None:
    """Let the reactor turn, and whatever is read of the store meanwhile come back."""
    for _ in range(20):
        await rig.store.read(lambda tx: None)
        await deferLater(reactor, 0)


async def reply(wire: Lazy) -> Response:
    """Read until a reply is whole, or the end."""
    data = wire.take()
    while not wire.closed:
        if b"\r\n\r\n" in data:
            found = Response(data)
            if len(found.body) == int(found.header(b"Content-Length")):
                break
        if not wire.value():
            await wire.changed()
        data += wire.take()
    return Response(data)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("form", [1, 2])
@pytest_twisted.ensureDeferred
async def test_a_long_file_arrives_whole(make_rig, tmp_path, form: int, version: str) -> None:
    """Also in base64, and also for HTTP/1.0."""
    rig = await ready(make_rig, tmp_path, form=form)
    expected = base64.b64encode(LONG) if form == 1 else LONG
    target = rig.target
    raw = request(target, "Connection: close", version=version)
    response = Response(await everything(rig.terminals, raw))
    assert response.raw.startswith(b"HTTP/%b 200 " % version.encode())
    assert response.body == expected
    assert int(response.header(b"Content-Length")) == len(expected)
    part = request(target, "Connection: close", f"Range: bytes={PART - 5}-{3 * PART}")
    assert Response(await everything(rig.terminals, part)).body == expected[PART - 5 : 3 * PART + 1]


@pytest_twisted.ensureDeferred
async def test_who_does_not_read_gets_one_part(make_rig, tmp_path) -> None:
    """What has not left holds up what is read next: a connection holds one part of a file."""
    rig = await ready(make_rig, tmp_path)
    parts: list[int] = []
    read = rig.store.read

    async def counted(query):
        found = await read(query)
        if isinstance(found, bytes):
            parts.append(len(found))
        return found

    rig.store.read = counted
    wire, channel = connect(rig, request(rig.target))
    await settled(wire)
    await looked(rig)
    assert parts == [1, PART]
    assert len(wire.value()) < PART + 1024
    assert wire.most < PART + 1024
    assert (await reply(wire)).body == LONG
    assert wire.most < PART + 1024
    assert max(parts) == PART
    lost(wire, channel)


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_fleet_holds_little_of_a_long_file(make_rig, tmp_path) -> None:
    """Two hundred terminals that fetch 20 MB and do not read cost a part each, not the file."""
    content = hashlib.shake_128(b"fleet").digest(20_000_000)
    rig = await ready(make_rig, tmp_path, content)
    del content
    listening = reactor.listenTCP(0, rig.terminals, interface="127.0.0.1")
    arrived: list[Deferred[None]] = []

    class Terminal(Protocol):
        def connectionMade(self) -> None:
            self.transport.write(request(rig.target))

        def dataReceived(self, data: bytes) -> None:
            self.transport.pauseProducing()
            if arrived:
                arrived.pop().callback(None)

    class Fleet(ClientFactory):
        protocol = Terminal
        noisy = False

    waiting = [Deferred() for _ in range(200)]
    arrived.extend(waiting)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    connectors = [
        reactor.connectTCP("127.0.0.1", listening.getHost().port, Fleet()) for _ in waiting
    ]
    for terminal in waiting:
        await terminal
    await deferLater(reactor, 0.5)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (most - before) / 200 < 3 * PART
    # Who only polls is served meanwhile.
    assert (await rig.get("getrequest?SN=T1")).status == 200
    for connector in connectors:
        connector.disconnect()
    await listening.stopListening()
    await deferLater(reactor, 0.2)


@pytest_twisted.ensureDeferred
async def test_requests_behind_a_file_wait_for_it(make_rig, tmp_path) -> None:
    """Pipelined requests are answered in their order, and the connection goes on."""
    rig = await ready(make_rig, tmp_path)
    await rig.get("getrequest?SN=T1")
    close = request("getrequest?SN=T1", "Connection: close")
    written = await everything(rig.terminals, POLL + request(rig.target) + POLL + close)
    first, second, rest = written.split(b"HTTP/1.1 200 OK\r\n", 3)[1:]
    assert first.endswith(b"\r\n\r\nOK")
    assert second.partition(b"\r\n\r\n")[2] == LONG
    assert rest.count(b"\r\n\r\nOK") == 2


@pytest_twisted.ensureDeferred
async def test_a_connection_serves_files_and_polls_in_turn(make_rig, tmp_path) -> None:
    """Keep-alive holds after a file, also after the refusal of a range."""
    rig = await ready(make_rig, tmp_path)
    wire, channel = connect(rig, request(rig.target))
    assert (await reply(wire)).body == LONG
    for raw, status in (
        (request(rig.target, "Range: bytes=99999999-"), 416),
        (request(rig.target, "Range: bytes=7-8"), 206),
        (POLL, 200),
    ):
        channel.dataReceived(raw)
        assert (await reply(wire)).status == status
    lost(wire, channel)


@pytest_twisted.ensureDeferred
async def test_a_connection_that_is_lost_in_the_middle_costs_nothing(make_rig, tmp_path) -> None:
    """No more is read of the file, nothing is logged as a failure, and others are served."""
    rig = await ready(make_rig, tmp_path)
    for delay in (0, 0.05, 0.3):
        wire, channel = connect(rig, request(rig.target))
        await deferLater(reactor, delay)
        lost(wire, channel)
        await looked(rig)
        assert len(wire.value()) < PART + 1024
    assert (await fetch(rig, rig.target)).body == LONG


@pytest.mark.parametrize("harm", ["missing", "cut"])
@pytest_twisted.ensureDeferred
async def test_a_file_that_is_not_on_disk_is_not_promised(make_rig, tmp_path, harm: str) -> None:
    """503 and a log line, instead of a reply that never ends."""
    rig = await ready(make_rig, tmp_path)
    (place,) = (path for path in tmp_path.rglob("*-pictures/*/*") if path.is_file())
    if harm == "missing":
        place.unlink()
    else:
        place.write_bytes(LONG[:-1])
    for method in ("GET", "HEAD"):
        raw = request(rig.target, "Connection: close", method=method)
        response = Response(await everything(rig.terminals, raw))
        assert response.status == 503
        assert b"OK" not in response.raw
    assert (await rig.api("GET", "/files/1/content")).status == 503
    assert (await rig.api("GET", "/files/1")).status == 200


@pytest.mark.parametrize("error", [LookupError("gone"), StoreError("the database is gone")])
@pytest_twisted.ensureDeferred
async def test_a_file_that_fails_in_the_middle_ends_the_connection(
    make_rig, tmp_path, error: Exception
) -> None:
    """The terminal sees less than was promised, and no end that could be taken for one."""
    rig = await ready(make_rig, tmp_path)
    wire, _ = connect(rig, request(rig.target) + POLL)
    await settled(wire)

    async def broken(query):
        raise error

    rig.store.read = broken
    cut = await reply(wire)
    assert wire.closed
    assert len(cut.body) == PART


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_stops_reading_is_given_up(make_rig, tmp_path) -> None:
    """After five minutes without a byte; not one that reads slowly, and not at a minute."""
    rig = await ready(make_rig, tmp_path)
    rig.terminals.ticking.startService()
    wire, channel = connect(rig, request(rig.target))
    await settled(wire)
    rig.clock.pump([1] * 280)
    wire.take()
    await settled(wire)
    rig.clock.pump([1] * 280)
    assert not wire.closed
    rig.clock.pump([1] * 30)
    assert wire.closed
    lost(wire, channel)
    await looked(rig)
    assert rig.terminals.in_hand == 0
    await rig.terminals.ticking.stopService()


@pytest_twisted.ensureDeferred
async def test_a_file_on_its_way_is_finished_when_the_daemon_stops(make_rig, tmp_path) -> None:
    """The daemon waits for it; then the connection ends."""
    rig = await ready(make_rig, tmp_path)
    wire, channel = connect(rig, request(rig.target))
    await settled(wire)
    draining = Deferred.fromCoroutine(rig.terminals.drain())
    assert (await reply(wire)).body == LONG
    while not wire.closed:
        await wire.changed()
    lost(wire, channel)
    await _turned(rig, draining)


@pytest_twisted.ensureDeferred
async def test_a_file_that_nobody_reads_does_not_hold_up_the_end(make_rig, tmp_path) -> None:
    """After a few seconds the connection is cut; the terminal fetches the rest another time."""
    rig = await ready(make_rig, tmp_path)
    wire, _ = connect(rig, request(rig.target))
    await settled(wire)
    draining = Deferred.fromCoroutine(rig.terminals.drain())
    await _turned(rig, draining)
    assert wire.closed
    assert len(wire.value()) < PART + 1024


@pytest_twisted.ensureDeferred
async def test_no_file_is_begun_when_the_daemon_stops(make_rig, tmp_path) -> None:
    """A request that is in hand then is told to come again."""
    rig = await ready(make_rig, tmp_path)
    wire, channel = connect(rig, request(rig.target))
    draining = Deferred.fromCoroutine(rig.terminals.drain())
    while not wire.value():
        await wire.changed()
    response = Response(wire.value())
    assert (response.status, b"OK" in response.raw) == (503, False)
    lost(wire, channel)
    await _turned(rig, draining)


async def _turned(rig: Rig, waiting: Deferred[None]) -> None:
    """Turn the clock until something has come to its end."""
    for _ in range(300):
        if waiting.called:
            break
        rig.clock.advance(0.05)
        await deferLater(reactor, 0.002)
    assert waiting.called
    await waiting


@pytest_twisted.ensureDeferred
async def test_paths_of_files_are_not_remembered(rig: Rig) -> None:
    """There are endless ones, and they would crowd out those of polls."""
    await rig.exchange()
    for number in range(MOST_TARGETS):
        rig.clock.advance(0.1)  # refusals are paced
        await fetch(rig, f"file/{number}/x")
    find, asked = rig.terminals.gate.paths.find, []

    def counted(path: bytes):
        asked.append(path)
        return find(path)

    rig.terminals.gate.paths.find = counted
    for _ in range(3):
        assert (await rig.get("getrequest?SN=T1")).status == 200
    assert len(asked) == 1


@pytest_twisted.ensureDeferred
async def test_a_file_is_served_wherever_it_is_kept(make_rig, postgres_url) -> None:
    """On PostgreSQL its parts come from the database."""
    rig = await make_rig(database=postgres_url)
    await rig.exchange()
    response = await talk(rig.terminals, request(by_url(await upgrade(rig, LONG, form=1))))
    assert base64.b64decode(response.body) == LONG

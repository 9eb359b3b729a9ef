"""The management listener is as strict as that of terminals, and never takes anything from them."""

from __future__ import annotations

import http.client
import pathlib
import socket
import time
from collections.abc import Iterator

import pytest
import pytest_twisted
from twisted.internet import reactor, task
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from zkpush.device.refusals import Refusal
from zkpush.protocol.fields import Scope

from ..daemon.process import Daemon
from ..rig import TOKEN, Response, Rig, Wire, talk
from ..server.sse import Listening

AUTH = f"Authorization: Bearer {TOKEN}"
MEGABYTE = 1024 * 1024
LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
ATTEMPTS = 300
"""Sockets of an attacker."""


class Person:
    """One connection to the management site, byte by byte."""

    def __init__(self, rig: Rig, address: str = "192.0.2.7", wire: Wire | None = None) -> None:
        self.wire = wire or Wire(address)
        self.channel = rig.manage.buildProtocol(self.wire.getPeer())
        self.channel.makeConnection(self.wire)

    def send(self, *lines: str, body: bytes = b"") -> Person:
        """Send a whole head, and perhaps a part of the body."""
        return self.bytes("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def bytes(self, data: bytes) -> Person:
        """Send bytes."""
        self.channel.dataReceived(data)
        return self

    async def status(self) -> int:
        """The status of the reply."""
        while b"\r\n\r\n" not in self.wire.value():
            await self.wire.changed()
        return Response(self.wire.value()).status

    @property
    def is_cut(self) -> bool:
        """Whether the server has ended the connection."""
        return self.wire.closed or self.wire.disconnecting or self.wire.disconnected

    def leave(self) -> None:
        """Hang up."""
        self.channel.connectionLost(Failure(ConnectionDone()))

    def get(self, path: str, *headers: str) -> Person:
        """Ask for something."""
        return self.send(f"GET {path} HTTP/1.1", "Host: s", *headers)


async def a_turn() -> None:
    """Let the reactor run once."""
    await task.deferLater(reactor, 0)


# What is refused before the body is read.

CHUNKED = "Transfer-Encoding: chunked"
REFUSED = {
    "no token": ("POST /api/v1/tokens", "", 401),
    "wrong token": ("POST /api/v1/files?name=a", "Authorization: Bearer wrong", 401),
    "no scope": ("POST /api/v1/files?name=a", "reader", 403),
    "no path": ("POST /api/v1/nothing", AUTH, 404),
    "no path, no token": ("POST /nothing", "", 404),
    "wrong method": ("POST /api/v1/devices", AUTH, 405),
    "too large": ("PATCH /api/v1/devices/T1", AUTH, 413),
    "too large file": ("POST /api/v1/files?name=a", AUTH, 413),
    "body where none is": ("GET /health", "", 413),
    "body where none is taken": ("GET /api/v1/devices", AUTH, 413),
}


@pytest.mark.parametrize("expect", ["", "Expect: 100-continue"])
@pytest.mark.parametrize(
    ("name", "framing"),
    [
        *((name, "Content-Length: 5000000") for name in REFUSED),
        # How long a chunked body is shows later.
        *((name, CHUNKED) for name, (_, _, status) in REFUSED.items() if status != 413),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_request_is_refused_at_its_head(
    make_rig, name: str, framing: str, expect: str
) -> None:
    """The answer comes before the body, and before `100 Continue`; what comes then is dropped."""
    rig = await make_rig(limits={"file_bytes": 2_000_000})
    target, authorization, status = REFUSED[name]
    if authorization == "reader":
        authorization = f"Authorization: Bearer {await rig.token('reader', Scope.READ)}"
    headers = [each for each in (authorization, framing, expect) if each]
    person = Person(rig).send(f"{target} HTTP/1.1", "Host: s", *headers)
    assert await person.status() == status
    head, _, body = person.wire.value().partition(b"\r\n\r\n")
    assert b"100 Continue" not in head
    assert b"\r\nConnection: close" in head
    assert b"\r\nContent-Type: application/problem+json" in head
    assert f"\r\nContent-Length: {len(body)}".encode() in head
    assert (b"\r\nWWW-Authenticate: Bearer" in head) is (status == 401)
    before = person.wire.value()
    person.bytes(bytes(64 * 1024)).bytes(b"\r\n\r\nGET /health HTTP/1.1\r\nHost: s\r\n\r\n")
    await a_turn()
    assert person.wire.value() == before
    assert all(len(request.content.getvalue()) == 0 for request in person.channel.requests)
    rig.clock.advance(3)
    assert person.is_cut


@pytest.mark.parametrize("is_known", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_body_is_asked_for_once_it_is_admitted(rig: Rig, is_known: bool) -> None:
    """`Expect: 100-continue` is answered when the token is good; one of another node, too."""
    made = rig.token if is_known else rig.token_of_another_node
    token = await made("ops", Scope.WRITE, Scope.DANGEROUS)
    person = Person(rig).send(
        *("POST /api/v1/files?name=a HTTP/1.1", "Host: s", "Expect: 100-continue"),
        *(f"Authorization: Bearer {token}", "Content-Length: 7"),
    )
    assert await person.status() == 100
    person.bytes(b"content")
    while b"201" not in person.wire.value():
        await person.wire.changed()
    assert len(await rig.items("/files")) == 1


@pytest.mark.parametrize("chunk", [b"x" * 400_000, b"x" * 2_000_000])
@pytest_twisted.ensureDeferred
async def test_a_chunked_body_is_refused_when_it_is_too_large(rig: Rig, chunk: bytes) -> None:
    """The part that is too much ends the request, and it is never answered as if it were whole."""
    part = b"%x\r\n%b\r\n" % (len(chunk), chunk)
    head = ("PATCH /api/v1/devices/T1 HTTP/1.1", "Host: s", AUTH, "Transfer-Encoding: chunked")
    person = Person(rig).send(*head, body=part * 4 + b"0\r\n\r\n")
    assert await person.status() == 413
    await a_turn()
    assert person.wire.value().count(b"HTTP/1.1 ") == 1


@pytest_twisted.ensureDeferred
async def test_a_body_on_a_path_that_takes_none_is_ignored_if_it_is_short(rig: Rig) -> None:
    """Some clients send `{}` with everything."""
    await rig.exchange()
    assert (await rig.api("DELETE", "/devices/T1", {})).status == 204


@pytest_twisted.ensureDeferred
async def test_one_connection_serves_one_request_after_the_other(rig: Rig) -> None:
    """Requests with and without bodies, in one piece and byte by byte, keep their order."""
    await rig.exchange()
    body = b'{"alias": "Gate 4"}'
    patch = f"PATCH /api/v1/devices/T1 HTTP/1.1\r\n{AUTH}\r\n"
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    requests = [
        f"GET /api/v1/devices/T1 HTTP/1.1\r\n{AUTH}\r\n\r\n".encode(),
        f"{patch}Content-Length: {len(body)}\r\n\r\n".encode() + body,
        f"{patch}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks,
        b"GET /health HTTP/1.1\r\n\r\n",
    ] * 3
    stream = b"".join(requests)
    for size in (1, 7, 100, len(stream)):
        person = Person(rig)
        for place in range(0, len(stream), size):
            person.bytes(stream[place : place + size])
        while person.wire.value().count(b"HTTP/1.1 200 OK") < len(requests):
            await person.wire.changed()
        person.leave()


# Deadlines.


@pytest_twisted.ensureDeferred
async def test_a_head_has_a_deadline_however_it_trickles(rig: Rig) -> None:
    """A byte a second does not keep a connection open."""
    person = Person(rig)
    for byte in f"GET /api/v1/devices HTTP/1.1\r\n{AUTH}\r\n".encode()[:50]:
        person.bytes(bytes([byte]))
        rig.clock.advance(1)
        assert not person.is_cut
    for _ in range(15):
        person.bytes(b"x")
        rig.clock.advance(1)
    assert await person.status() == 408
    assert person.is_cut


@pytest_twisted.ensureDeferred
async def test_a_body_has_a_deadline_however_it_trickles(make_rig) -> None:
    """Even with a good token, a request has to come whole in time."""
    rig = await make_rig(limits={"request_seconds": 100})
    head = ("PATCH /api/v1/devices/T1 HTTP/1.1", AUTH, "Content-Length: 1000")
    person = Person(rig).send(*head)
    for _ in range(99):
        rig.clock.advance(1)
        person.bytes(b" ")
    assert person.wire.value() == b""
    rig.clock.advance(1)
    assert await person.status() == 408
    rig.clock.advance(3)
    assert person.is_cut


@pytest.mark.parametrize("begins", [b"", b"GET", f"GET /health HTTP/1.1\r\n{AUTH}".encode()])
@pytest_twisted.ensureDeferred
async def test_a_silent_connection_ends(rig: Rig, begins: bytes) -> None:
    """So does one that is silent from the beginning, and one that stops in the middle of a head."""
    person = Person(rig)
    if begins:
        person.bytes(begins)
    rig.clock.advance(59)
    assert not person.is_cut
    rig.clock.advance(4)
    assert person.is_cut


@pytest_twisted.ensureDeferred
async def test_an_idle_connection_ends_between_requests(rig: Rig) -> None:
    """A connection that has been served may stay as long as any other that is silent."""
    person = Person(rig).get("/api/v1/devices", AUTH)
    assert await person.status() == 200
    rig.clock.advance(61)
    assert person.is_cut


@pytest_twisted.ensureDeferred
async def test_a_reply_that_nobody_takes_ends(make_rig) -> None:
    """A reader that takes nothing is cut after `limits.stalled_seconds`, and not before."""
    rig = await make_rig(limits={"stalled_seconds": 200})
    person = Person(rig).get("/api/v1/devices", AUTH)
    assert await person.status() == 200
    person.channel.pauseProducing()  # as a socket does that is full
    rig.clock.advance(199)
    assert not person.is_cut
    rig.clock.advance(1)
    assert person.is_cut
    other = Person(rig).get("/api/v1/devices", AUTH)
    assert await other.status() == 200
    other.channel.pauseProducing()
    rig.clock.advance(150)
    other.channel.resumeProducing()
    rig.clock.advance(55)
    assert not other.is_cut


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 20_000,
        b"GET /health HTTP/1.1\r\nX: " + b"a" * 20_000,
        b"GET /health HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n",
        b"GET /health HTTP/1.1\r\n" + b"X: %b\r\n" % (b"a" * 1000) * 20 + b"\r\n",
        b"GET /health HTTP/1.1\r\nX: a\r\n" + b" a\r\n" * 9_000,
    ],
    ids=["target", "header", "headers", "head", "folded"],
)
@pytest_twisted.ensureDeferred
async def test_a_head_has_a_size(rig: Rig, head: bytes) -> None:
    """A head that is too long is refused, and the connection ends."""
    person = Person(rig)
    for place in range(0, len(head), 1000):
        if not person.is_cut:
            person.bytes(head[place : place + 1000])
    assert await person.status() in (400, 431)
    rig.clock.advance(3)
    assert person.is_cut


@pytest.mark.parametrize("digits", [20, 5_000])
@pytest_twisted.ensureDeferred
async def test_a_length_of_too_many_digits_is_refused(rig: Rig, digits: int) -> None:
    """It gets an answer, and is no error of the server."""
    person = Person(rig).send("POST /api/v1/tokens HTTP/1.1", f"Content-Length: {'9' * digits}")
    assert await person.status() == 400
    assert person.is_cut


# Connections.


@pytest_twisted.ensureDeferred
async def test_the_oldest_stranger_makes_way(make_rig) -> None:
    """When there are too many, those go first that have shown no token and do nothing."""
    rig = await make_rig(limits={"manage_connections": 6})
    known = Person(rig).get("/api/v1/devices", AUTH)
    assert await known.status() == 200
    streams = [await Listening(rig).begun() for _ in range(2)]
    strangers = [Person(rig, f"198.51.100.{number}").bytes(b"GET /health") for number in range(20)]
    assert [person.is_cut for person in strangers] == [True] * 17 + [False] * 3
    assert not known.is_cut
    assert not any(stream.wire.disconnected for stream in streams)
    assert (await rig.api("GET", "/devices")).status == 200
    assert len(rig.manage.connections) <= 6


@pytest_twisted.ensureDeferred
async def test_an_idle_connection_makes_way_before_a_request_is_turned_away(make_rig) -> None:
    """Keeping connections open shuts nobody out, also with a token."""
    rig = await make_rig(limits={"manage_connections": 4})
    known = [Person(rig).get("/api/v1/devices", AUTH) for _ in range(4)]
    for person in known:
        assert await person.status() == 200
    assert (await rig.api("GET", "/health", headers=(), prefix="")).status == 200
    assert [person.is_cut for person in known] == [True, False, False, False]


@pytest_twisted.ensureDeferred
async def test_requests_in_hand_are_never_cut(make_rig) -> None:
    """If everybody is being served, the newcomer is turned away; it is counted."""
    rig = await make_rig(limits={"manage_connections": 4, "event_streams": 3})
    streams = [await Listening(rig).begun() for _ in range(3)]
    body = Person(rig).send("POST /api/v1/tokens HTTP/1.1", AUTH, "Content-Length: 10")
    await a_turn()
    newcomers = [Person(rig) for _ in range(3)]
    assert not any(stream.wire.disconnected for stream in streams)
    assert [person.is_cut for person in (body, *newcomers)] == [False, True, True, True]
    figures = rig.daemon.refusals.counts
    assert figures[Refusal.MANAGE_CONNECTIONS] == 3


@pytest_twisted.ensureDeferred
async def test_one_address_has_a_share(make_rig) -> None:
    """One address makes way for itself, and keeps nobody else out."""
    limits = {"manage_connections": 8, "manage_connections_per_address": 3}
    rig = await make_rig(limits=limits, proxies={"trusted": ["203.0.113.1"]})
    other = Person(rig, "198.51.100.1")
    many = [Person(rig, "198.51.100.2") for _ in range(9)]
    assert [person.is_cut for person in many] == [True] * 6 + [False] * 3
    assert not other.is_cut
    proxied = [Person(rig, "203.0.113.1") for _ in range(4)]
    assert not any(person.is_cut for person in (*proxied, other))


@pytest_twisted.ensureDeferred
async def test_places_are_free_again(make_rig) -> None:
    """Connections that end are not counted any more, however they end."""
    rig = await make_rig(limits={"manage_connections": 4})
    for _ in range(3):
        people = [Person(rig) for _ in range(6)]
        for person in people:
            person.leave()
        assert len(rig.manage.connections) == 0


@pytest_twisted.ensureDeferred
async def test_there_are_only_so_many_readers_of_events(make_rig) -> None:
    """One more is asked to try later; when another goes there is room."""
    rig = await make_rig(limits={"event_streams": 2})
    first, second = [await Listening(rig).begun() for _ in range(2)]
    refused = await rig.api("GET", "/events")
    assert refused.status == 503
    assert "limits.event_streams" in refused.json["detail"]
    first.hang_up()
    await Listening(rig).begun()
    assert not second.wire.disconnected


@pytest_twisted.ensureDeferred
async def test_readers_of_events_leave_room_for_others(make_rig) -> None:
    """However many streams are configured, a quarter of the connections is for other requests."""
    rig = await make_rig(limits={"event_streams": 100, "manage_connections": 8})
    for _ in range(6):
        await Listening(rig).begun()
    assert (await rig.api("GET", "/events")).status == 503
    assert (await rig.api("GET", "/devices")).status == 200


# Whose address it is.

PROXY, INNER, CLIENT, INVENTED = "192.0.2.1", "10.0.0.7", "203.0.113.5", "198.51.100.66"
TRUSTED = {"trusted": [PROXY, "10.0.0.0/8"]}


async def recorded(rig: Rig, *headers: str, peer: str) -> str:
    """The detail of the audit record of a change that came with some headers."""
    body = b'{"alias": "Gate 4"}'
    head = ["PUT /api/v1/devices/T1 HTTP/1.1", AUTH, f"Content-Length: {len(body)}", *headers]
    raw = "\r\n".join(head).encode() + b"\r\n\r\n" + body
    response = await talk(rig.manage, raw, peer)
    assert response.status == 200, response.raw
    return [item["detail"] for item in await rig.items("/audit")][-1]


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        (PROXY, [f"X-Forwarded-For: {CLIENT}"], CLIENT),
        (PROXY, [f"X-Forwarded-For: {INVENTED}, {CLIENT}"], CLIENT),
        (PROXY, [f"X-Forwarded-For: {INVENTED}", f"x-forwarded-for: {CLIENT}, {INNER}"], CLIENT),
        (PROXY, ["X-Forwarded-For: [2001:DB8::5]:443"], "2001:db8::5"),
        (PROXY, [], PROXY),
        (CLIENT, [f"X-Forwarded-For: {INVENTED}"], CLIENT),
        (CLIENT, [f"X-Forwarded-For: {INVENTED}, {PROXY}"], CLIENT),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_audit_log_names_the_client_behind_a_trusted_proxy(
    make_rig, peer: str, headers: list[str], client: str
) -> None:
    """Who is named is the client; what an untrusted peer says of others is ignored."""
    rig = await make_rig(proxies=TRUSTED)
    assert (await recorded(rig, *headers, peer=peer)).endswith(f"by API from {client}")


@pytest_twisted.ensureDeferred
async def test_refusals_name_the_client_behind_a_trusted_proxy(make_rig) -> None:
    """Who comes without a token is recorded by their own address, at the head and after it."""
    rig = await make_rig(proxies=TRUSTED)
    forwarded = f"X-Forwarded-For: {CLIENT}"
    for framing in ("Content-Length: 0", "Content-Length: 5"):
        raw = f"POST /api/v1/tokens HTTP/1.1\r\n{forwarded}\r\n{framing}\r\n\r\n".encode()
        assert (await talk(rig.manage, raw, PROXY)).status == 401
    await rig.daemon.refusals.stopService()
    (record,) = await rig.items("/audit")
    assert (record["actor"], record["action"]) == (f"address {CLIENT}", "refused")
    assert record["detail"].startswith("2 times")


@pytest_twisted.ensureDeferred
async def test_a_trusted_proxy_that_names_nobody_is_refused(make_rig) -> None:
    """An address that is none is a mistake of the proxy, and is never recorded."""
    rig = await make_rig(proxies=TRUSTED)
    raw = f"GET /api/v1/devices HTTP/1.1\r\n{AUTH}\r\nX-Forwarded-For: <b>\r\n\r\n".encode()
    assert (await talk(rig.manage, raw, PROXY)).status == 400


# A real process.


class Attacker:
    """Many sockets to the management endpoint, which never finish what they begin."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self.sockets: list[socket.socket] = []

    def open(self, count: int, begin: bytes) -> None:
        """Connect, and send the beginning of something."""
        where = (self._daemon.manage.hostname, self._daemon.manage.port)
        for _ in range(count):
            try:
                connection = socket.create_connection(where, timeout=5)
                self.sockets.append(connection)
                connection.sendall(begin)
            except OSError:
                continue  # turned away

    def close(self) -> None:
        """Hang up."""
        for connection in self.sockets:
            connection.close()


@pytest.fixture
def attackers() -> Iterator[list[Attacker]]:
    """Attackers, who go away after the test."""
    made: list[Attacker] = []
    yield made
    for attacker in made:
        attacker.close()


def resident(daemon: Daemon) -> int:
    """Bytes of memory that the daemon has."""
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def healthy(daemon: Daemon) -> int:
    """The status of `/health`, on a connection of its own; 0 if there is no answer."""
    connection = http.client.HTTPConnection(daemon.manage.hostname, daemon.manage.port, timeout=10)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def within(seconds: float, what: str, is_so) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


BODY_OF_STRANGER = (
    b"POST /api/v1/files?name=a HTTP/1.1\r\nHost: s\r\nContent-Length: 1048576\r\n\r\n"
    + bytes(MEGABYTE - 1)
)


@pytest.mark.usefixtures("no_cover")
def test_bodies_of_strangers_take_no_memory(tmp_path: pathlib.Path, attackers) -> None:
    """300 unfinished bodies of a megabyte cost a fraction of what they hold."""
    with Daemon(tmp_path) as daemon:
        daemon.exchange("T1")
        assert healthy(daemon) == 200
        before = resident(daemon)
        attackers.append(Attacker(daemon))
        attackers[0].open(ATTEMPTS, BODY_OF_STRANGER)
        assert resident(daemon) - before < 60 * MEGABYTE
        assert daemon.upload("T1", LINE) == (200, b"OK: 1")


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
@pytest.mark.parametrize(
    "begin",
    [b"", b"GET /health HTTP/1.1\r\nX: ", BODY_OF_STRANGER[:200]],
    ids=["nothing", "head", "body"],
)
def test_slow_strangers_take_nothing_from_terminals(
    tmp_path: pathlib.Path, attackers, begin: bytes
) -> None:
    """With 256 descriptors, terminals, `/health` and the API are served all the time."""
    config = tmp_path / "zkpush.toml"
    config.write_text("[limits]\nidle_seconds = 3\nmanage_connections = 1000\n")
    data = tmp_path / "data"
    data.mkdir()
    with Daemon(data, "--config", str(config), descriptors=256) as daemon:
        daemon.exchange("T1")
        attackers.append(Attacker(daemon))
        attackers[0].open(ATTEMPTS, begin)
        assert daemon.upload("T1", LINE) == (200, b"OK: 1")
        assert healthy(daemon) == 200
        assert daemon.pins() == ["7"]
        sockets = attackers[0].sockets

        def ended() -> bool:
            for connection in sockets:
                connection.settimeout(0.01)
                try:
                    if connection.recv(4096):
                        return False
                except TimeoutError:
                    return False
                except OSError:
                    continue
            return True

        within(60, "the deadline does not strike", ended)
        assert healthy(daemon) == 200
        assert daemon.upload("T1", LINE) == (200, b"OK: 1")

"""What a stranger, or one bad terminal, can make the server spend at the terminals' port."""

from __future__ import annotations

import gzip
import pathlib
import socket
import threading
from collections.abc import Callable

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail, gatherResults
from twisted.internet.error import ConnectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from zkpush.descriptors import OWN_FILES, TooFewDescriptors, share_descriptors
from zkpush.interfaces import StoreError
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.packets import PacketLimits
from zkpush.protocol.parts import decode_parts
from zkpush.protocol.rejects import MOST_REJECTS
from zkpush.protocol.reports import OPTIONS
from zkpush.protocol.requests import Upload
from zkpush.protocol.uploads import UploadDecoder

from ..daemon.process import Daemon
from ..declared import RECORD_TABLES
from ..rig import Rig, Wire, talk

LINE = b"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n"
UPLOAD = "cdata?SN=%s&table=ATTLOG&Stamp=1"
LONG = 50_000_000
STRANGER, HOME = "198.51.100.66", "192.0.2.7"


class Caller:
    """A connection that a test holds."""

    def __init__(self, rig: Rig, raw: bytes, address: str = HOME) -> None:
        self.wire = Wire(address)
        self.channel = rig.terminals.buildProtocol(self.wire.getPeer())
        self.channel.makeConnection(self.wire)
        self.say(raw)

    def say(self, data: bytes) -> None:
        if not self.wire.disconnecting:
            self.channel.dataReceived(data)

    @property
    def reply(self) -> bytes:
        return self.wire.value()

    async def replied(self) -> bytes:
        while not self.reply:
            await self.wire.changed()
        return self.reply

    def leave(self) -> None:
        self.channel.connectionLost(Failure(ConnectionDone()))


def head(path: str, length: int = 0, *lines: str) -> bytes:
    """The head of a request; of an upload where it declares a body."""
    method = "POST" if length else "GET"
    every = [f"{method} /iclock/{path} HTTP/1.1", "Host: s", *lines]
    if length:
        every.append(f"Content-Length: {length}")
    return ("\r\n".join(every) + "\r\n\r\n").encode()


async def turns(count: int = 5) -> None:
    """Let the reactor turn."""
    for _ in range(count):
        await deferLater(reactor, 0)


async def closed(make_rig: Callable) -> Rig:
    """A daemon at which X1 is refused, as closed."""
    return await make_rig(admission="closed")


async def pending(make_rig: Callable) -> Rig:
    """A daemon at which X1 is refused, as pending."""
    rig = await make_rig(admission="approve")
    assert (await rig.exchange("X1")).status == 403
    return rig


async def blocked(make_rig: Callable) -> Rig:
    """A daemon at which X1 is refused, as blocked."""
    rig = await make_rig()
    await rig.exchange("X1")
    await rig.api("PATCH", "/devices/X1", {"state": "blocked"})
    return rig


async def misplaced(make_rig: Callable) -> Rig:
    """A daemon at which X1 is refused, as misplaced."""
    rig = await make_rig()
    await rig.exchange("X1")
    await rig.api("PATCH", "/devices/X1", {"networks": ["192.0.2.0/24"]})
    return rig


async def too_often(make_rig: Callable) -> Rig:
    """A daemon at which X1 is refused, as too often."""
    rig = await make_rig(limits={"requests_per_minute": 3})
    for _ in range(5):
        await rig.get("ping?SN=X1", address=STRANGER)
    return rig


async def flooded(make_rig: Callable) -> Rig:
    """A daemon at which X1 is refused, as flooded."""
    rig = await make_rig(admission="closed", limits={"unknown_per_minute": 1})
    await rig.get("ping?SN=X0", address=STRANGER)
    return rig


REFUSED = [
    (closed, 403),
    (pending, 403),
    (blocked, 403),
    (misplaced, 403),
    (too_often, 429),
    (flooded, 429),
]
refused_terminals = pytest.mark.parametrize(
    ("prepare", "status"), REFUSED, ids=[prepare.__name__ for prepare, _ in REFUSED]
)


# Judged at the headers.


@refused_terminals
@pytest_twisted.ensureDeferred
async def test_a_terminal_that_is_not_served_is_refused_at_the_head(
    make_rig, prepare, status: int
) -> None:
    """The refusal comes before any of the body, no byte of which is held."""
    rig = await prepare(make_rig)
    caller = Caller(rig, head(UPLOAD % "X1", LONG), STRANGER)
    reply = await caller.replied()
    assert reply.startswith(b"HTTP/1.1 %d " % status)
    assert b"OK" not in reply
    assert caller.wire.disconnecting
    caller.leave()
    assert await rig.items("/attendance") == []


@refused_terminals
@pytest_twisted.ensureDeferred
async def test_who_asks_whether_to_send_a_body_is_told_not_to(
    make_rig, prepare, status: int
) -> None:
    """`100 Continue` is not sent to terminals whose request will be refused."""
    rig = await prepare(make_rig)
    raw = head(UPLOAD % "X1", 5000, "Expect: 100-continue")
    reply = await Caller(rig, raw, STRANGER).replied()
    assert reply.startswith(b"HTTP/1.1 %d " % status)


@pytest_twisted.ensureDeferred
async def test_a_short_body_of_a_refused_request_is_read_and_dropped(make_rig) -> None:
    """The connection ends behind the body, so that the terminal reads the reply."""
    rig = await closed(make_rig)
    caller = Caller(rig, head(UPLOAD % "X1", 320))
    assert (await caller.replied()).startswith(b"HTTP/1.1 403 ")
    caller.say(LINE * 9)
    assert not caller.wire.disconnecting
    caller.say(LINE)
    assert caller.wire.disconnecting


@pytest_twisted.ensureDeferred
async def test_a_request_behind_a_refused_body_is_not_looked_at(rig: Rig) -> None:
    """What follows on the connection of a refused upload is no request any more."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    await rig.exchange("T2")
    raw = head(UPLOAD % "T1", 32) + LINE + head(UPLOAD % "T2", 32) + LINE
    caller = Caller(rig, raw)
    await caller.replied()
    await turns()
    assert caller.reply.count(b"HTTP/1.1 ") == 1
    assert await rig.items("/attendance") == []


@pytest_twisted.ensureDeferred
async def test_strangers_that_hold_bodies_open_take_nothing_from_terminals(make_rig) -> None:
    """Eight invented serial numbers with the largest body, all but a byte: T1 still uploads."""
    rig = await make_rig(admission="closed")
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    await rig.exchange("T1")
    largest = rig.config.limits.body_bytes
    strangers = []
    for number in range(8):
        stranger = Caller(rig, head(UPLOAD % f"X{number}", largest), STRANGER)
        strangers.append(stranger)
        for _ in range(largest // 2**20):
            stranger.say(bytes(2**20 - 1))
    for _ in range(10):
        stored = await rig.post(UPLOAD % "T1", LINE)
        assert (stored.status, stored.body) == (200, b"OK: 1")
    for stranger in strangers:
        stranger.leave()


# The cost of a refusal.


def counted(rig: Rig) -> list[str]:
    """The names of all reads and writes of the store from now on."""
    calls: list[str] = []
    for name in ("read", "write"):
        before = getattr(rig.store, name)

        def call(unit, name=name, before=before):
            calls.append(name)
            return before(unit)

        setattr(rig.store, name, call)
    return calls


MODES = ("approve", "open", "closed")


@pytest.mark.parametrize("mode", MODES)
@pytest_twisted.ensureDeferred
async def test_many_strangers_share_one_look_at_the_store(make_rig, mode: str) -> None:
    """48 connections with new serial numbers at once: at most a few queries for all of them."""
    rig = await make_rig(admission=mode)
    calls = counted(rig)
    polls = [
        Deferred.fromCoroutine(rig.get(f"ping?SN=X{number}", address=STRANGER))
        for number in range(48)
    ]
    await gatherResults(polls)
    assert calls.count("read") <= 4


@pytest.mark.parametrize("mode", ["approve", "open"])
@pytest_twisted.ensureDeferred
async def test_a_terminal_is_recorded_once_for_many_requests(make_rig, mode: str) -> None:
    """A burst of requests with one new serial number: one write, and the same answer to all."""
    rig = await make_rig(admission=mode)
    calls = counted(rig)
    polls = [Deferred.fromCoroutine(rig.get("ping?SN=X1", address=STRANGER)) for _ in range(48)]
    replies = await gatherResults(polls)
    assert calls.count("write") == 1
    assert len({(reply.status, reply.body) for reply in replies}) == 1


@pytest_twisted.ensureDeferred
async def test_a_recording_that_fails_is_tried_by_the_next_request(make_rig) -> None:
    """One request fails with the store; those that waited for it are answered all the same."""
    rig = await make_rig(admission="open")
    write, failures = rig.store.write, [1]

    def failing(unit):
        if failures:
            failures.pop()
            return fail(StoreError("full"))
        return write(unit)

    rig.store.write = failing
    polls = [
        Deferred.fromCoroutine(rig.get("cdata?SN=X1&options=all", address=STRANGER))
        for _ in range(3)
    ]
    statuses = sorted(reply.status for reply in await gatherResults(polls))
    assert statuses == [200, 200, 503]


@pytest.mark.parametrize("mode", MODES)
@pytest_twisted.ensureDeferred
async def test_beyond_the_limit_strangers_reach_the_store_no_more(make_rig, mode: str) -> None:
    """Each request has a new serial number; beyond the limit none of them is looked up."""
    rig = await make_rig(admission=mode, limits={"unknown_per_minute": 5})
    for number in range(5):
        await rig.get(f"ping?SN=X{number}", address=STRANGER)
    calls = counted(rig)
    for number in range(100):
        reply = await rig.get(f"ping?SN=Y{number}", address=STRANGER)
        assert reply.status == 429
    assert calls == []


@pytest.mark.parametrize(
    ("mode", "limits"),
    [
        ("closed", {}),
        ("approve", {"pending_terminals": 1}),
        ("open", {"terminals": 1}),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_refusal_is_remembered_for_a_second(make_rig, mode: str, limits) -> None:
    """The same serial number asks the store once a second at most, and nothing is written."""
    rig = await make_rig(admission=mode, limits=limits)
    await rig.get("ping?SN=X0", address=STRANGER)
    calls = counted(rig)
    for _ in range(50):
        assert (await rig.get("ping?SN=X1", address=STRANGER)).status == 403
    assert calls in ([], ["read"])
    rig.clock.advance(1)
    calls.clear()
    assert (await rig.get("ping?SN=X1", address=STRANGER)).status == 403
    assert calls.count("read") <= 3  # this one, and the feed of changes
    assert len(await rig.items("/devices")) <= 1


@pytest.mark.parametrize("prepare", [pending, blocked, misplaced])
@pytest_twisted.ensureDeferred
async def test_a_terminal_that_is_not_admitted_asks_the_store_once_a_second(
    make_rig, prepare
) -> None:
    """However often it comes in that second; nothing is written for it."""
    rig = await prepare(make_rig)
    rig.clock.advance(1)
    await turns()
    await rig.get("ping?SN=X1", address=STRANGER)
    calls = counted(rig)
    for _ in range(50):
        assert (await rig.get("ping?SN=X1", address=STRANGER)).status == 403
    assert calls == []


@pytest.mark.parametrize("mode", ["approve", "closed"])
@pytest_twisted.ensureDeferred
async def test_an_approval_holds_at_once_in_this_process(make_rig, mode: str) -> None:
    """A refusal that is remembered is forgotten with the decision of an operator."""
    rig = await make_rig(admission=mode)
    for _ in range(3):
        assert (await rig.get("ping?SN=X1")).status == 403
    await rig.api("PUT", "/devices/X1", {"state": "approved"})
    await rig.api("PATCH", "/devices/X1", {"state": "approved"})
    assert (await rig.get("ping?SN=X1")).status == 200


@pytest.mark.parametrize("mode", ["approve", "closed"])
@pytest_twisted.ensureDeferred
async def test_an_approval_of_another_process_holds_within_a_second(
    make_rig, tmp_path, mode: str
) -> None:
    """What is remembered is no older than that."""
    database = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    one = await make_rig(admission=mode, database=database)
    other = await make_rig(admission=mode, database=database)
    assert (await one.get("ping?SN=X1")).status == 403
    await other.api("PUT", "/devices/X1", {"state": "approved"})
    await other.api("PATCH", "/devices/X1", {"state": "approved"})
    one.clock.advance(1)
    assert (await one.get("ping?SN=X1")).status == 200


@pytest_twisted.ensureDeferred
async def test_strangers_wait_in_line_and_terminals_do_not(make_rig) -> None:
    """Beyond so many refusals a second strangers wait, whatever they ask for; T1 is served."""
    rig = await make_rig(admission="closed")
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    await rig.exchange("T1")
    asked = ["ping?SN=X1", "nowhere", "getrequest?SN=%00", "cdata?SN=X2&options=all"]
    strangers = [Caller(rig, head(asked[number % 4]), STRANGER) for number in range(400)]
    for stranger in strangers[:200]:
        await stranger.replied()
    answered = sum(bool(stranger.reply) for stranger in strangers)
    assert 200 <= answered < 220
    for _ in range(20):
        assert (await rig.get("getrequest?SN=T1")).body == b"OK"
    assert sum(bool(stranger.reply) for stranger in strangers) == answered
    for _ in range(50):
        rig.clock.advance(0.02)
        await turns(4)
    assert all(stranger.reply for stranger in strangers)
    assert not any(b"OK" in stranger.reply for stranger in strangers)


@pytest_twisted.ensureDeferred
async def test_a_stranger_that_hangs_up_leaves_the_line(make_rig) -> None:
    """Nobody waits behind connections that are gone."""
    rig = await make_rig(admission="closed")
    gone = [Caller(rig, head("ping?SN=X1"), STRANGER) for _ in range(2000)]
    for stranger in gone:
        stranger.leave()
    late = Caller(rig, head("ping?SN=X1"), STRANGER)
    rig.clock.advance(0.02)
    assert (await late.replied()).startswith(b"HTTP/1.1 403 ")


# The limit of requests.


@pytest_twisted.ensureDeferred
async def test_a_flood_from_elsewhere_does_not_silence_a_terminal(make_rig) -> None:
    """Requests are counted for each serial number and address: B is served where it usually is."""
    rig = await make_rig(limits={"requests_per_minute": 20})
    await rig.exchange("B")
    flood = [(await rig.get("ping?SN=B", address=STRANGER)).status for _ in range(60)]
    assert flood == [200] * 20 + [429] * 40
    assert (await rig.get("getrequest?SN=B")).body == b"OK"
    assert (await rig.post(UPLOAD % "B", LINE)).body == b"OK: 1"


@pytest_twisted.ensureDeferred
async def test_a_flood_from_many_addresses_does_not_either(make_rig, tmp_path) -> None:
    """Nor after a restart, when the stranger comes first: the usual address is in the store."""
    database = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    rig = await make_rig(database=database)
    await rig.exchange("B")
    await rig.stop()
    again = await make_rig(database=database, limits={"requests_per_minute": 20})
    places = [f"198.51.100.{number}" for number in range(50)]
    for place in places:
        for _ in range(21):
            again.clock.advance(0.005)  # strangers are paced
            await again.get("ping?SN=B", address=place)
    flood = [(await again.get("ping?SN=B", address=place)).status for place in places]
    assert set(flood) == {429}
    assert (await again.get("getrequest?SN=B")).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_the_right_token_gets_through_a_flood(make_rig) -> None:
    """A terminal that shows its token is served although its address has used up its requests."""
    rig = await make_rig(limits={"requests_per_minute": 20})
    exchange = await rig.exchange("B", pushver="2.4.1")
    cookie = exchange.header(b"Set-Cookie")
    assert cookie is not None
    token = cookie.partition(b";")[0].decode()
    for _ in range(40):
        await rig.get("ping?SN=B")
    assert (await rig.get("getrequest?SN=B")).status == 429
    poll = head("getrequest?SN=B", 0, f"Cookie: {token}")
    assert (await talk(rig.terminals, poll)).body == b"OK"
    strange = head("getrequest?SN=B", 0, "Cookie: token=" + "0" * 32)
    assert (await talk(rig.terminals, strange)).status == 429
    for _ in range(40):
        await talk(rig.terminals, poll)
    assert (await talk(rig.terminals, poll)).status == 429


# Browsers.


@pytest.mark.parametrize(
    "line",
    [
        "Origin: https://example.net",
        "origin: null",
        "Sec-Fetch-Site: cross-site",
        "sec-fetch-mode: no-cors",
        "Sec-Fetch-Storage-Access: none",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        "user-agent: mozilla/4.0",
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_browser_is_refused_at_the_terminals_port(rig: Rig, line: str) -> None:
    """A web page cannot forge punches: 403 before the body, counted, and in the audit log."""
    await rig.exchange("T1")
    reply = await Caller(rig, head(UPLOAD % "T1", 32, line)).replied()
    assert reply.startswith(b"HTTP/1.1 403 ")
    assert b"OK" not in reply
    sent = await talk(rig.terminals, head(UPLOAD % "T1", 32, line) + LINE)
    assert sent.status == 403
    assert await rig.items("/attendance") == []
    metrics = (await rig.api("GET", "/metrics", prefix="", headers=())).body
    assert b'zkpush_refused_total{reason="browser"} 2.0' in metrics
    rig.clock.advance(6)
    await turns(20)
    assert any("browser" in str(record) for record in await rig.items("/audit"))
    assert (await rig.post(UPLOAD % "T1", LINE)).body == b"OK: 1"


# Memory.

MIB = 2**20
SHORT_BODY = 60_000


def held(rig: Rig) -> int:
    """Bytes of the budget that are held now."""
    return rig.terminals.gate.budget.held


async def known(make_rig: Callable, count: int, **limits: int) -> Rig:
    """A daemon that knows T0, T1 and so on."""
    rig = await make_rig(limits={"bodies_bytes": 4 * MIB, "body_bytes": 2 * MIB, **limits})
    for number in range(count):
        assert (await rig.exchange(f"T{number}")).status == 200
    return rig


@refused_terminals
@pytest_twisted.ensureDeferred
async def test_a_request_that_is_refused_holds_no_memory(make_rig, prepare, status: int) -> None:
    """Neither at its head nor while its body comes."""
    rig = await prepare(make_rig)
    callers = [Caller(rig, head(UPLOAD % "X1", LONG), STRANGER) for _ in range(3)]
    assert held(rig) == 0
    for caller in callers:
        await caller.replied()
        caller.say(bytes(MIB))
    assert held(rig) == 0


@pytest_twisted.ensureDeferred
async def test_a_declared_body_is_charged_at_once_and_until_its_answer(make_rig) -> None:
    """Before it comes; it is returned with the reply, or with the end of the connection."""
    rig = await known(make_rig, 2)
    one = Caller(rig, head(UPLOAD % "T0", MIB))
    other = Caller(rig, head(UPLOAD % "T1", SHORT_BODY))
    assert held(rig) == MIB + SHORT_BODY
    other.leave()
    assert held(rig) == MIB
    one.say((LINE * (MIB // len(LINE) + 1))[:MIB])
    assert (await one.replied()).startswith(b"HTTP/1.1 200 ")
    assert held(rig) == 0


@pytest_twisted.ensureDeferred
async def test_long_bodies_leave_room_for_short_ones(make_rig) -> None:
    """When long ones hold all they may, a punch and a short body of any terminal are stored."""
    rig = await known(make_rig, 20)
    for number in range(20):
        Caller(rig, head(UPLOAD % f"T{number}", 2 * MIB), f"192.0.2.{number}")
    assert held(rig) <= 3 * MIB
    for number in range(20):
        body = LINE * (SHORT_BODY // len(LINE)) if number % 2 else LINE
        reply = await rig.post(UPLOAD % f"T{number}", body, address=f"192.0.2.{number}")
        assert reply.status == 200, number


@pytest.mark.parametrize(
    ("same", "other"),
    [
        ("terminal", lambda number: ("T0", f"192.0.2.{number}")),
        ("address", lambda number: (f"T{number}", HOME)),
    ],
)
@pytest.mark.parametrize("size", [SHORT_BODY, MIB])
@pytest_twisted.ensureDeferred
async def test_one_terminal_and_one_address_have_a_share(make_rig, same, other, size: int) -> None:
    """Whoever holds many bodies open leaves room for those of others."""
    rig = await known(make_rig, 40)
    for number in range(39):
        sn, address = other(number)
        Caller(rig, head(UPLOAD % sn, size), address)
    caller = Caller(rig, head(UPLOAD % "T39", size), "203.0.113.9")
    assert not caller.wire.disconnecting
    caller.say((LINE * (size // len(LINE) + 1))[:size])
    assert (await caller.replied()).startswith(b"HTTP/1.1 200 ")


@pytest_twisted.ensureDeferred
async def test_a_client_behind_a_proxy_has_its_own_share(make_rig) -> None:
    """The address is that of the client that a trusted proxy names."""
    rig = await make_rig(
        limits={"bodies_bytes": 4 * MIB, "body_bytes": 2 * MIB},
        proxies={"trusted": ["10.7.0.1"]},
    )
    for number in range(13):
        await rig.exchange(f"T{number}")

    def through(number: int, client: int) -> Caller:
        line = f"X-Forwarded-For: 203.0.113.{client}"
        return Caller(rig, head(UPLOAD % f"T{number}", SHORT_BODY, line), "10.7.0.1")

    greedy = [through(number, 1) for number in range(12)]
    assert 1 <= sum(not caller.reply for caller in greedy) < 12
    assert not through(12, 2).reply


@pytest_twisted.ensureDeferred
async def test_a_short_body_without_memory_is_refused(make_rig) -> None:
    """503 at its head, without the mark of success; it is counted."""
    rig = await known(make_rig, 1)
    callers = [Caller(rig, head(UPLOAD % "T0", SHORT_BODY)) for _ in range(30)]
    replies = {caller.reply for caller in callers if caller.wire.disconnecting or caller.reply}
    assert replies
    for reply in replies:
        assert reply.startswith(b"HTTP/1.1 503 ")
        assert b"OK" not in reply
    metrics = (await rig.api("GET", "/metrics", prefix="", headers=())).body
    assert b'zkpush_refused_total{reason="bodies_bytes"}' in metrics


@pytest_twisted.ensureDeferred
async def test_a_long_body_waits_for_memory_and_not_for_ever(make_rig) -> None:
    """Nothing of it is read meanwhile, nor `100 Continue` sent; in the end it gets 503."""
    rig = await known(make_rig, 2, body_wait_seconds=10)
    first = Caller(rig, head(UPLOAD % "T0", 2 * MIB))
    waiting = Caller(rig, head(UPLOAD % "T0", 2 * MIB, "Expect: 100-continue"))
    late = Caller(rig, head(UPLOAD % "T0", 2 * MIB))
    assert waiting.wire.producerState == late.wire.producerState == "paused"
    assert not waiting.reply
    first.leave()
    assert (await waiting.replied()).startswith(b"HTTP/1.1 100 ")
    assert waiting.wire.producerState == "producing"
    assert held(rig) == 2 * MIB
    rig.clock.advance(10)
    assert (await late.replied()).startswith(b"HTTP/1.1 503 ")
    assert b"OK" not in late.reply
    waiting.leave()
    assert held(rig) == 0


@pytest_twisted.ensureDeferred
async def test_few_bodies_of_one_terminal_wait(make_rig) -> None:
    """Beyond them it gets 503 at once, and the waiting ones of others are not refused for it."""
    rig = await known(make_rig, 2)
    callers = [Caller(rig, head(UPLOAD % "T0", 2 * MIB)) for _ in range(100)]
    refused = [caller for caller in callers if caller.reply]
    assert len(refused) > 80
    assert all(caller.reply.startswith(b"HTTP/1.1 503 ") for caller in refused)
    other = Caller(rig, head(UPLOAD % "T1", 2 * MIB))
    for caller in callers:
        caller.leave()
    await turns()
    assert not other.reply
    assert held(rig) == 2 * MIB


@pytest_twisted.ensureDeferred
async def test_chunks_are_charged_as_they_come(make_rig) -> None:
    """A body that declares no length is charged by what comes of it, and refused beyond that."""
    rig = await known(make_rig, 1)
    raw = head(UPLOAD % "T0", 1).replace(b"Content-Length: 1", b"Transfer-Encoding: chunked")
    chunk = b"%x\r\n%b\r\n" % (SHORT_BODY, bytes(SHORT_BODY))
    callers = [Caller(rig, raw) for _ in range(2)]
    for caller in callers:
        caller.say(chunk)
    assert held(rig) == 2 * SHORT_BODY
    for _ in range(40):
        for caller in callers:
            caller.say(chunk)
    assert held(rig) <= 3 * MIB
    assert any(caller.reply.startswith((b"HTTP/1.1 503 ", b"HTTP/1.1 413 ")) for caller in callers)
    for caller in callers:
        caller.leave()
    assert held(rig) == 0


# Decoding.


@pytest.fixture
def decodes(monkeypatch) -> list[tuple[int, bool, int]]:
    """Of each decoding: bytes, whether it was on the reactor's thread, and how many ran at once."""
    seen: list[tuple[int, bool, int]] = []
    decode = UploadDecoder.decode
    running = []

    def spy(self, upload, *rest, **more):
        running.append(None)
        is_reactor = threading.current_thread() is threading.main_thread()
        seen.append((len(upload.body), is_reactor, len(running)))
        try:
            return decode(self, upload, *rest, **more)
        finally:
            running.pop()

    monkeypatch.setattr(UploadDecoder, "decode", spy)
    return seen


def rows(count: int, first: int = 1) -> bytes:
    """Different punches."""
    return b"".join(
        b"%d\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n" % pin for pin in range(first, first + count)
    )


@pytest.mark.parametrize("count", [1, 100, 1000, 20_000, 60_000])
@pytest_twisted.ensureDeferred
async def test_only_a_few_kib_are_decoded_on_the_reactor(rig: Rig, decodes, count: int) -> None:
    """A long body is decoded on a thread, in parts of bounded size; every record is stored."""
    await rig.exchange("T1")
    body = rows(count)
    assert (await rig.post(UPLOAD % "T1", body)).body == b"OK: %d" % count
    assert sum(size for size, _, _ in decodes) == len(body)
    for size, is_reactor, _ in decodes:
        assert size <= 300_000
        assert is_reactor is (size <= 8192)
    stored = await rig.store.read(
        lambda tx: tx.connection.exec_driver_sql("SELECT count(*) FROM attendance").scalar()
    )
    assert stored == count


@pytest_twisted.ensureDeferred
async def test_the_stamp_of_a_long_body_comes_with_its_last_part(rig: Rig) -> None:
    """A terminal whose upload broke in the middle is asked for all of it again."""
    await rig.exchange("T1")
    write, units = rig.store.write, []

    def failing(unit, risky=False):
        units.append(unit)
        return fail(StoreError("the disk is full")) if len(units) == 3 else write(unit, risky)

    rig.store.write = failing
    body = rows(40_000)
    reply = await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=77", body)
    assert reply.status == 503
    assert b"OK" not in reply.raw
    rig.store.write = write
    assert b"ATTLOGStamp=0\n" in (await rig.exchange("T1")).body
    reply = await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=77", body)
    assert reply.body == b"OK: 40000"
    assert b"ATTLOGStamp=77\n" in (await rig.exchange("T1")).body
    stored = await rig.store.read(
        lambda tx: tx.connection.exec_driver_sql("SELECT count(*) FROM attendance").scalar()
    )
    assert stored == 40_000


@pytest_twisted.ensureDeferred
async def test_long_bodies_are_decoded_one_after_the_other(make_rig, decodes) -> None:
    """However many come at once; short ones get their turn in between."""
    rig = await make_rig()
    for number in range(4):
        await rig.exchange(f"T{number}")
    long = [
        Deferred.fromCoroutine(rig.post(UPLOAD % f"T{number}", rows(40_000))) for number in range(3)
    ]
    short = await rig.post(UPLOAD % "T3", LINE)
    assert short.body == b"OK: 1"
    assert not all(one.called for one in long)
    assert [reply.body for reply in await gatherResults(long)] == [b"OK: 40000"] * 3
    assert max(at_once for size, _, at_once in decodes if size > 8192) == 1


@pytest_twisted.ensureDeferred
async def test_a_gzip_bomb_is_decoded_in_parts_and_charged(rig: Rig, decodes, monkeypatch) -> None:
    """1 KB of a packet that expands to 1 MiB of bad lines: on a thread, within the budget."""
    await rig.exchange("T1")
    charges = []
    budget = rig.terminals.gate.budget
    decode = budget.decode
    monkeypatch.setattr(budget, "decode", lambda size: charges.append(size) or decode(size))
    bomb = gzip.compress(b"a\n" * (MIB // 2), mtime=0)
    assert len(bomb) < 2000
    reply = await rig.post("cdata?SN=T1&table=OPERLOG&ContentType=tgz", bomb)
    assert reply.status == 200
    assert charges
    assert charges[0] >= 2 * MIB
    assert held(rig) == 0
    assert all(size <= 300_000 and not is_reactor for size, is_reactor, _ in decodes)
    assert len(await rig.items("/rejects")) < 10


@pytest_twisted.ensureDeferred
async def test_a_long_body_of_bad_lines_makes_a_bounded_number_of_rejects(rig: Rig) -> None:
    """All its parts together keep as many line by line as one upload may."""
    await rig.exchange("T1")
    body = b"".join(b"bad %d\n" % number for number in range(100_000))
    assert (await rig.post(UPLOAD % "T1", body)).status == 200
    rejects = await rig.store.read(
        lambda tx: tx.connection.exec_driver_sql("SELECT count(*) FROM rejects").scalar()
    )
    assert MOST_REJECTS <= rejects <= MOST_REJECTS + 10


@pytest.mark.parametrize(
    ("table", "body", "size", "parts"),
    [
        ("ATTLOG", LINE * 4, 70, [64, 64]),
        ("ATTLOG", LINE * 4, 10, [32, 32, 32, 32]),
        ("OPERLOG", b"USER PIN=1\nUSER PIN=22\nx", 12, [11, 12, 1]),
        ("USERINFO", b"PIN=1\n" + b"PIN=" + b"2" * 50 + b"\nPIN=3", 10, [6, 55, 5]),
        ("ATTPHOTO", b"PIN=1.jpg\nsize=3\n\0\n\n\n" * 4, 10, None),
        ("options", b"A=1\nB=2\n" * 9, 10, None),
        ("nobody", b"a\nb\n" * 9, 10, None),
        ("nobody", b"USER PIN=1\n" * 3, 12, [11, 11, 11]),
    ],
)
def test_a_body_is_cut_at_the_ends_of_its_lines(table, body, size, parts, monkeypatch) -> None:
    """No line is in two parts, nothing is left out, and what is not of lines stays whole."""
    decoder = UploadDecoder([*RECORD_TABLES, OPTIONS], PacketLimits())
    seen: list[bytes] = []
    decode = decoder.decode
    monkeypatch.setattr(
        decoder,
        "decode",
        lambda upload, *a, **k: seen.append(upload.body) or decode(upload, *a, **k),
    )
    contents = [*decode_parts(decoder, Upload(table, body, "5"), Dialect(), size)]
    assert b"".join(seen) == body
    assert [len(part) for part in seen] == (parts or [len(body)])
    assert [one.stamp for one in contents] == [None] * (len(contents) - 1) + ["5"]
    whole = decode(Upload(table, body, "5"), Dialect())
    assert sum(one.count for one in contents) == whole.count
    assert sum(one.unread for one in contents) == whole.unread


# File descriptors.


@pytest.mark.parametrize(
    ("soft", "hard", "people", "expected"),
    [
        (500, 700, 0, (700, 572, 0)),
        (500, 5000, 0, (1128, 1000, 0)),
        (3000, 5000, 0, (3000, 1000, 0)),
        (500, None, 64, (1192, 1000, 64)),
        (None, None, 64, (None, 1000, 64)),
        (200, 200, 64, (200, 54, 18)),
        (256, 256, 1000, (256, 96, 32)),
        (171, 171, 64, (171, 33, 10)),
        (169, 169, 64, None),
        (64, 64, 64, None),
        (10, 10, 0, None),
    ],
)
def test_descriptors_are_shared_out(soft, hard, people, expected) -> None:
    """Own files first, then a part for people, the rest for terminals; too few are an error."""
    if expected is None:
        with pytest.raises(TooFewDescriptors, match="ulimit -n"):
            share_descriptors(soft, hard, 1000, people)
        return
    found = share_descriptors(soft, hard, 1000, people)
    assert (found.limit, found.terminals, found.people) == expected
    if found.limit is not None:
        assert found.terminals + found.people + OWN_FILES <= found.limit


@pytest.mark.long
def test_a_daemon_with_few_descriptors_says_so_and_serves(tmp_path: pathlib.Path) -> None:
    """`ulimit -n 200`: it takes fewer connections, and a punch is stored beside 300 idle ones."""
    with Daemon(tmp_path, descriptors=200) as daemon:
        daemon.exchange("T1")
        port = daemon.terminals.port
        idle = []
        try:
            for _ in range(300):
                idle.append(socket.create_connection(("127.0.0.1", port), timeout=20))
            for pin in range(5):
                line = b"%d\t2026-01-05 08:00:00\t0\t1\n" % (pin + 1)
                assert daemon.upload("T1", line) == (200, b"OK: 1")
            assert len(daemon.api("GET", "devices")["items"]) == 1
        finally:
            for sock in idle:
                sock.close()
        daemon.terminate()
        assert "may open 200 files" in daemon.output()


def test_a_daemon_with_too_few_descriptors_does_not_start(tmp_path: pathlib.Path) -> None:
    """It says what is wrong, and what to do."""
    with pytest.raises(AssertionError) as failure:
        Daemon(tmp_path, descriptors=90)
    assert "cannot start: this process may open 90 files" in str(failure.value)
    assert "LimitNOFILE" in str(failure.value)

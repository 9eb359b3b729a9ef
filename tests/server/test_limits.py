"""The limits at the terminals' door: each is attacked, holds, and is counted."""

from __future__ import annotations

import re

import pytest
import pytest_twisted
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from zkpush.device.refusals import Refusal
from zkpush.http.site import MOST_LOOKED_AT
from zkpush.settings.network import Limits

from ..rig import Rig, Wire, everything, talk

LINE = b"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n"
UPLOAD = b"POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=1 HTTP/1.1\r\nHost: s\r\n"
HALF = UPLOAD + b"Content-Length: 32\r\n\r\n" + LINE[:7]
"""An upload whose rest is still to come."""
POLL = b"GET /iclock/getrequest?SN=T1 HTTP/1.1\r\nHost: s\r\n"


async def refused(rig: Rig) -> dict[str, float]:
    """What the metrics say was refused, by limit."""
    text = (await rig.api("GET", "/metrics", prefix="", headers=())).body.decode()
    found = re.findall(r'^zkpush_refused_total\{reason="(\w+)"\} (\S+)$', text, re.MULTILINE)
    assert len(found) > 10
    limits = {refusal for refusal in Refusal if refusal.words.startswith("limits.")}
    return {name: float(count) for name, count in found if name in limits and float(count)}


class Caller:
    """A connection that a test holds."""

    def __init__(self, rig: Rig, *parts: bytes, address: str = "192.0.2.7") -> None:
        self.wire = Wire(address)
        self.channel = rig.terminals.buildProtocol(self.wire.getPeer())
        self.channel.makeConnection(self.wire)
        for part in parts:
            self.say(part)

    def say(self, part: bytes) -> None:
        if not self.ended:
            self.channel.dataReceived(part)

    @property
    def ended(self) -> bool:
        return self.wire.disconnecting or self.is_cut

    @property
    def is_cut(self) -> bool:
        return self.wire.disconnected

    @property
    def status(self) -> int:
        return int(self.wire.value().split(b" ")[1])

    def leave(self) -> None:
        self.channel.connectionLost(Failure(ConnectionDone()))


def seconds(rig: Rig, count: int) -> None:
    """Let seconds pass, one by one."""
    for _ in range(count):
        rig.clock.advance(1)


async def limited(make_rig, **limits: int) -> Rig:
    """A daemon with limits, which has met T1: it answers its polls at once from now on."""
    rig = await make_rig(limits=limits)
    assert (await rig.exchange()).status == 200
    assert (await rig.get("ping?SN=T1")).status == 200
    rig.terminals.ticking.startService()
    return rig


# Bodies and heads.


@pytest_twisted.ensureDeferred
async def test_a_body_that_is_declared_too_long_is_refused_at_the_header(make_rig) -> None:
    """413 comes before any of the body does; nothing is stored, and no OK is in the reply."""
    rig = await limited(make_rig, body_bytes=1024)
    for length in (b"1025", b"99999999999999999999"):
        response = await talk(rig.terminals, UPLOAD + b"Content-Length: %b\r\n\r\n" % length)
        assert response.status in (413, 400 if len(length) > 18 else 413)
        assert b"OK" not in response.raw
    assert await rig.items("/attendance") == []


@pytest_twisted.ensureDeferred
async def test_a_body_that_is_longer_than_any_it_declares_is_refused(make_rig) -> None:
    """Chunks declare no length: the actual one is counted."""
    rig = await limited(make_rig, body_bytes=1024)
    raw = UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n" + (b"200\r\n" + b"x" * 512 + b"\r\n") * 3
    response = await talk(rig.terminals, raw)
    assert response.status == 413
    assert b"OK" not in response.raw


@pytest_twisted.ensureDeferred
async def test_what_is_too_long_is_counted(make_rig) -> None:
    """One count for each request: body declared, body sent, head in one piece and in drops."""
    rig = await limited(make_rig, body_bytes=1024, head_bytes=1024)
    await talk(rig.terminals, UPLOAD + b"Content-Length: 1025\r\n\r\n")
    await talk(
        rig.terminals, UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n800\r\n" + b"x" * 2048 + b"\r\n"
    )
    assert await refused(rig) == {"body_bytes": 2}
    assert (await everything(rig.terminals, POLL + b"A: b\r\n" * 200)).startswith(b"HTTP/1.1 400 ")
    caller = Caller(rig, POLL + b"X: ")
    for _ in range(1100):
        caller.say(b"a")
    assert (caller.ended, caller.status) == (True, 400)
    assert await refused(rig) == {"body_bytes": 2, "head_bytes": 2}
    assert (await talk(rig.terminals, POLL + b"\r\n")).status == 200


@pytest_twisted.ensureDeferred
async def test_what_follows_chunks_cannot_be_endless(make_rig) -> None:
    """Headers may come after the chunks as well; they are no way around the length of a head."""
    rig = await limited(make_rig, head_bytes=1024)
    caller = Caller(rig, UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: ")
    for _ in range(30):
        caller.say(b"a" * 100)
    assert (caller.ended, caller.status) == (True, 400)
    assert await refused(rig) == {"head_bytes": 1}


@pytest_twisted.ensureDeferred
async def test_a_long_body_in_small_chunks_is_taken(make_rig) -> None:
    """What stands between chunks is no header."""
    rig = await limited(make_rig, head_bytes=1024)
    body = LINE * 100
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    raw = UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    caller = Caller(rig)
    for start in range(0, len(raw), 7):
        caller.say(raw[start : start + 7])
    while not caller.wire.value():
        await caller.wire.changed()
    assert caller.status == 200


# Time.


@pytest.mark.parametrize("begun", [POLL, UPLOAD + b"Content-Length: 500\r\n\r\nabc"])
@pytest_twisted.ensureDeferred
async def test_half_a_request_is_ended_when_nothing_more_comes(make_rig, begun: bytes) -> None:
    """After the configured time, with 408."""
    rig = await limited(make_rig, idle_seconds=5)
    caller = Caller(rig, begun)
    seconds(rig, 5)
    assert not caller.ended
    seconds(rig, 1)
    assert (caller.ended, caller.status) == (True, 408)
    assert b"OK" not in caller.wire.value()
    assert await refused(rig) == {"idle_seconds": 1}


@pytest_twisted.ensureDeferred
async def test_a_head_that_trickles_is_as_good_as_silence(make_rig) -> None:
    """One byte now and then keeps no connection open."""
    rig = await limited(make_rig, idle_seconds=5, request_seconds=100)
    caller = Caller(rig, POLL)
    for _ in range(6):
        seconds(rig, 1)
        caller.say(b"X")
    assert (caller.ended, caller.status) == (True, 408)


@pytest_twisted.ensureDeferred
async def test_a_body_that_trickles_is_ended_in_time(make_rig) -> None:
    """A byte a second is not silence, and still the request has to come whole."""
    rig = await limited(make_rig, idle_seconds=5, request_seconds=20)
    caller = Caller(rig, UPLOAD + b"Content-Length: 500\r\n\r\n")
    for _ in range(20):
        seconds(rig, 1)
        caller.say(b"x")
    assert not caller.ended
    seconds(rig, 1)
    assert (caller.ended, caller.status) == (True, 408)
    assert await refused(rig) == {"request_seconds": 1}


@pytest_twisted.ensureDeferred
async def test_empty_lines_are_no_sign_of_life(make_rig) -> None:
    """They may come before a request, and are none."""
    rig = await limited(make_rig, idle_seconds=5)
    caller = Caller(rig, POLL + b"\r\n")
    for _ in range(6):
        seconds(rig, 1)
        caller.say(b"\r\n")
    assert caller.ended
    assert caller.wire.value().count(b"HTTP/1.1") == 1
    assert await refused(rig) == {"idle_seconds": 1}


@pytest_twisted.ensureDeferred
async def test_a_slow_terminal_is_served(make_rig) -> None:
    """Within the times, however it sends; and each request has its own time."""
    rig = await limited(make_rig, idle_seconds=5, request_seconds=20)
    caller = Caller(rig)
    raw = UPLOAD + b"Content-Length: 32\r\n\r\n"
    for stamp in range(3):
        caller.say(raw)
        for place in range(16):
            seconds(rig, 1)
            caller.say(LINE[place * 2 : place * 2 + 2])
        while caller.wire.value().count(b"OK: 1") <= stamp:
            await caller.wire.changed()
        seconds(rig, 4)
    assert not caller.ended
    assert await refused(rig) == {}


@pytest_twisted.ensureDeferred
async def test_the_time_that_the_store_takes_is_not_the_terminals(make_rig) -> None:
    """A request that is being answered is not idle, nor is what was sent behind it too late."""
    rig = await limited(make_rig, idle_seconds=5, request_seconds=5)
    caller = Caller(rig, UPLOAD + b"Content-Length: 32\r\n\r\n" + LINE + POLL)
    seconds(rig, 30)
    while not caller.wire.value():
        await caller.wire.changed()
    assert not caller.ended
    seconds(rig, 4)
    caller.say(b"\r\n")
    assert caller.wire.value().count(b"HTTP/1.1 200 ") == 2


@pytest_twisted.ensureDeferred
async def test_a_reply_that_nobody_takes_is_not_kept_for_ever(make_rig) -> None:
    """The end of what is written has its own time, after which the connection is cut."""
    rig = await limited(make_rig, idle_seconds=5, stalled_seconds=9)
    caller = Caller(rig, POLL + b"Connection: close\r\n\r\n")
    assert caller.wire.disconnecting
    assert not caller.is_cut
    seconds(rig, 9)
    assert not caller.is_cut
    seconds(rig, 1)
    assert caller.is_cut
    assert await refused(rig) == {"stalled_seconds": 1}


@pytest_twisted.ensureDeferred
async def test_who_asks_on_and_on_and_reads_nothing_is_ended(make_rig) -> None:
    """What is written and not taken is bounded."""
    rig = await limited(make_rig, requests_per_minute=1_000_000)
    caller = Caller(rig)
    for _ in range(200):
        caller.say((POLL + b"\r\n") * 200)
    assert caller.ended
    assert 1_000_000 < len(caller.wire.value()) < 1_100_000


# Connections.


@pytest_twisted.ensureDeferred
async def test_one_address_has_so_many_connections(make_rig) -> None:
    """The next one is refused; others are not, and one that ends makes room."""
    rig = await limited(make_rig, connections_per_address=3)
    callers = [Caller(rig, POLL) for _ in range(3)]
    late = Caller(rig, POLL + b"\r\n")
    assert late.ended
    assert b"OK" not in late.wire.value()
    late.leave()
    assert (await rig.get("getrequest?SN=T1", address="192.0.2.8")).status == 200
    callers.pop().leave()
    assert (await rig.get("getrequest?SN=T1")).status == 200
    assert await refused(rig) == {"connections_per_address": 1}
    for caller in callers:
        caller.leave()
    assert not any(Caller(rig, POLL).ended for _ in range(3))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "10.7.0.1"])
@pytest_twisted.ensureDeferred
async def test_a_proxy_has_as_many_as_it_likes(make_rig, address: str) -> None:
    """Many terminals are behind it; so they may be behind this machine's own address."""
    rig = await make_rig(
        limits={"connections_per_address": 3}, proxies={"trusted": ["10.7.0.0/16"]}
    )
    callers = [Caller(rig, POLL, address=address) for _ in range(10)]
    assert not any(caller.ended for caller in callers)


@pytest_twisted.ensureDeferred
async def test_the_oldest_idle_connection_makes_way(make_rig) -> None:
    """Whoever holds all connections open holds nobody up: terminals send at once, and are served.

    One of which something is in hand stays.
    """
    rig = await limited(make_rig, connections=10)
    busy = Caller(rig, UPLOAD + b"Content-Length: 32\r\n\r\n" + LINE)
    holding = [Caller(rig, POLL) for _ in range(9)]
    assert (await talk(rig.terminals, POLL + b"\r\n")).body == b"OK"
    assert [caller.ended for caller in holding] == [True] + [False] * 8
    while not busy.wire.value():
        await busy.wire.changed()
    assert busy.status == 200
    assert await refused(rig) == {"connections": 1}
    for _ in range(100):
        holding.append(Caller(rig, POLL))
        assert (await talk(rig.terminals, POLL + b"\r\n")).body == b"OK"
    assert len(rig.terminals.channels) <= 10


@pytest_twisted.ensureDeferred
async def test_no_connection_in_hand_makes_way(make_rig) -> None:
    """Where all are being answered, the next one is turned away."""
    rig = await limited(make_rig, connections=3)
    busy = [Caller(rig, UPLOAD + b"Content-Length: 32\r\n\r\n" + LINE) for _ in range(3)]
    late = Caller(rig, POLL + b"\r\n")
    assert late.ended
    assert not any(caller.ended for caller in busy)
    assert len(busy) < MOST_LOOKED_AT
    assert await refused(rig) == {"connections": 1}
    for caller in busy:
        while not caller.wire.value():
            await caller.wire.changed()
        assert caller.status == 200


@pytest_twisted.ensureDeferred
async def test_an_upload_that_is_coming_makes_way_last(make_rig) -> None:
    """Idle connections make way first, then heads that are not whole, then accepted uploads."""
    rig = await limited(make_rig, connections=3)
    upload = Caller(rig, HALF)
    head = Caller(rig, POLL)
    idle = Caller(rig, b"")
    ended = []
    for _ in range(3):
        Caller(rig, HALF)
        ended.append([caller.ended for caller in (upload, head, idle)])
    assert ended == [[False, False, True], [False, True, True], [True, True, True]]


async def completes(upload: Caller) -> None:
    """The rest of an upload that has not made way is taken."""
    assert not upload.ended
    upload.channel.dataReceived(LINE[7:])
    while not upload.wire.value():
        await upload.wire.changed()
    assert upload.status == 200


@pytest.mark.parametrize("sent", [POLL, HALF])
@pytest_twisted.ensureDeferred
async def test_strangers_displace_no_upload_that_is_coming(make_rig, sent: bytes) -> None:
    """Neither by half heads, nor by half uploads in the name of the same approved terminal."""
    rig = await limited(make_rig, connections=4)
    upload = Caller(rig, HALF)
    strangers = [Caller(rig, sent, address="198.51.100.66") for _ in range(20)]
    assert [caller.ended for caller in strangers] == [True] * 17 + [False] * 3
    await completes(upload)


@pytest_twisted.ensureDeferred
async def test_strangers_at_many_addresses_displace_no_upload_of_the_terminal(make_rig) -> None:
    """Uploads in its name from elsewhere make way before the one from its usual address."""
    rig = await limited(make_rig, connections=4)
    upload = Caller(rig, HALF)
    strangers = [Caller(rig, HALF, address=f"198.51.100.{number}") for number in range(20)]
    assert [caller.ended for caller in strangers] == [True] * 17 + [False] * 3
    await completes(upload)


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_moves_is_displaced_last_by_its_token(make_rig) -> None:
    """An upload with its trusted token makes way last, wherever it comes from."""
    rig = await limited(make_rig, connections=4)
    issued = await rig.exchange()
    token = re.search(rb"Set-Cookie: (token=[^;\r]*)", issued.raw)
    assert token is not None
    cookie = b"Cookie: " + token[1] + b"\r\n"
    await talk(rig.terminals, POLL + cookie + b"\r\n")  # it returns the token: it is trusted
    half = b"Content-Length: 32\r\n\r\n" + LINE[:7]
    upload = Caller(rig, UPLOAD + cookie + half, address="203.0.113.5")
    for number in range(20):
        wrong = cookie.replace(b"token=", b"token=x")
        Caller(rig, UPLOAD + wrong + half, address=f"198.51.100.{number}")
    assert not upload.ended


# Terminals.


@pytest_twisted.ensureDeferred
async def test_a_terminal_may_ask_so_often_a_minute(make_rig) -> None:
    """Beyond it all its requests are refused and store nothing; a minute later they are served."""
    rig = await make_rig(limits={"requests_per_minute": 20})
    for _ in range(3):
        assert (await rig.exchange("T2")).status == 200
    await rig.exchange()
    answers = [(await rig.get("getrequest?SN=T1")).status for _ in range(30)]
    assert set(answers) == {200, 429}
    assert answers == sorted(answers)
    assert 15 <= answers.count(200) <= 20
    upload = await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", LINE)
    assert upload.status == 429
    assert b"OK" not in upload.raw
    for path in ("ping?SN=T1", "file/1/x?SN=T1&url=file/1/x"):
        assert (await rig.get(path)).status in (404, 429)
    assert (await rig.exchange()).status == 429
    assert await rig.items("/attendance") == []
    assert (await rig.get("getrequest?SN=T2")).status == 200
    assert (await refused(rig))["requests_per_minute"] >= 12
    rig.clock.advance(60)
    upload = await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", LINE)
    assert (upload.status, upload.body) == (200, b"OK: 1")


@pytest_twisted.ensureDeferred
async def test_who_waits_for_approval_may_not_ask_more_often(make_rig) -> None:
    """Each refusal costs a look at the store: it is limited as all else."""
    rig = await make_rig(admission="approve", limits={"requests_per_minute": 5})
    answers = [(await rig.get("getrequest?SN=T1")).status for _ in range(10)]
    assert answers == [403] * 5 + [429] * 5


@pytest_twisted.ensureDeferred
async def test_so_many_unknown_serial_numbers_are_looked_up_a_minute(make_rig) -> None:
    """A flood of invented ones reaches the database no more than that; known ones are served."""
    rig = await make_rig(limits={"unknown_per_minute": 10})
    await rig.exchange()
    answers = [(await rig.exchange(f"X{number}")).status for number in range(100)]
    assert answers == [200] * 9 + [429] * 91
    assert len(await rig.items("/devices")) == 10
    assert len(rig.registry) == 10
    assert await refused(rig) == {"unknown_per_minute": 91}
    reads = []
    read = rig.store.read
    rig.store.read = lambda query: reads.append(query) or read(query)
    assert (await rig.get("getrequest?SN=X99")).status == 429
    assert reads == []
    assert (await rig.get("getrequest?SN=T1")).body == b"OK"
    rig.store.read = read
    rig.clock.advance(6)
    assert (await rig.exchange("LATE")).status == 200


@pytest_twisted.ensureDeferred
async def test_a_closed_door_is_not_asked_more_often_either(make_rig) -> None:
    """Where nothing unknown is recorded, it is still only looked up so often."""
    rig = await make_rig(admission="closed", limits={"unknown_per_minute": 10})
    answers = [(await rig.exchange(f"X{number}")).status for number in range(20)]
    assert answers == [403] * 10 + [429] * 10
    assert len(rig.registry) == 0


@pytest_twisted.ensureDeferred
async def test_so_many_terminals_wait_for_approval(make_rig) -> None:
    """Further ones are not recorded; an operator's decision makes room, and can add any."""
    rig = await make_rig(admission="approve", limits={"pending_terminals": 3})
    for number in range(10):
        assert (await rig.exchange(f"X{number}")).status == 403
    assert [device["sn"] for device in await rig.items("/devices")] == ["X0", "X1", "X2"]
    assert await refused(rig) == {"pending_terminals": 7}
    assert (await rig.api("PUT", "/devices/X8", {"state": "approved"})).status == 200
    assert (await rig.exchange("X8")).status == 200
    await rig.api("PATCH", "/devices/X0", {"state": "approved"})
    assert (await rig.exchange("X9")).status == 403
    assert [device["sn"] for device in await rig.items("/devices")][-1] == "X9"


@pytest_twisted.ensureDeferred
async def test_so_many_terminals_are_recorded_at_an_open_door(make_rig) -> None:
    """Invented serial numbers do not fill the database, however slowly they come."""
    rig = await make_rig(limits={"terminals": 3})
    answers = [(await rig.exchange(f"X{number}")).status for number in range(5)]
    assert answers == [200] * 3 + [403] * 2
    assert await refused(rig) == {"terminals": 2}
    await rig.api("PUT", "/devices/X4", {"state": "approved"})
    assert (await rig.exchange("X4")).status == 200


@pytest_twisted.ensureDeferred
async def test_terminals_that_are_known_are_not_unknown_after_a_restart(make_rig, tmp_path) -> None:
    """All of a site come back at once; nobody of them is counted as new."""
    database = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    rig = await make_rig(database=database)
    for number in range(30):
        await rig.exchange(f"T{number}")
    await rig.stop()
    again = await make_rig(database=database, limits={"unknown_per_minute": 1, "terminals": 1})
    for number in range(30):
        assert (await again.get(f"getrequest?SN=T{number}")).body == b"OK"


def test_a_limit_is_a_key() -> None:
    """Every name in the metrics is that of a key, or of a rule about addresses."""
    limits = {refusal.value for refusal in Refusal if refusal.words.startswith("limits.")}
    assert limits <= {*Limits.__struct_fields__}

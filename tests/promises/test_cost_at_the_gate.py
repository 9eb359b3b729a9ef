"""What a stranger, or one bad terminal, can make the server spend at the terminals' port."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, fail, gatherResults

from zkpush.interfaces import StoreError

from ..rig import Rig, talk
from .callers import (
    LINE,
    LONG,
    MODES,
    STRANGER,
    UPLOAD,
    Caller,
    blocked,
    closed,
    counted,
    head,
    misplaced,
    pending,
    refused_terminals,
    turns,
)


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

"""What memory the bodies of terminals take, and whose bodies wait or are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import pytest_twisted

from ..rig import Rig
from .callers import (
    HOME,
    LINE,
    LONG,
    MIB,
    STRANGER,
    UPLOAD,
    Caller,
    head,
    held,
    refused_terminals,
    turns,
)

SHORT_BODY = 60_000


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
    """A client with many open bodies leaves room for those of others."""
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

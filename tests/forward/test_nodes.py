"""Two nodes on one database, and a daemon that is killed: each event arrives, from one of them."""

from __future__ import annotations

import pathlib
import threading
import time
from collections.abc import Callable

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from zkpush.values.forwarding import Delivered, Outcome

from ..daemon.process import STOPPED_WITHIN, Daemon
from ..daemon.test_process import wait_until
from .receivers import Memory, add, down, engine_of, happens, punch, takes, turn
from .servers import Received, Receiver, Reply


@pytest_twisted.ensureDeferred
async def test_two_nodes_deliver_each_event_by_one_of_them(make_rig, database: str) -> None:
    """Whichever stores it; the one that holds the lease goes on."""
    one, other = Memory(), Memory()
    nodes = (
        await make_rig(database=database, plugins=[one]),
        await make_rig(database=database, plugins=[other]),
    )
    await nodes[0].exchange()
    await nodes[1].registry.follow()
    await add(nodes[0])
    for number in range(20):
        await punch(nodes[number % 2], [number], time=f"2026-03-01 13:00:{number:02}")
        await turn(*nodes)
    await turn(*nodes)
    pins = [int(pin) for pin in one.pins + other.pins]
    assert sorted(pins) == [*range(20)]
    assert (one.pins == []) != (other.pins == [])


@pytest_twisted.ensureDeferred
async def test_another_node_takes_over_from_one_that_has_died(make_rig, database: str) -> None:
    """With the same batch, under its id, once the lease is over; what the dead one does is void."""
    hanging: Deferred[Outcome] = Deferred()
    one, other = Memory(lambda batch: hanging), Memory()
    first = await make_rig(database=database, plugins=[one])
    second = await make_rig(database=database, plugins=[other])
    await first.exchange()
    await add(first)
    await punch(first, [1, 2])
    first.clock.advance(1)
    await engine_of(first).look()
    await happens(lambda: len(one.batches) == 1)
    second.clock.advance(15)
    await engine_of(second).look()
    await happens(lambda: not engine_of(second).is_delivering)
    assert other.batches == []
    await turn(second, seconds=10)
    assert other.batches == one.batches
    hanging.callback(Delivered())
    await happens(lambda: not engine_of(first).is_delivering)
    await punch(second, [3], time="2026-03-01 13:00:03")
    await turn(second)
    await turn(first)
    assert other.pins == ["1", "2", "3"]
    assert len(one.batches) == 1


@pytest_twisted.ensureDeferred
async def test_a_node_whose_lease_ran_out_knows_nothing_for_sure(make_rig, database: str) -> None:
    """What another one has delivered meanwhile is not sent again, and what follows is sent once."""
    one, other = Memory(down), Memory()
    first = await make_rig(database=database, plugins=[one])
    second = await make_rig(database=database, plugins=[other])
    await first.exchange()
    await add(first)
    await punch(first, [1, 2])
    await turn(first)
    assert len(one.batches) == 1
    await turn(second, seconds=25)
    await punch(first, [3], time="2026-03-01 13:00:03")
    await turn(second)
    assert other.pins == ["1", "2", "3"]
    one.answer = takes
    await turn(first, seconds=60)
    await turn(first)
    assert one.taken == []
    await punch(first, [4], time="2026-03-01 13:00:04")
    await turn(first)
    assert one.pins == ["4"]
    await turn(second, seconds=60)
    assert other.pins == ["1", "2", "3"]
    second_view = (await second.api("GET", "/forwarders/1")).json
    assert (second_view["backlog"], second_view["delivered"]) == (0, 4)


@pytest_twisted.ensureDeferred
async def test_a_failing_batch_is_tried_again_though_the_lease_ran_out(
    make_rig, database: str
) -> None:
    """A pause may be longer than a lease."""
    memory = Memory(down)
    rig = await make_rig(database=database, plugins=[memory])
    await rig.exchange()
    await add(rig)
    await punch(rig, [1])
    for _ in range(12):
        await turn(rig, seconds=60)
    memory.answer = takes
    for _ in range(11):
        await turn(rig, seconds=60)
    assert memory.pins == ["1"]


@pytest_twisted.ensureDeferred
async def test_a_node_that_stops_hands_over_at_once(make_rig, database: str) -> None:
    """It releases its leases."""
    one, other = Memory(), Memory()
    first = await make_rig(database=database, plugins=[one])
    second = await make_rig(database=database, plugins=[other])
    await first.exchange()
    await add(first)
    await punch(first, [1])
    await turn(first)
    await engine_of(first).finish()
    await punch(first, [2], time="2026-03-01 13:00:01")
    await turn(second)
    assert (one.pins, other.pins) == (["1"], ["2"])


@pytest_twisted.ensureDeferred
async def test_a_change_on_one_node_holds_on_the_other(make_rig, database: str) -> None:
    """A pause is obeyed within a second, wherever it was asked for."""
    one, other = Memory(), Memory()
    first = await make_rig(database=database, plugins=[one])
    second = await make_rig(database=database, plugins=[other])
    await first.exchange()
    await add(first)
    await punch(first, [1])
    await turn(first)
    await second.api("POST", "/forwarders/1/pause")
    await turn(first, second)
    await punch(first, [2], time="2026-03-01 13:00:01")
    await turn(first, second)
    assert one.pins == ["1"]
    await second.api("PATCH", "/forwarders/1", {"rules": {"devices": ["T9"]}})
    await second.api("POST", "/forwarders/1/resume")
    await turn(first, second)
    await turn(first, second)
    assert one.pins + other.pins == ["1"]


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does after the lease of a dead one."""
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.long
def test_a_daemon_that_is_killed_in_a_delivery_loses_nothing(
    tmp_path: pathlib.Path, receive: Callable[..., Receiver]
) -> None:
    """The batch comes again from the next process, as it was, under its id."""
    deaf: list[Received] = []
    daemons: list[Daemon] = []
    acknowledged = threading.Event()

    def decide(received: Received) -> Reply:
        if not deaf:
            deaf.append(received)
            # The batch may arrive before the terminal has read its own reply.
            assert acknowledged.wait(STOPPED_WITHIN)
            daemons[0].kill()
            return 0, {}, b""  # hangs up
        return 204, {}, b""

    receiver = receive(decide)
    data = tmp_path / "data"
    data.mkdir()
    with Daemon(data) as daemon:
        daemons.append(daemon)
        daemon.exchange("T1")
        settings = {"url": receiver.url, "allow_private": True, "rules": {"since": "2020-01-01"}}
        made = daemon.api("POST", "forwarders", {"name": "payroll", **settings})
        assert made["state"] == "active"
        body = b"".join(b"%d\t2026-03-01 08:00:%02d\t0\t1\n" % (pin, pin) for pin in range(40))
        assert daemon.upload("T1", body) == (200, b"OK: 40")
        acknowledged.set()
        wait_until(lambda: daemon.process.poll() is not None)
    with Daemon(data) as daemon:
        late = [b"99\t2026-03-01 09:00:00\t0\t1\n"]
        assert daemon.upload("T1", late[0])[0] == 200
        eventually(lambda: "99" in [event["data"]["pin"] for event in receiver.events])
    first, *others = receiver.received
    assert deaf == [first]
    again = next(one for one in others if one.events[0]["id"] == first.events[0]["id"])
    assert (again.body, again.headers["webhook-id"]) == (first.body, first.headers["webhook-id"])
    ids = {event["id"]: event["data"]["pin"] for event in receiver.events}
    assert sorted(map(int, ids.values())) == [*range(40), 99]

"""The engine: everything once per id, in order, whatever receivers do."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from zkpush.values.forwarding import (
    BatchLimits,
    Delivered,
    ForwardBatch,
    Gone,
    Outcome,
    RefusedBatch,
    RetryLater,
)

from ..rig import Rig
from .receivers import Memory, add, down, engine_of, happens, punch, shown, takes, turn, turns

HOUR = 3600


@pytest.fixture
def memory() -> Memory:
    """A receiver."""
    return Memory()


@pytest_twisted.async_yield_fixture
async def fed(make_rig, memory: Memory):
    """A daemon with a terminal and a forwarder."""
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig)
    yield rig


def poisoned(*pins: str):
    """A receiver that answers an error to batches with events of some users."""

    def answer(batch: ForwardBatch) -> Outcome:
        if {event.data["pin"] for event in batch.events}.isdisjoint(pins):
            return Delivered()
        return RefusedBatch("HTTP 500")

    return answer


@pytest_twisted.ensureDeferred
async def test_a_punch_is_forwarded_within_a_second(fed: Rig, memory: Memory) -> None:
    """With a stable id, as everyone may see it, and without the fields that have no value."""
    await punch(fed, [7])
    await turn(fed)
    (batch,) = memory.taken
    (event,) = batch.events
    assert (event.id, event.type) == ("rec_1", "attendance")
    assert event.timestamp == "2026-03-01T12:00:00.000Z"
    assert event.data["utc"] == "2026-03-01T13:00:00Z"
    assert {"id", "device", "pin", "time", "status_meaning"} <= event.data.keys()
    assert None not in event.data.values()
    view = await shown(fed)
    assert (view["backlog"], view["delivered"], view["last_error"]) == (0, 1, None)


@pytest_twisted.ensureDeferred
async def test_an_upload_costs_no_statement_more(make_rig, memory: Memory) -> None:
    """Attendance is its own source: an upload is the same with a forwarder and without one."""
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await punch(rig, [1])
    counts = []
    for pin in (2, 3):
        statements: list[str] = []
        await rig.store.write(lambda tx, take=statements.append: tx.driver.set_trace_callback(take))
        await punch(rig, [pin])
        await rig.store.write(lambda tx: tx.driver.set_trace_callback(None))
        counts.append([one for one in statements if not one.startswith("SELECT")])
        if pin == 2:
            await add(rig)
    assert [one[:25] for one in counts[0]] == [one[:25] for one in counts[1]]
    assert any("INSERT INTO attendance" in one for one in counts[0])


@pytest_twisted.ensureDeferred
async def test_a_receiver_that_is_down_for_an_hour_gets_everything_once(
    fed: Rig, memory: Memory
) -> None:
    """In order, and the first batch as it was at each attempt."""
    memory.answer = down
    for minute in range(60):
        await punch(fed, [minute], time=f"2026-03-01 13:{minute:02}:00")
        await turn(fed, seconds=60)
    assert memory.taken == []
    assert 10 < len(memory.batches) < 60
    assert len({(batch.id, batch.events[0].id) for batch in memory.batches}) == 1
    view = await shown(fed)
    assert (view["state"], view["backlog"], view["last_error"]) == ("active", 60, "nobody answers")
    assert view["failing_since_at"] == "2026-03-01T12:01:00.000Z"
    memory.answer = takes
    await turns(fed, 10, seconds=60)
    assert memory.pins == [str(minute) for minute in range(60)]
    assert len(set(memory.ids)) == 60
    view = await shown(fed)
    assert (view["backlog"], view["tries"], view["next_try_at"]) == (0, 0, None)


@pytest_twisted.ensureDeferred
async def test_a_poison_event_is_found_and_parked(fed: Rig, memory: Memory) -> None:
    """All others arrive; ids of events stay, those of the halves are new."""
    memory.answer = poisoned("13")
    await punch(fed, range(20))
    await turns(fed, 60)
    assert sorted(map(int, memory.pins)) == [pin for pin in range(20) if pin != 13]
    assert len(set(memory.ids)) == 19
    (letter,) = await fed.items("/forwarders/1/dead")
    assert letter["event"]["data"]["pin"] == "13"
    assert "HTTP 500" in letter["reason"]
    first = [batch for batch in memory.batches if len(batch.events) == 20]
    assert (len(first), len({batch.id for batch in first})) == (3, 1)
    assert len({batch.id for batch in memory.batches}) == len(
        {tuple(event.id for event in batch.events) for batch in memory.batches}
    )


@pytest_twisted.ensureDeferred
async def test_two_poison_events_side_by_side_are_parked(fed: Rig, memory: Memory) -> None:
    """The events between and after them are not lost with them."""
    memory.answer = poisoned("3", "4")
    await punch(fed, range(6))
    await turns(fed, 240)
    assert sorted(memory.pins) == ["0", "1", "2", "5"]
    dead = await fed.items("/forwarders/1/dead")
    assert [letter["event"]["data"]["pin"] for letter in dead] == ["3", "4"]


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_single_event_is_not_given_up_while_nothing_else_is_taken(
    fed: Rig, memory: Memory
) -> None:
    """A receiver that is broken for all events loses none; a later event shows which it is."""
    memory.answer = lambda batch: RefusedBatch("HTTP 500: database is down")
    await punch(fed, [1])
    await turns(fed, 60, seconds=60)
    await punch(fed, [2], time="2026-03-01 14:00:00")
    await turns(fed, 60, seconds=60)
    assert await fed.items("/forwarders/1/dead") == []
    memory.answer = takes
    await turns(fed, 11, seconds=60)
    assert memory.pins == ["1", "2"]


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_broken_receiver_of_many_events_loses_none(fed: Rig, memory: Memory) -> None:
    """Batches are split while it refuses everything; then all arrive, in order."""
    memory.answer = lambda batch: RefusedBatch("HTTP 500")
    await punch(fed, range(8))
    await turns(fed, 120, seconds=60)
    assert await fed.items("/forwarders/1/dead") == []
    memory.answer = takes
    await turns(fed, 12, seconds=60)
    assert memory.pins == [str(pin) for pin in range(8)]


@pytest_twisted.ensureDeferred
async def test_a_batch_is_given_up_after_three_days_and_can_be_replayed(
    fed: Rig, memory: Memory
) -> None:
    """Its events are dead letters with the reason; the problem says what to do."""
    memory.answer = down
    await punch(fed, [1, 2])
    await turns(fed, 80, seconds=HOUR)
    dead = await fed.items("/forwarders/1/dead")
    assert [letter["event"]["id"] for letter in dead] == ["rec_1", "rec_2"]
    assert dead[0]["reason"] == "Not delivered within three days: nobody answers"
    problems = {one["code"]: one for one in await fed.items("/problems")}
    assert problems["dead letters"]["detail"] == "2 events were given up."
    memory.answer = takes
    replayed = await fed.api("POST", "/forwarders/1/replay", {"ids": ["rec_2"]})
    assert replayed.json == {"queued": 1, "is_exact": True}
    await turns(fed, 2)
    assert memory.ids == ["rec_2"]
    everything = {"dead": True, "since": "2026-03-01T12:00:00Z"}
    found = (await fed.api("POST", "/forwarders/1/replay", everything)).json
    assert found == {"queued": 1, "is_exact": True}
    await turns(fed, 2)
    assert memory.ids == ["rec_2", "rec_1"]
    assert await fed.items("/forwarders/1/dead") == []


@pytest_twisted.ensureDeferred
async def test_a_receiver_may_park_single_events(fed: Rig, memory: Memory) -> None:
    """Events that it can never take are dead letters at once; the rest of the batch counts."""
    memory.answer = lambda batch: Delivered("1 of 2", {batch.events[0].id: "no such employee"})
    await punch(fed, [1, 2])
    await turn(fed)
    (letter,) = await fed.items("/forwarders/1/dead")
    assert (letter["event"]["id"], letter["reason"]) == ("rec_1", "no such employee")
    assert (await shown(fed))["delivered"] == 1


@pytest_twisted.ensureDeferred
async def test_the_receiver_says_when_to_come_again(fed: Rig, memory: Memory) -> None:
    """A pause that it asks for is kept."""
    memory.answer = lambda batch: RetryLater("HTTP 429", 300)
    await punch(fed, [1])
    await turn(fed)
    assert (await shown(fed))["next_try_at"] == "2026-03-01T12:05:01.000Z"
    await turns(fed, 29, seconds=10)
    assert len(memory.batches) == 1
    await turns(fed, 2, seconds=10)
    assert len(memory.batches) == 2


@pytest_twisted.ensureDeferred
async def test_a_receiver_that_wants_no_more_stops_the_forwarder(fed: Rig, memory: Memory) -> None:
    """Nothing is sent until it is resumed; then it goes on where it was."""
    memory.answer = lambda batch: Gone("HTTP 410 Gone")
    await punch(fed, [1])
    await turns(fed, 3)
    assert len(memory.batches) == 1
    view = await shown(fed)
    assert (view["state"], view["reason"]) == ("stopped", "HTTP 410 Gone")
    assert "forwarder stopped" in {one["code"] for one in await fed.items("/problems")}
    memory.answer = takes
    assert (await fed.api("POST", "/forwarders/1/resume")).json["state"] == "active"
    await turns(fed, 2)
    assert memory.pins == ["1"]


@pytest_twisted.ensureDeferred
async def test_a_dead_receiver_does_not_delay_another(make_rig) -> None:
    """One that never answers is waited for alone."""
    slow: list[Deferred[Outcome]] = []

    def answer(batch: ForwardBatch) -> Outcome | Deferred[Outcome]:
        if memory.targets[-1].name == "slow" and not slow:
            slow.append(Deferred())
            return slow[0]
        return Delivered()

    memory = Memory(answer)
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig, name="slow")
    await punch(rig, [1])
    rig.clock.advance(1)
    await engine_of(rig).look()
    await happens(lambda: bool(slow))
    await add(rig, name="quick")
    await punch(rig, [2], time="2026-03-01 13:00:01")
    rig.clock.advance(1)
    await engine_of(rig).look()
    await happens(lambda: memory.pins == ["2"])
    assert engine_of(rig).is_delivering
    for _ in range(30):
        rig.clock.advance(1)
        await engine_of(rig).look()
    await happens(lambda: not engine_of(rig).is_delivering)
    assert "longer than 30 seconds" in (await shown(rig))["last_error"]


@pytest_twisted.ensureDeferred
async def test_a_forwarder_that_raises_is_tried_again(fed: Rig, memory: Memory) -> None:
    """The class of the error is shown, not its text, which may quote secrets."""

    def answer(batch: ForwardBatch) -> Outcome:
        raise RuntimeError("password hunter2")

    memory.answer = answer
    await punch(fed, [1])
    await turn(fed)
    assert (await shown(fed))["last_error"] == "The forwarder failed: RuntimeError"
    memory.answer = takes
    await turns(fed, 3)
    assert memory.pins == ["1"]


@pytest_twisted.ensureDeferred
async def test_batches_are_limited_by_count_and_by_bytes(make_rig) -> None:
    """A portion is cut as the kind says; one event may be longer than a batch."""
    memory = Memory(limits=BatchLimits(events=3, bytes=1_000_000))
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig)
    await punch(rig, range(7))
    await turn(rig)
    assert [len(batch.events) for batch in memory.taken] == [3, 3, 1]
    memory.limits = BatchLimits(events=100, bytes=10)
    await punch(rig, range(2), time="2026-03-01 14:00:00")
    await turn(rig)
    assert [len(batch.events) for batch in memory.taken[3:]] == [1, 1]


@pytest_twisted.ensureDeferred
async def test_a_paused_forwarder_keeps_its_events(fed: Rig, memory: Memory) -> None:
    """They are delivered when it is resumed."""
    await fed.api("POST", "/forwarders/1/pause")
    await punch(fed, [1])
    await turns(fed, 3)
    assert memory.batches == []
    assert (await shown(fed))["backlog"] == 1
    await fed.api("POST", "/forwarders/1/resume")
    await turns(fed, 2)
    assert memory.pins == ["1"]


@pytest_twisted.ensureDeferred
async def test_other_events_are_forwarded_too(make_rig, memory: Memory) -> None:
    """With the place they have in the outbox as their id, and only of the chosen kinds."""
    rig = await make_rig(plugins=[memory])
    await add(rig, events=["device", "attendance"])
    await rig.exchange()
    await punch(rig, [1])
    await turns(rig, 2)
    kinds = [event.type for batch in memory.taken for event in batch.events]
    assert set(kinds) == {"device", "attendance"}
    assert {key.partition("_")[0] for key in memory.ids} == {"evt", "rec"}
    assert len(set(memory.ids)) == len(memory.ids)


@pytest_twisted.ensureDeferred
async def test_the_backlog_is_read_in_parts_and_memory_holds_one(
    fed: Rig, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver that was down gets what was stored meanwhile in parts, none of them twice."""
    monkeypatch.setattr("zkpush.manage.news.PART", 10)
    await punch(fed, range(95))
    await turns(fed, 3)
    assert [len(batch.events) for batch in memory.taken] == [10] * 9 + [5]
    assert memory.pins == [str(pin) for pin in range(95)]


@pytest_twisted.ensureDeferred
async def test_what_was_delivered_before_a_stop_is_not_sent_again(fed: Rig, memory: Memory) -> None:
    """A stop cancels the attempt that is running, and settles what came before it."""
    hanging: Deferred[Outcome] = Deferred()
    memory.limits = BatchLimits(events=1)
    memory.answer = lambda batch: Delivered() if len(memory.batches) == 1 else hanging
    await punch(fed, [1, 2])
    fed.clock.advance(1)
    await engine_of(fed).look()
    await happens(lambda: len(memory.batches) == 2)
    await engine_of(fed).finish()
    assert memory.open_deliveries == 0
    memory.answer = takes
    await turns(fed, 2)
    assert memory.pins == ["1", "2"]
    assert memory.batches[1] == memory.batches[2]


@pytest_twisted.ensureDeferred
async def test_a_removed_forwarder_sends_nothing_more(fed: Rig, memory: Memory) -> None:
    """Nor does anything of it stay."""
    memory.answer = down
    await punch(fed, [1])
    await turn(fed)
    assert (await fed.api("DELETE", "/forwarders/1")).status == 204
    memory.answer = takes
    await turns(fed, 3, seconds=60)
    assert memory.taken == []
    assert memory.open_deliveries == 0
    assert (await fed.api("GET", "/forwarders/1")).status == 404
    rows = await fed.store.read(
        lambda tx: tx.connection.exec_driver_sql(
            "SELECT count(*) FROM forward_batches"
        ).scalar_one()
    )
    assert rows == 0

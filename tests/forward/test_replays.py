"""Replays: events of a period come again, with the ids that they had."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.forward import replaying
from zkpush.values.forwarding import Delivered, ForwardBatch, Outcome, RefusedBatch

from ..rig import Rig
from .receivers import Memory, add, down, engine_of, punch, shown, takes, turn, turns


@pytest.fixture
def memory() -> Memory:
    """A receiver."""
    return Memory()


@pytest_twisted.async_yield_fixture
async def fed(make_rig: Any, memory: Memory) -> Any:
    """A daemon whose forwarder has delivered a punch at each of six minutes, from 12:00 UTC on."""
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig)
    for minute in range(6):
        await punch(rig, [minute], time=f"2026-03-01 13:{minute:02}:00")
        await turn(rig, seconds=60)
    assert memory.pins == ["0", "1", "2", "3", "4", "5"]
    memory.taken.clear()
    yield rig


async def replay(rig: Rig, **body: Any) -> dict[str, Any]:
    """Ask for a replay."""
    reply = await rig.api("POST", "/forwarders/1/replay", body)
    assert reply.status == 200, reply.raw
    found: dict[str, Any] = reply.json
    return found


@pytest_twisted.ensureDeferred
async def test_delivered_events_of_a_period_come_again(fed: Rig, memory: Memory) -> None:
    """In order, with their ids; from the start of the period until before its end."""
    period = {"since": "2026-03-01T12:01:00Z", "until": "2026-03-01T12:04:00Z"}
    assert await replay(fed, **period) == {"queued": 3, "is_exact": True}
    assert (await shown(fed))["replay_left"] > 0
    await turns(fed, 2)
    assert memory.ids == ["rec_2", "rec_3", "rec_4"]
    view = await shown(fed)
    assert (view["replay_left"], view["backlog"], view["delivered"]) == (None, 0, 9)
    audit = (await fed.items("/audit"))[-1]
    assert (audit["action"], audit["subject"]) == ("replay events", "forwarder payroll")
    assert "2026-03-01T12:01:00.000Z" in audit["detail"]


@pytest.mark.parametrize(
    ("body", "pins"),
    [
        ({"since": "2026-03-01T12:04:00Z"}, ["4", "5"]),
        ({"until": "2026-03-01T12:02:00Z"}, ["0", "1"]),
        ({"since": "2026-02-01T00:00:00Z"}, ["0", "1", "2", "3", "4", "5"]),
        ({"since": "2027-01-01T00:00:00Z", "until": "2028-01-01T00:00:00Z"}, []),
    ],
    ids=["since", "until", "all", "none"],
)
@pytest_twisted.ensureDeferred
async def test_a_period_may_be_open(
    fed: Rig, memory: Memory, body: dict[str, str], pins: list[str]
) -> None:
    """It begins with what is stored, and ends now, unless said otherwise."""
    assert (await replay(fed, **body))["queued"] == len(pins)
    await turns(fed, 2)
    assert memory.pins == pins
    assert (await shown(fed))["replay_left"] is None


@pytest_twisted.ensureDeferred
async def test_a_dry_run_only_counts(fed: Rig, memory: Memory) -> None:
    """Nothing is sent, and nothing is in the audit log."""
    before = len(await fed.items("/audit"))
    counted = await replay(fed, since="2026-03-01T12:04:00Z", dry_run=True)
    assert counted == {"queued": 2, "is_exact": True}
    await turns(fed, 2)
    assert memory.taken == []
    assert len(await fed.items("/audit")) == before


@pytest_twisted.ensureDeferred
async def test_many_events_are_not_counted(
    fed: Rig, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number is that of the rows to look at; only events are sent."""
    monkeypatch.setattr(replaying, "MOST_COUNTED", 3)
    found = await replay(fed, since="2026-03-01T12:02:00Z")
    assert not found["is_exact"]
    assert found["queued"] >= 4
    await turns(fed, 2)
    assert memory.pins == ["2", "3", "4", "5"]


@pytest_twisted.ensureDeferred
async def test_the_rules_apply_as_they_are_now(fed: Rig, memory: Memory) -> None:
    """Also the start date: what is from before it is not sent."""
    await fed.exchange("T2")
    await punch(fed, [9], sn="T2", time="2026-03-01 13:10:00")
    await turns(fed, 2)
    memory.taken.clear()
    rules = {"devices": ["T1"], "since": "2026-03-01T13:03:00Z"}
    await fed.api("PATCH", "/forwarders/1", {"rules": rules})
    assert (await replay(fed, since="2026-03-01T00:00:00Z"))["queued"] == 3
    await turns(fed, 2)
    assert memory.pins == ["3", "4", "5"]


@pytest_twisted.ensureDeferred
async def test_new_events_go_first(fed: Rig, memory: Memory) -> None:
    """A long replay does not delay them."""
    await replay(fed, since="2026-03-01T00:00:00Z")
    await punch(fed, [7], time="2026-03-01 13:20:00")
    await turns(fed, 2)
    assert memory.pins == ["7", "0", "1", "2", "3", "4", "5"]


@pytest_twisted.ensureDeferred
async def test_what_was_not_read_yet_is_not_sent_twice(fed: Rig, memory: Memory) -> None:
    """A replay ends where new events begin."""
    await fed.api("POST", "/forwarders/1/pause")
    await punch(fed, [8], time="2026-03-01 13:20:00")
    await replay(fed, since="2026-03-01T12:05:00Z")
    await fed.api("POST", "/forwarders/1/resume")
    await turns(fed, 3)
    assert memory.pins == ["8", "5"]


@pytest_twisted.ensureDeferred
async def test_a_replay_is_read_in_parts_and_goes_on_after_a_failure(
    fed: Rig, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its position is stored with its batches; nothing is left out, nor sent twice."""
    monkeypatch.setattr("zkpush.manage.news.PART", 2)
    refusals = ["HTTP 500"]

    def answer(batch: ForwardBatch) -> Outcome:
        is_refused = batch.events[0].id == "rec_3" and refusals
        return RefusedBatch(refusals.pop()) if is_refused else Delivered()

    memory.answer = answer
    await replay(fed, since="2026-03-01T00:00:00Z")
    await turn(fed)
    assert (await shown(fed))["replay_left"] is not None
    await engine_of(fed).finish()
    await turns(fed, 6)
    assert memory.ids == ["rec_1", "rec_2", "rec_3", "rec_4", "rec_5", "rec_6"]
    assert (await shown(fed))["replay_left"] is None


@pytest_twisted.ensureDeferred
async def test_one_replay_at_a_time(fed: Rig, memory: Memory) -> None:
    """A second one is refused until the first has ended, or is cancelled."""
    await fed.api("POST", "/forwarders/1/pause")
    await replay(fed, since="2026-03-01T12:04:00Z")
    again = await fed.api("POST", "/forwarders/1/replay", {"since": "2026-03-01T12:00:00Z"})
    assert again.status == 409
    assert "cancel it first" in again.json["detail"]
    await replay(fed, cancel=True)
    assert (await shown(fed))["replay_left"] is None
    await fed.api("POST", "/forwarders/1/resume")
    await turns(fed, 2)
    assert memory.taken == []


@pytest_twisted.ensureDeferred
async def test_events_of_the_outbox_are_replayed_too(make_rig: Any, memory: Memory) -> None:
    """Each table by itself, whichever ends first; the order is that of the first time."""
    rig = await make_rig(plugins=[memory])
    await add(rig, events=["device", "attendance"])
    await rig.exchange()
    for minute in range(4):
        await punch(rig, [minute], time=f"2026-03-01 13:{minute:02}:00")
        await rig.exchange(f"T{minute + 2}")
        await turn(rig, seconds=60)
    await turns(rig, 2)
    first = [*memory.ids]
    assert {key[:3] for key in first} == {"rec", "evt"}
    memory.taken.clear()
    assert (await replay(rig, since="2026-03-01T00:00:00Z"))["queued"] == len(first)
    await turns(rig, 3)
    assert sorted(memory.ids) == sorted(first)
    assert [key for key in memory.ids if key[:3] == "rec"] == [f"rec_{n}" for n in range(1, 5)]


@pytest_twisted.ensureDeferred
async def test_dead_letters_can_be_counted_and_chosen_by_period(fed: Rig, memory: Memory) -> None:
    """They stay in a dry run."""
    memory.answer = lambda batch: Delivered("", {one.id: "no employee" for one in batch.events})
    await punch(fed, [6, 7], time="2026-03-01 13:20:00")
    await turn(fed)
    memory.answer, memory.taken = takes, []
    assert (await replay(fed, dead=True, until="2026-03-01T12:01:00Z"))["queued"] == 0
    assert (await replay(fed, dead=True, dry_run=True))["queued"] == 2
    assert len(await fed.items("/forwarders/1/dead")) == 2
    assert (await replay(fed, dead=True))["queued"] == 2
    await turns(fed, 2)
    assert memory.pins == ["6", "7"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "Say what to send again"),
        ({"dry_run": True}, "Say what to send again"),
        ({"since": "soon"}, "since"),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "the period ends before it begins"),
        ({"cancel": True, "dead": True}, "cancel: it stands alone"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_mistakes_in_a_replay_are_explained(
    fed: Rig, body: dict[str, Any], words: str
) -> None:
    """Nothing is sent."""
    reply = await fed.api("POST", "/forwarders/1/replay", body)
    assert reply.status == 400
    assert words in reply.json["detail"]


@pytest_twisted.ensureDeferred
async def test_a_replay_waits_while_the_receiver_is_down(fed: Rig, memory: Memory) -> None:
    """And is delivered then, once per id."""
    memory.answer = down
    await replay(fed, since="2026-03-01T12:03:00Z")
    await turns(fed, 10, seconds=60)
    assert memory.taken == []
    memory.answer = takes
    await turns(fed, 11, seconds=60)
    assert memory.pins == ["3", "4", "5"]


@pytest_twisted.ensureDeferred
async def test_directions_of_a_replay_are_those_that_were_corrected(
    make_rig: Any, memory: Memory
) -> None:
    """A late punch counts for those before it, also when it is not in the period."""
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    rules = {"directions": {}, "since": "2026-03-01T00:00:00Z"}
    await add(rig, rules=rules)
    body = "7\t2026-03-01 {}:00:00\t255\t1\n"
    for hour in (8, 17, 6):
        await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", body.format(f"{hour:02}").encode())
        await turn(rig, seconds=3600)
    first = {event.id: event.data["direction"] for one in memory.taken for event in one.events}
    assert first == {
        "rec_1": "in",
        "rec_2": "out",
        "rec_3": "in",
        "rec_3_1": "out",
        "rec_3_2": "in",
    }
    memory.taken.clear()
    assert (await replay(rig, until="2026-03-01T13:30:00Z"))["queued"] == 2
    await turns(rig, 2)
    found = [(event.id, event.data["direction"]) for one in memory.taken for event in one.events]
    assert found == [("rec_1", "out"), ("rec_2", "in")]

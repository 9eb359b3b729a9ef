"""Corrections: instants that are found later, or found anew, and records that are read later."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from zkpush.device.zones import ZoneKeeper
from zkpush.protocol.rejects import Reject

from ..promises.setting_aside import keep
from ..rig import Rig
from .receivers import Memory, add, punch, shown, turn, turns

SINCE = {"since": "2026-01-01"}


def events(memory: Memory) -> list[tuple[str, str, Any]]:
    """Id, type and instant of all events that were taken."""
    taken = [event for batch in memory.taken for event in batch.events]
    return [(event.id, event.type, event.data.get("utc")) for event in taken]


async def follow_zones(rig: Rig) -> None:
    """Let the instants of waiting records be computed."""
    (keeper,) = (job for job in rig.daemon.jobs if isinstance(job, ZoneKeeper))
    await keeper.follow()


@pytest_twisted.ensureDeferred
async def test_records_wait_for_the_zone_of_their_terminal(make_rig) -> None:
    """They follow when it is set, as the events they are; other terminals do not wait."""
    memory = Memory()
    rig = await make_rig(plugins=[memory], timezone=None)
    await rig.exchange()
    await rig.exchange("T2")
    await rig.api("PATCH", "/devices/T2", {"timezone": "UTC"})
    await add(rig, rules=SINCE)
    await punch(rig, [1])
    await punch(rig, [2], sn="T2")
    await turns(rig, 2)
    assert memory.pins == ["2"]
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    await follow_zones(rig)
    await turns(rig, 2)
    assert events(memory) == [
        ("rec_2", "attendance", "2026-03-01T13:00:00Z"),
        ("rec_1", "attendance", "2026-03-01T12:00:00Z"),
    ]
    assert (await shown(rig))["backlog"] == 0


@pytest_twisted.ensureDeferred
async def test_a_record_that_was_not_read_before_its_zone_is_sent_once(make_rig) -> None:
    """A forwarder that was behind finds the record as it is now."""
    memory = Memory()
    rig = await make_rig(plugins=[memory], timezone=None)
    await rig.exchange()
    await add(rig, rules=SINCE)
    await punch(rig, [1])
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    await follow_zones(rig)
    await turns(rig, 3)
    assert [one[0] for one in events(memory)] == ["rec_1"]


@pytest_twisted.ensureDeferred
async def test_a_receiver_hears_of_an_instant_that_is_computed_again(make_rig) -> None:
    """By an event of its own, whose data has the id of the record."""
    memory = Memory()
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig, rules=SINCE)
    await punch(rig, [1, 2])
    await turn(rig)
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    assert (await rig.api("POST", "/devices/T1/recompute", {})).json["changed"] == 2
    await turns(rig, 2)
    first, second, *corrected = [event for batch in memory.taken for event in batch.events]
    assert [one.type for one in corrected] == ["attendance.corrected"] * 2
    assert [one.data["id"] for one in corrected] == [first.data["id"], second.data["id"]]
    assert {one.data["utc"] for one in corrected} == {"2026-03-01T12:00:00Z"}
    assert len({one.id for one in (first, second, *corrected)}) == 4
    await turns(rig, 3)
    assert len(memory.ids) == 4


@pytest_twisted.ensureDeferred
async def test_doubtful_records_that_were_held_back_follow(make_rig) -> None:
    """A time that the clock skipped is certain in the right zone."""
    memory = Memory()
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    await add(rig, rules={**SINCE, "doubt": "hold"})
    rig.clock.advance(40 * 86_400)
    await punch(rig, [1], time="2026-03-29 02:30:00")
    await turn(rig)
    assert memory.taken == []
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await rig.api("POST", "/devices/T1/recompute", {})
    await turns(rig, 2)
    assert events(memory) == [("rec_1", "attendance", "2026-03-29T02:30:00Z")]


@pytest_twisted.ensureDeferred
async def test_a_correction_of_many_records_is_sent_in_parts(
    make_rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A portion ends when it is large enough, however many records an event names."""
    monkeypatch.setattr("zkpush.handlers.forward.reading.MOST", 50)
    memory = Memory()
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig, rules=SINCE)
    await punch(rig, range(250))
    await turns(rig, 2)
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    await rig.api("POST", "/devices/T1/recompute", {})
    await turns(rig, 4)
    corrected = memory.ids[250:]
    assert len(corrected) == len(set(corrected)) == 250
    assert max(len(batch.events) for batch in memory.taken) <= 100


@pytest_twisted.ensureDeferred
async def test_corrections_are_not_chosen_alone(make_rig) -> None:
    """They belong to the records; a forwarder of other events gets none."""
    memory = Memory()
    rig = await make_rig(plugins=[memory])
    refused = await rig.api(
        "POST", "/forwarders", {"name": "x", "kind": "memory", "events": ["corrected"]}
    )
    assert refused.status == 400
    await rig.exchange()
    await add(rig, events=["device"], rules=SINCE)
    await punch(rig, [1])
    await turns(rig, 2)
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    await rig.api("POST", "/devices/T1/recompute", {})
    await turns(rig, 2)
    taken = {event.type for batch in memory.taken for event in batch.events}
    assert taken == {"device"}


@pytest_twisted.ensureDeferred
async def test_a_reject_that_is_read_later_is_forwarded(make_rig) -> None:
    """By the id of its record, which is a new one."""
    memory = Memory()
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig, rules=SINCE)
    reject = Reject("ATTLOG", "not understood", b"7\t2026-03-01 08:00:00\t0\t1")
    await keep(rig, reject)
    await punch(rig, [8])
    await turns(rig, 2)
    assert memory.pins == ["8"]
    assert (await rig.api("POST", "/rejects/retry", {"device": "T1"})).json["read"] == 1
    await turns(rig, 2)
    assert memory.pins == ["8", "7"]

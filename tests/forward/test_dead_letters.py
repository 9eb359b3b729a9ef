"""Dead letters: they are sent as their records are now, or discarded."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.forward import deadletters
from zkpush.values.forwarding import Delivered, ForwardBatch, ForwardedEvent, Outcome

from ..rig import Rig
from .receivers import Memory, add, punch, shown, takes, turn, turns

SINCE = {"since": "2026-01-01"}
UTC, MADRID = "2026-03-01T13:00:00Z", "2026-03-01T12:00:00Z"
"""The instant of a punch at 13:00, before and after the zone of its terminal is set."""


def parks(*ids: str) -> Any:
    """Take everything but some events."""

    def answer(batch: ForwardBatch) -> Outcome:
        named = {one.id: "no such employee" for one in batch.events if one.id in ids}
        return Delivered("thanks", named)

    return answer


def taken(memory: Memory) -> list[ForwardedEvent]:
    """All events that were taken or parked, in order."""
    return [event for batch in memory.taken for event in batch.events]


async def letters(rig: Rig) -> list[str]:
    """The ids of the events of dead letters."""
    return [one["event"]["id"] for one in await rig.items("/forwarders/1/dead")]


async def replay(rig: Rig, **body: Any) -> int:
    """Send dead letters again; their number."""
    reply = await rig.api("POST", "/forwarders/1/replay", {"dead": True, **body})
    assert reply.status == 200, reply.raw
    count: int = reply.json["queued"]
    return count


async def discard(rig: Rig, **body: Any) -> int:
    """Discard dead letters; their number."""
    reply = await rig.api("POST", "/forwarders/1/discard", body)
    assert reply.status == 200, reply.raw
    count: int = reply.json["discarded"]
    return count


async def move(rig: Rig) -> None:
    """Set the zone of the terminal, and compute the instants of its records again."""
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    assert (await rig.api("POST", "/devices/T1/recompute", {})).json["changed"]


@pytest.fixture
def memory() -> Memory:
    """A receiver."""
    return Memory()


@pytest_twisted.async_yield_fixture
async def fed(make_rig: Any, memory: Memory) -> Any:
    """A daemon with a terminal and a forwarder."""
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig, rules=SINCE)
    yield rig


@pytest_twisted.ensureDeferred
async def test_a_letter_has_the_data_of_its_record_now(fed: Rig, memory: Memory) -> None:
    """With the id that it had; the correction that was delivered meanwhile stays valid."""
    memory.answer = parks("rec_1")
    await punch(fed, [7])
    await turns(fed, 2)
    await move(fed)
    await turns(fed, 2)
    old, correction = taken(memory)
    assert (old.data["utc"], correction.data["utc"]) == (UTC, MADRID)
    memory.answer, memory.taken = takes, []
    assert await replay(fed) == 1
    await turns(fed, 2)
    (again,) = taken(memory)
    assert (again.id, again.type, again.timestamp) == (old.id, "attendance", old.timestamp)
    assert again.data == correction.data
    assert await letters(fed) == []


@pytest_twisted.ensureDeferred
async def test_a_correction_has_the_data_of_its_record_now(fed: Rig, memory: Memory) -> None:
    """It stays a correction of the same event."""
    await punch(fed, [7])
    await turns(fed, 2)
    memory.answer = lambda batch: Delivered("", {one.id: "locked" for one in batch.events})
    await move(fed)
    await turns(fed, 2)
    (stale,) = await letters(fed)
    memory.answer, memory.taken = takes, []
    await fed.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await fed.api("POST", "/devices/T1/recompute", {})
    await turns(fed, 2)
    assert await replay(fed) == 1
    await turns(fed, 2)
    delivered, again = taken(memory)
    assert (again.id, again.corrects, again.type) == (stale, "rec_1", "attendance.corrected")
    assert again.data == delivered.data
    assert again.data["utc"] == UTC


@pytest_twisted.ensureDeferred
async def test_a_letter_that_the_rules_leave_out_stays(make_rig: Any, memory: Memory) -> None:
    """A punch that was withdrawn meanwhile is not sent; it can be discarded."""
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig, rules={**SINCE, "minimum_gap_seconds": 600})
    memory.answer = parks("rec_1")
    await punch(rig, [7], time="2026-03-01 13:05:00")
    await turns(rig, 2)
    await punch(rig, [7], time="2026-03-01 13:00:00")
    await turns(rig, 2)
    assert [one.type for one in taken(memory)][-1] == "attendance.withdrawn"
    memory.answer, memory.taken = takes, []
    assert await replay(rig, dry_run=True) == 0
    assert await replay(rig) == 0
    await turns(rig, 2)
    assert taken(memory) == []
    assert await letters(rig) == ["rec_1"]
    assert await discard(rig, ids=["rec_1"]) == 1
    assert await letters(rig) == []


@pytest_twisted.ensureDeferred
async def test_other_events_are_sent_as_they_were(make_rig: Any, memory: Memory) -> None:
    """Only records change."""
    rig = await make_rig(plugins=[memory])
    await add(rig, events=["device"])
    memory.answer = lambda batch: Delivered("", {one.id: "locked" for one in batch.events})
    await rig.exchange()
    await turns(rig, 2)
    first = taken(memory)
    assert first
    memory.answer, memory.taken = takes, []
    assert await replay(rig) == len(first)
    await turns(rig, 2)
    assert taken(memory) == first


@pytest_twisted.ensureDeferred
async def test_a_row_of_another_database_keeps_its_correction(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A letter from before the correction does not put the old value back."""
    path = tmp_path_factory.mktemp("payroll") / "payroll.sqlite"

    def run(statement: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(path) as other:
            return other.execute(statement).fetchall()

    run("CREATE TABLE punches (event_id TEXT PRIMARY KEY, pin TEXT, utc TEXT, UNIQUE (pin, utc))")
    run(f"INSERT INTO punches VALUES ('of somebody else', '7', '{UTC}')")  # noqa: S608 - no outside text
    columns = {"event_id": "event_id", "pin": "pin", "utc": "utc"}
    settings = {"url": f"sqlite:///{path}", "table": "punches", "columns": columns}
    await rig.exchange()
    await add(rig, kind="sql", settings={**settings, "allow_private": True}, rules=SINCE)
    await punch(rig, [7, 8])
    await turns(rig, 2)
    assert await letters(rig) == ["rec_1"]
    await move(rig)
    await turns(rig, 2)
    run("DELETE FROM punches WHERE event_id = 'of somebody else'")
    corrected = [("rec_1", "7", MADRID), ("rec_2", "8", MADRID)]
    assert run("SELECT * FROM punches ORDER BY event_id") == corrected
    assert await replay(rig) == 1
    await turns(rig, 2)
    assert run("SELECT * FROM punches ORDER BY event_id") == corrected
    assert (await shown(rig))["delivered"] == 4


@pytest_twisted.ensureDeferred
async def test_a_line_of_a_file_keeps_its_correction(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Events that were given up while the folder was missing do not put old values back."""
    folder = tmp_path_factory.mktemp("payroll") / "mount"
    settings = {"folder": str(folder), "columns": ["pin", "utc"], "header": False}
    folder.mkdir()
    await rig.exchange()
    await add(rig, kind="csv", settings=settings, rules=SINCE)
    folder.rmdir()
    await punch(rig, [7])
    await turns(rig, 40, seconds=40_000)
    assert await letters(rig) == ["rec_1"]
    folder.mkdir()
    await move(rig)
    await turns(rig, 11, seconds=60)
    file = folder / "punches-2026-03-01.csv"
    corrected = file.read_text()
    assert MADRID in corrected
    assert await replay(rig) == 1
    await turns(rig, 2)
    assert file.read_text() == corrected
    assert (await shown(rig))["backlog"] == 0


@pytest_twisted.ensureDeferred
async def test_letters_are_discarded(fed: Rig, memory: Memory) -> None:
    """By event, by period or all; the audit log says how many, and records stay stored."""
    memory.answer = lambda batch: Delivered("", {one.id: "locked" for one in batch.events})
    await punch(fed, range(4))
    await turns(fed, 2)
    assert await discard(fed, all=True, dry_run=True) == 4
    assert len(await letters(fed)) == 4
    assert await discard(fed, ids=["rec_2", "rec_9"]) == 1
    assert await letters(fed) == ["rec_1", "rec_3", "rec_4"]
    assert await discard(fed, until="2026-03-01T00:00:00Z") == 0
    assert await discard(fed, since="2026-03-01T00:00:00Z") == 3
    assert await letters(fed) == []
    audited = await fed.items("/audit?action=discard+events")
    assert [one["detail"].partition(";")[0] for one in audited] == [
        "1 dead letter",
        "3 dead letters",
    ]
    assert len(await fed.items("/attendance")) == 4
    await turn(fed)
    codes = {one["code"] for one in await fed.items("/problems")}
    assert "dead letters" not in codes


@pytest_twisted.ensureDeferred
async def test_many_letters_are_handled_in_parts(
    fed: Rig, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is sent or discarded once, in order."""
    monkeypatch.setattr(deadletters, "AT_ONCE", 3)
    memory.answer = lambda batch: Delivered("", {one.id: "locked" for one in batch.events})
    await punch(fed, range(8))
    await turns(fed, 2)
    memory.answer, memory.taken = takes, []
    assert await replay(fed, ids=["rec_2", "rec_5", "rec_8"]) == 3
    await turns(fed, 3)
    assert memory.ids == ["rec_2", "rec_5", "rec_8"]
    assert await discard(fed, all=True) == 5
    assert await letters(fed) == []


@pytest.mark.parametrize(
    "body",
    [{}, {"dry_run": True}, {"all": True, "ids": ["rec_1"]}, {"ids": [], "since": "2026-01-01"}],
    ids=["nothing", "only counts", "all and some", "some and a period"],
)
@pytest_twisted.ensureDeferred
async def test_what_to_discard_has_to_be_said(fed: Rig, body: dict[str, Any]) -> None:
    """A request that is not clear discards nothing."""
    reply = await fed.api("POST", "/forwarders/1/discard", body)
    assert reply.status == 400
    assert "Say which dead letters" in reply.json["detail"]

"""Punches that arrive late: in the end a receiver has the same as if they had come in order."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
import pytest_twisted
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from twisted.internet import reactor

from zkpush.handlers.attendance.api import RECORDS
from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.schema import attendance
from zkpush.handlers.forward.model import (
    DirectionRule,
    ForwarderState,
    ForwardRules,
    StoredForwarder,
)
from zkpush.handlers.forward.reading import read_portion_thd
from zkpush.manage.news import Cursor
from zkpush.model import CORRECTED
from zkpush.persist.devices import DeviceStore
from zkpush.persist.events import EventStore
from zkpush.persist.recompute import read_part, reckon_anew, write_part
from zkpush.persist.schema import events
from zkpush.persist.sqlite import SQLiteStores
from zkpush.values.forwarding import ForwardedEvent

from ..keys import KEY
from ..persist.contract import MADRID, UTC, add_terminal, rows
from ..rig import Rig
from .receivers import Memory, add, turns
from .test_rules import fed, lines

NOW = 1_772_600_000_000  # 2026-03-04T04:53:20Z
START = "2026-03-02T10:00:00Z"
RULES = [
    ForwardRules(since="2026-01-01", directions=DirectionRule()),
    ForwardRules(since="2026-01-01", directions=DirectionRule(day_starts="12:00")),
    ForwardRules(since=START, directions=DirectionRule()),
    ForwardRules(since="2026-01-01", directions=DirectionRule(), minimum_gap_seconds=1200),
    ForwardRules(since="2026-01-01", minimum_gap_seconds=1200),
    ForwardRules(
        since="2026-01-01",
        directions=DirectionRule(),
        fields={"id": "{id}", "pin": "{pin}", "device": "{device}", "time": "{time}"},
    ),
]


@attrs.frozen
class Made:
    """A punch: of whom, where, when (minutes after 2026-03-01), and the chosen state."""

    pin: str
    device: str
    minute: int
    status: int

    @property
    def time(self) -> str:
        """The wall clock of the terminal."""
        day, minute = divmod(self.minute, 1440)
        return f"2026-03-0{1 + day} {minute // 60:02}:{minute % 60:02}:00"

    @property
    def line(self) -> str:
        """Its line in an upload."""
        return f"{self.pin}\t{self.time}\t{self.status}\t1\n"


PUNCHES = st.lists(
    st.builds(
        Made,
        pin=st.sampled_from("12"),
        device=st.sampled_from(["T1", "T2"]),
        minute=st.integers(0, 220).map(lambda some: some * 13),
        status=st.sampled_from([255, 255, 255, 0, 1]),
    ),
    min_size=2,
    max_size=12,
    unique_by=lambda one: (one.pin, one.device, one.minute),
)


def forwarder(rules: ForwardRules) -> StoredForwarder:
    """A forwarder with rules."""
    return StoredForwarder(
        id=1,
        name="payroll",
        kind="memory",
        state=ForwarderState.ACTIVE,
        reason=None,
        events=("attendance",),
        rules=rules,
        settings={},
        secrets=(),
        created_at=0,
        created_by="test",
        revision=0,
        event_cursor=0,
        record_cursor=0,
        queued=0,
        delivered=0,
        tries=0,
        failing_since_at=None,
        next_at=None,
        last_error=None,
        last_error_at=None,
        last_delivered_at=None,
    )


class Reader:
    """A receiver that keeps the last data of each subject, as docs/forwarding.md says."""

    def __init__(self, stored: StoredForwarder) -> None:
        self._stored = stored
        self._after = Cursor(0, 0)
        self._ids: set[str] = set()
        self._kept: dict[str, dict[str, Any]] = {}

    def read(self, tx: Any) -> None:
        """Take what follows."""
        while True:
            portion = read_portion_thd(tx, self._stored, RECORDS, self._after)
            for event in portion.events:
                self._take(event)
            if portion.end == self._after:
                return
            self._after = portion.end

    def _take(self, event: ForwardedEvent) -> None:
        assert event.id not in self._ids
        self._ids.add(event.id)
        if event.is_withdrawn:
            self._kept.pop(event.subject, None)
        else:
            self._kept[event.subject] = event.data

    @property
    def state(self) -> set[tuple[object, ...]]:
        """What it has, but for numbers and times of receipt."""
        names = "pin", "device", "time", "utc", "direction"
        return {tuple(data.get(name) for name in names) for data in self._kept.values()}


def clear(tx: Any) -> None:
    """Begin anew."""
    tx.connection.execute(delete(attendance))
    tx.connection.execute(delete(events))


def upload(tx: Any, punches: Sequence[Made], clocks: dict[str, Any]) -> None:
    """Store punches, in this order."""
    for sn, several in itertools.groupby(punches, key=lambda one: one.device):
        body = "".join(one.line for one in several)
        device = tx[DeviceStore].find(sn)
        tx[AttendanceInserts].add(device.id, rows(body), clocks[sn], NOW)
        tx[AttendanceInserts].flush()


def recompute(tx: Any, sn: str, clock: Any) -> None:
    """Compute the instants of a terminal again, as `recompute` does."""
    device = tx[DeviceStore].find(sn)
    part = read_part(tx, table=attendance, device_id=device.id, after=0, limit=1000, waiting=False)
    found = reckon_anew(part, clock, None, None)
    if found:
        write_part(tx, attendance, found)
        data = {
            "device": sn,
            "table": "attendance",
            "ids": [one.key for one in found],
            "doubts": [one.was for one in found],
        }
        tx[EventStore].add(CORRECTED, data, NOW)


def check_any_order(tx: Any) -> None:
    """Try many orders in one transaction."""

    @settings(max_examples=100, phases=[Phase.reuse, Phase.generate])
    @given(st.sampled_from(RULES), PUNCHES, st.data())
    def in_any_order(rules: ForwardRules, made: list[Made], data: st.DataObject) -> None:
        order = data.draw(st.permutations(made), "order")
        cuts = data.draw(st.sets(st.integers(1, len(made) - 1)), "read before")
        mended = data.draw(st.none() | st.integers(0, len(made)), "zone is mended before")
        # A punch whose instant moves across the start is not taken back.
        mended = None if rules.since == START else mended
        right = {"T1": UTC, "T2": UTC if mended is None else MADRID}

        clear(tx)
        reader, clocks = Reader(forwarder(rules)), {"T1": UTC, "T2": UTC}
        for place, one in enumerate([*order, None]):
            if place in cuts:
                reader.read(tx)
            if place == mended:
                clocks = right
                recompute(tx, "T2", MADRID)
            if one is not None:
                upload(tx, [one], clocks)
        reader.read(tx)

        clear(tx)
        expected = Reader(forwarder(rules))
        by_time = sorted(made, key=lambda one: (right[one.device].utc(one.time), one.device))
        upload(tx, by_time, right)
        expected.read(tx)
        assert reader.state == expected.state

    in_any_order()


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
@pytest_twisted.ensureDeferred
async def test_the_order_of_arrival_does_not_matter() -> None:
    """Whatever comes late, in whatever portions, and whenever a zone is mended."""
    store: Any = SQLiteStores().open("memory:", KEY, reactor)
    store.start()
    for sn in ("T1", "T2"):
        await add_terminal(store, sn)
    await store.write(check_any_order)
    await store.stop()


LATE = "1,2026-03-01 10:00:00,255,1"
EARLIER = (
    "1,2026-03-01 08:00:00,255,1",
    "1,2026-03-01 12:00:00,255,1",
    "2,2026-03-01 11:00:00,1,1",
)


def told(memory: Memory) -> list[tuple[object, ...]]:
    """Id, type, corrected event and direction of all events that were taken."""
    return [
        (one.id, one.type, one.corrects, one.data.get("direction"))
        for batch in memory.taken
        for one in batch.events
    ]


@pytest_twisted.ensureDeferred
async def test_a_late_punch_corrects_the_later_ones_of_its_day(make_rig) -> None:
    """By events of their own, which name the event that they correct; other people are left out."""
    rig, memory = await fed(make_rig, {"directions": {}})
    await lines(rig, *EARLIER, "1,2026-03-02 08:00:00,255,1")
    await turns(rig, 2)
    await lines(rig, LATE, sn="T2")
    await turns(rig, 2)
    assert told(memory) == [
        ("rec_1", "attendance", None, "in"),
        ("rec_2", "attendance", None, "out"),
        ("rec_3", "attendance", None, "out"),
        ("rec_4", "attendance", None, "in"),
        ("rec_5", "attendance", None, "out"),
        ("rec_5_2", "attendance.corrected", "rec_2", "in"),
    ]
    await turns(rig, 2)
    assert len(memory.ids) == 6


@pytest_twisted.ensureDeferred
async def test_a_punch_that_falls_into_the_gap_of_a_late_one_is_withdrawn(make_rig) -> None:
    """And comes back if an even earlier one lets it pass."""
    rig, memory = await fed(make_rig, {"minimum_gap_seconds": 60})
    for second in (50, 30, 0):
        await lines(rig, f"1,2026-03-01 08:01:{second:02},255,1")
        await turns(rig, 2)
    await lines(rig, "1,2026-03-01 08:00:40,255,1")
    await turns(rig, 2)
    assert [one[:3] for one in told(memory)] == [
        ("rec_1", "attendance", None),
        ("rec_2", "attendance", None),
        ("rec_2_1", "attendance.withdrawn", "rec_1"),
        ("rec_3", "attendance", None),
        ("rec_3_2", "attendance.withdrawn", "rec_2"),
        ("rec_4", "attendance", None),
        ("rec_4_1", "attendance.corrected", "rec_1"),
        ("rec_4_3", "attendance.withdrawn", "rec_3"),
    ]


@pytest_twisted.ensureDeferred
async def test_without_a_field_for_the_direction_nothing_is_corrected(make_rig) -> None:
    """The receiver would see the same data."""
    rig, memory = await fed(make_rig, {"directions": {}, "fields": {"employee": "{pin}"}})
    await lines(rig, *EARLIER)
    await turns(rig, 2)
    await lines(rig, LATE)
    await turns(rig, 2)
    assert memory.ids == ["rec_1", "rec_2", "rec_3", "rec_4"]


@pytest_twisted.ensureDeferred
async def test_files_of_days_are_written_again(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With the new direction, and without a line that is withdrawn, also after a start."""
    folder = tmp_path_factory.mktemp("payroll")
    settings = {"folder": str(folder), "columns": ["pin", "clock", "direction"], "header": False}
    rules = {"since": "2026-01-01", "directions": {}, "minimum_gap_seconds": 60}
    await rig.exchange()
    await add(rig, kind="csv", settings=settings, rules=rules)
    await lines(rig, *EARLIER)
    await turns(rig, 2)
    await lines(rig, LATE, "2,2026-03-01 10:59:30,1,1")
    await turns(rig, 2)
    file = folder / "punches-2026-03-01.csv"
    expected = ["1,08:00:00,in", "1,10:00:00,out", "2,10:59:30,out", "1,12:00:00,in"]
    assert file.read_text().split() == expected
    await rig.api("PATCH", "/forwarders/1", {"settings": {"delimiter": ";"}})
    await lines(rig, "1,2026-03-01 13:00:00,255,1")
    await turns(rig, 3)
    assert file.read_text().replace(";", ",").split() == [*expected, "1,13:00:00,out"]

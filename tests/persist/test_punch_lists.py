"""Lists of attendance records by person and by terminal, which are extended late."""

from __future__ import annotations

import datetime
import itertools

import pytest
import pytest_twisted
from sqlalchemy import delete, func, select
from twisted.internet.task import Clock

from zkpush.handlers.attendance import chronology
from zkpush.handlers.attendance.chronology import ChronologicalPunches, TimePlace
from zkpush.handlers.attendance.gaps import punched_thd
from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.jobs import EVERY, PART, ListExtension
from zkpush.handlers.attendance.lists import LISTS, last_listed
from zkpush.handlers.attendance.model import Punch, PunchFilter
from zkpush.handlers.attendance.schema import attendance
from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.model import DeviceState, Page
from zkpush.persist.devices import DeviceStore
from zkpush.persist.store import Store
from zkpush.persist.transaction import Transaction

from ..keys import KEY
from .conftest import opened
from .contract import NOW, UTC, rows

DUE = 50
NUMBER = 160
TERMINALS = 3
PEOPLE = 7
IN_MAIN = ("T1", "T2")
START = datetime.datetime(2026, 1, 5, 8)


def punch(number: int) -> bytes:
    """A record of one person, a minute after the record before."""
    time = START + datetime.timedelta(minutes=number)
    return f"{number % PEOPLE}\t{time}\t0\t1\n".encode()


def arrive(numbers: range):
    """Store records, each from another terminal than the one before."""

    def unit(tx: Transaction) -> None:
        for number in numbers:
            key = number % TERMINALS + 1
            tx[AttendanceInserts].add(key, rows(punch(number)), UTC, NOW)
            tx.flush()  # ids in the order of numbers

    return unit


def set_up(tx: Transaction) -> None:
    """Three terminals."""
    for number in range(1, TERMINALS + 1):
        tx[DeviceStore].add(f"T{number}", DeviceState.APPROVED, None, NOW)


def all_pages(tx: Transaction, wanted: PunchFilter, *, newest_first: bool) -> list[Punch]:
    """All records that match, read in pages of nine."""
    found: list[Punch] = []
    part = Page(9, newest_first=newest_first)
    while page := tx[AttendanceStore].page(part, wanted):
        found += page
        last = page[-1].id
        part = Page(9, before=last, newest_first=True) if newest_first else Page(9, after=last)
    return found


FILTERS = [
    PunchFilter(pin="3"),
    PunchFilter(pin="3", device="T2"),
    PunchFilter(pin="3", since=int(START.replace(tzinfo=datetime.UTC).timestamp()) + 6000),
    PunchFilter(device="T2"),
    PunchFilter(device="T2", received_since=NOW),
    PunchFilter(device="T2", received_since=NOW + 10**9),
    PunchFilter(pin="nobody"),
]


def matches(one: Punch, wanted: PunchFilter) -> bool:
    """Whether a record is wanted."""
    return (
        wanted.pin in (None, one.pin)
        and wanted.device in (None, one.device)
        and (wanted.since is None or one.utc >= wanted.since)
        and (wanted.received_since is None or one.received_at >= wanted.received_since)
    )


def check_lists(tx: Transaction, listed: int, count: int) -> None:
    """Compare lists with all records, in both orders; `listed` records are in the lists."""
    assert last_listed(tx.connection) == listed
    every = tx[AttendanceStore].page(Page(10**6))
    assert [one.id for one in every] == [*range(1, count + 1)]
    for wanted in FILTERS:
        expected = [one for one in every if matches(one, wanted)]
        assert all_pages(tx, wanted, newest_first=False) == expected
        assert all_pages(tx, wanted, newest_first=True) == expected[::-1]
    times = sorted(one.utc for one in every)
    for place in (3, len(times) // 2, len(times) - 3):
        at, pins = times[place], [*map(str, range(PEOPLE)), "nobody"]
        before = {one.pin for one in every if one.utc < at}
        assert punched_thd(tx, pins, PunchFilter(until=at)) == before
        assert punched_thd(tx, pins[:2], PunchFilter(until=at)) == before & {"0", "1"}
        since = {one.pin for one in every if one.utc >= at}
        assert punched_thd(tx, pins, PunchFilter(since=at)) == since


def entries(tx: Transaction) -> list[int]:
    """How many entries each list has."""
    return [
        tx.connection.execute(select(func.count()).select_from(one.table)).scalar_one()
        for one in LISTS
    ]


@pytest_twisted.ensureDeferred
async def test_lists_hold_the_same_records_however_many_are_listed(url: str) -> None:
    """Records that are in the lists, and newer ones, are found alike, in both orders."""
    store = opened(url, KEY)
    try:
        await store.write(set_up)
        job = ListExtension(store, Clock(), DUE)
        for start, end, listed in ((0, 49, 0), (49, 50, 50), (50, 60, 50), (60, 260, 250)):
            await store.write(arrive(range(start, end)))
            await job.extend()
            await store.read(lambda tx, listed=listed, end=end: check_lists(tx, listed, end))
            assert await store.read(entries) == [listed, listed]
    finally:
        await store.stop()


class Interrupted(Exception):
    """Raised in place of a write."""


class FailingStore:
    """A store whose writes fail after a number of them."""

    def __init__(self, store: Store, writes: int) -> None:
        self.read = store.read
        self._store = store
        self._left = itertools.count(writes, -1)

    def write(self, unit):
        """Write, or fail."""
        if next(self._left) <= 0:
            raise Interrupted
        return self._store.write(unit)


@pytest.mark.parametrize("writes", range(3))
@pytest_twisted.ensureDeferred
async def test_an_extension_that_was_cut_short_is_repeated(url: str, writes: int) -> None:
    """Records are found once, before and after the repetition."""
    store = opened(url, KEY)
    try:
        await store.write(set_up)
        await store.write(arrive(range(60)))
        with pytest.raises(Interrupted):
            await ListExtension(FailingStore(store, writes), Clock(), DUE).extend()
        await store.read(lambda tx: check_lists(tx, 0, 60))
        await ListExtension(store, Clock(), DUE).extend()
        await store.read(lambda tx: check_lists(tx, DUE, 60))
    finally:
        await store.stop()


@pytest_twisted.ensureDeferred
async def test_lists_go_on_after_records_that_were_all_erased(url: str) -> None:
    """An extension whose records are gone adds nothing; the next one adds those that follow."""
    store = opened(url, KEY)

    def erase(tx: Transaction) -> None:
        tx.connection.execute(delete(attendance).where(attendance.c.id <= DUE))

    try:
        await store.write(set_up)
        await store.write(arrive(range(2 * DUE)))
        await store.write(erase)
        await ListExtension(store, Clock(), DUE).extend()
        assert await store.read(lambda tx: last_listed(tx.connection)) == 2 * DUE
        assert await store.read(entries) == [DUE, DUE]
    finally:
        await store.stop()


@pytest_twisted.ensureDeferred
async def test_units_that_extend_lists_are_short(url: str) -> None:
    """No unit of work writes more than a thousand entries, in the order of the list."""
    store = opened(url, KEY)
    written: list[list[tuple[object, int]]] = []

    class Watched:
        read = store.read

        def write(self, unit):
            entries = unit.keywords.get("entries")
            written.append([*zip(entries.keys, entries.ids, strict=True)] if entries else [])
            return store.write(unit)

    try:
        await store.write(set_up)
        await store.write(arrive(range(PART + 200)))
        await ListExtension(Watched(), Clock(), PART + 200).extend()
        assert [len(entries) for entries in written] == [PART, 200, PART, 200, 0]
        assert all(entries == sorted(entries) for entries in written)
    finally:
        await store.stop()


@pytest_twisted.ensureDeferred
async def test_lists_are_extended_by_themselves(url: str) -> None:
    """The job looks for new records every few seconds."""
    store, clock = opened(url, KEY), Clock()
    job = ListExtension(store, clock, DUE)
    try:
        await store.write(set_up)
        job.startService()
        await store.write(arrive(range(DUE)))
        while await store.read(lambda tx: last_listed(tx.connection)) < DUE:
            clock.advance(EVERY)
        await job.stopService()
        await store.read(lambda tx: check_lists(tx, DUE, DUE))
    finally:
        await store.stop()


def chronological(tx: Transaction, wanted: PunchFilter, *, oldest_first: bool) -> list[Punch]:
    """All records that match, by their time, read in pages of nine."""
    found: list[Punch] = []
    past: TimePlace | None = None
    while True:
        part = tx[ChronologicalPunches].part(wanted, 9, past, oldest_first=oldest_first)
        found += part.punches
        if part.next is None:
            return found
        past = part.next


@pytest_twisted.ensureDeferred
async def test_chronological_pages_hold_each_record_once(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages by time are the same, whether a list or the index of times finds the records."""
    store = opened(url, KEY)
    filters = [*(one for one in FILTERS if one.received_since is None), PunchFilter(area="main")]

    def check(tx: Transaction) -> None:
        every = sorted(tx[AttendanceStore].page(Page(10**6)), key=lambda one: one.time)
        assert [one.time for one in every] != [one.time for one in tx[AttendanceStore].page(Page())]
        for wanted in filters:
            expected = [one for one in every if matches(one, wanted)]
            if wanted.area is not None:
                expected = [one for one in expected if one.device in IN_MAIN]
            assert expected or wanted.pin == "nobody"
            assert chronological(tx, wanted, oldest_first=False) == expected[::-1]
            assert chronological(tx, wanted, oldest_first=True) == expected

    try:
        await store.write(set_up)
        await store.write(
            lambda tx: [tx[DeviceStore].change(key, {"area": "main"}) for key in (1, 2)]
        )
        await store.write(arrive(range(DUE, NUMBER)))
        await store.write(arrive(range(DUE)))
        await ListExtension(store, Clock(), DUE).extend()
        for few in (0, 1000):
            monkeypatch.setattr(chronology, "FEW_LISTED", few)
            await store.read(check)
        found = await store.read(lambda tx: tx[ChronologicalPunches].part(FILTERS[3], 9))
        assert (found.count, found.is_more) == (len(range(1, NUMBER, TERMINALS)), False)
        monkeypatch.setattr(chronology, "FEW_LISTED", 0)
        found = await store.read(lambda tx: tx[ChronologicalPunches].part(FILTERS[3], 9))
        assert (found.count, found.is_more) == (9, True)
    finally:
        await store.stop()

"""Days to check: the list that the sums of the database lead to has all days with a mark."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest
import pytest_twisted

from zkpush.handlers.attendance import checking
from zkpush.handlers.attendance.checking import CheckFilter, DayPlace, DaysToCheck
from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.marks import DayMark
from zkpush.handlers.attendance.model import EVERY_PUNCH
from zkpush.handlers.attendance.periods import DAY, DayPeriod
from zkpush.handlers.attendance.persondays import person_days
from zkpush.handlers.attendance.showing import shown_punches
from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.handlers.people.store import PersonStore
from zkpush.model import DeviceState, Page
from zkpush.persist.devices import DeviceStore
from zkpush.persist.transaction import Transaction

from ..keys import KEY
from .conftest import opened
from .contract import NOW, UTC, rows

FIRST, DAYS, PEOPLE = datetime.date(2026, 1, 5), 5, 22
PERIOD = DayPeriod(FIRST, FIRST + (DAYS - 1) * DAY)
Key = tuple[datetime.date, str, tuple[DayMark, ...]]


def fill(tx: Transaction) -> None:
    """People who punch up to five times a day, with all states in turn, near midnight as well.

    Some press twice, so that their punches have repeats.
    """
    device = tx[DeviceStore].add("T1", DeviceState.APPROVED, None, NOW)
    for pin in range(1, PEOPLE):  # nobody has the last user ID
        tx[PersonStore].put(str(pin), {"name": f"Person {pin}"}, "token admin", NOW)
    lines = [
        f"{pin}\t{FIRST + day * DAY} {(pin * 7 + number * 5) % 24:02}:{pin:02}:00"
        f"\t{(pin + number * day) % 3}\t1\n"
        for pin in range(1, PEOPLE + 1)
        for day in range(DAYS)
        for number in range((pin + day * 3) % 6)
    ]
    lines += [
        one.replace(":00\t", ":09\t", 1) for number, one in enumerate(lines) if number % 3 == 0
    ]
    tx[AttendanceInserts].add(device.id, rows("".join(lines).encode()), UTC, NOW)


def marked(tx: Transaction, zone: ZoneInfo, mark: DayMark | None) -> list[Key]:
    """The days with a mark, found in all punches."""
    punches = tx[AttendanceStore].page(Page(10_000), EVERY_PUNCH)
    shown = shown_punches(tx, punches, zone, None, photos=False, oldest_first=True)
    days = [(one.strip.day, one.pin, tuple(one.strip.to_check)) for one in person_days(shown)]
    return sorted(
        one
        for one in days
        if (one[2] if mark is None else mark in one[2])
        and FIRST <= one[0] <= (PERIOD.last or FIRST)
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("zone", "most"),
    [
        ("UTC", 4),
        ("UTC", 10_000),
        ("Pacific/Kiritimati", 4),
        ("America/Los_Angeles", 40),
    ],
    ids=lambda given: given if isinstance(given, str) else f"{given} punches at once",
)
@pytest_twisted.ensureDeferred
async def test_parts_have_all_days_with_marks_once(
    url: str, zone: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the size of the parts, in any zone, for all marks and for one."""
    monkeypatch.setattr(checking, "MOST_PUNCHES", most)
    monkeypatch.setattr(checking, "AT_ONCE", 3)
    store = opened(url, KEY)
    try:
        await store.write(fill)
        for mark in (None, DayMark.ONE_PUNCH, DayMark.NO_CHECK_OUT):
            wanted = CheckFilter(period=PERIOD, zone=ZoneInfo(zone), mark=mark)

            def collect_thd(tx: Transaction, wanted: CheckFilter = wanted) -> list[Key]:
                found: list[Key] = []
                past: DayPlace | None = None
                for _ in range(10 * DAYS * PEOPLE):
                    part = tx[DaysToCheck].part(wanted, 7, past)
                    found += [
                        (one.strip.day, one.pin, tuple(one.strip.to_check)) for one in part.days
                    ]
                    past = None if part.next is None else DayPlace.parse(str(part.next))
                    if past is None:
                        break
                assert past is None
                return found

            found = await store.read(collect_thd)
            expected = await store.read(lambda tx, mark=mark: marked(tx, ZoneInfo(zone), mark))
            assert sorted(found, key=lambda one: one[:2]) == sorted(
                expected, key=lambda one: one[:2]
            )
            assert [one[0] for one in found] == sorted((one[0] for one in found), reverse=True)
            assert len(expected) > 5
    finally:
        await store.stop()

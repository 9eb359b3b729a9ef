"""Days of a payroll sheet on which a person has no punch, and most of the others have some.

zkpush knows no shifts, so it cannot say who should have been there. A day on which at least half of
the people of a sheet punched is taken as one on which work was done. Each person has a bit for each
day of the sheet, so that a sheet of a year and of ten thousand people takes little memory.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping

import attrs
import msgspec
from sqlalchemy import select

from ...persist.databases import texts
from ...persist.transaction import Transaction
from ...phrases import Phrase, with_more
from ...protocol.codes import RecordType
from ..people.store import EarlierHolders
from .conditions import TYPES, period_of
from .lists import PEOPLE, last_listed
from .model import PunchFilter
from .periods import DAY
from .schema import attendance

AT_ONCE = 1000
"""People whose earlier punches are looked for at once."""
MOST_NAMED = 31
"""Most days named of a person."""


@attrs.define
class DayBits:
    """Who punched on which days; the first day of the sheet has the lowest bit."""

    first: datetime.date
    days: int
    """Number of days of the sheet."""
    crowd: list[int] = attrs.field(init=False)
    """Number of people with punches, by day."""

    def __attrs_post_init__(self) -> None:
        """Begin without punches."""
        self.crowd = [0] * self.days

    def bit(self, day: datetime.date) -> int:
        """Count a person with punches on a day; return its bit, 0 for a day outside the sheet."""
        place = (day - self.first) // DAY
        if not 0 <= place < self.days:
            return 0
        self.crowd[place] += 1
        return 1 << place

    def busy(self, people: int, today: datetime.date) -> int:
        """Return the bits of the days before today on which at least half of the people punched."""
        return sum(
            1 << place
            for place, count in enumerate(self.crowd)
            if 0 < people <= 2 * count and self.first + place * DAY < today
        )

    def words(self, gaps: int) -> Phrase | str | None:
        """Name the days of some bits, the first ones of many; None for none."""
        found = [str(self.first + place * DAY) for place in range(self.days) if gaps >> place & 1]
        listed = ", ".join(found[:MOST_NAMED])
        if len(found) > MOST_NAMED:
            return with_more(listed, len(found) - MOST_NAMED)
        return listed or None


def gaps_of(present: int, busy: int, *, is_new: bool) -> int:
    """Return the bits of the busy days without a punch; those of a new person after the first."""
    gaps = busy & ~present
    lowest = present & -present
    return gaps & ~(lowest - 1) if is_new else gaps


def known_before_thd(tx: Transaction, pins: Collection[str], since: int) -> set[str]:
    """Return those of some user IDs whose holder has punches before an instant (seconds).

    Whose the punches before it are is not looked for where the user ID had another holder.
    """
    reused = tx[EarlierHolders].of(pins)
    own = [pin for pin in pins if pin not in reused]
    return punched_thd(tx, own, PunchFilter(until=since))


def punched_thd(tx: Transaction, pins: Collection[str], wanted: PunchFilter) -> set[str]:
    """Return those of some user IDs with punches of a period, in two queries for all of them."""
    connection = tx.connection
    last, (instants, _) = last_listed(connection), period_of(wanted)
    conditions = [*instants, TYPES[RecordType.ATTENDANCE]]
    keys = texts(connection.dialect.name, "keys").subquery()
    # Not EXISTS, which PostgreSQL may turn into a join with all records.
    listed = (
        select(PEOPLE.record_id)
        .select_from(PEOPLE.joined())
        .where(PEOPLE.key == keys.c.value, PEOPLE.record_id <= last, *conditions)
        .limit(1)
        .scalar_subquery()
    )
    column = attendance.c.pin
    queries = (
        select(keys.c.value).where(listed.is_not(None)),
        select(column)
        .where(attendance.c.id > last, column.in_(select(keys.c.value)), *conditions)
        .distinct(),
    )
    given = {"keys": msgspec.json.encode([*pins]).decode()}
    return {pin for query in queries for pin in connection.execute(query, given).scalars()}


def early_gaps(present: Mapping[str, int], busy: int) -> list[str]:
    """Return the user IDs with gaps before their first punch of the sheet."""
    return [
        pin
        for pin, bits in present.items()
        if gaps_of(bits, busy, is_new=False) != gaps_of(bits, busy, is_new=True)
    ]

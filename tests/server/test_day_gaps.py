"""Days on which a person has no punch, and most of the others have some."""

from __future__ import annotations

import datetime

from zkpush.handlers.attendance.gaps import MOST_NAMED, DayBits, early_gaps, gaps_of

FIRST = datetime.date(2026, 2, 1)
DAY = datetime.timedelta(days=1)


def test_a_day_is_busy_if_half_of_the_people_punched_and_it_is_over() -> None:
    """Days outside of the sheet count for nothing."""
    bits = DayBits(FIRST, 4)
    for day, people in ((0, 1), (1, 2), (3, 4), (-1, 4), (4, 4)):
        for _ in range(people):
            bits.bit(FIRST + day * DAY)
    assert bits.busy(4, FIRST + 9 * DAY) == 0b1010
    assert bits.busy(4, FIRST + 3 * DAY) == 0b0010
    assert bits.busy(0, FIRST + 9 * DAY) == 0


def test_a_newcomer_is_missed_from_the_first_punch_on() -> None:
    """And is the one whose earlier punches have to be looked for."""
    assert gaps_of(0b0100, 0b1111, is_new=True) == 0b1000
    assert gaps_of(0b0100, 0b1111, is_new=False) == 0b1011
    assert early_gaps({"1": 0b0100, "2": 0b0001}, 0b1111) == ["1"]


def test_many_days_are_named_in_part() -> None:
    """The number of the others follows."""
    bits = DayBits(FIRST, MOST_NAMED + 2)
    assert str(bits.words((1 << MOST_NAMED + 2) - 1)).endswith(" and 2 more")
    assert bits.words(0b101) == "2026-02-01, 2026-02-03"
    assert bits.words(0) is None

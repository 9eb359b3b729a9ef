"""Doubtful times: hours that a zone has twice or not at all, clocks that are not set (11.2, 11.4).

Also times that old firmware packs into one integer.
"""

from __future__ import annotations

import datetime
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol import times
from zkpush.protocol.times import AMBIGUOUS, FUTURE, NONEXISTENT, PAST

DOUBTS = [
    # An hour is left out at 02:00, and one comes twice from 03:00 back to 02:00.
    ("Europe/Madrid", "2026-03-29 01:59:59", None, "2026-03-29 00:59:59"),
    ("Europe/Madrid", "2026-03-29 02:00:00", NONEXISTENT, "2026-03-29 01:00:00"),
    ("Europe/Madrid", "2026-03-29 02:59:59", NONEXISTENT, "2026-03-29 01:59:59"),
    ("Europe/Madrid", "2026-03-29 03:00:00", None, "2026-03-29 01:00:00"),
    ("Europe/Madrid", "2026-10-25 01:59:59", None, "2026-10-24 23:59:59"),
    ("Europe/Madrid", "2026-10-25 02:00:00", AMBIGUOUS, "2026-10-25 00:00:00"),
    ("Europe/Madrid", "2026-10-25 02:59:59", AMBIGUOUS, "2026-10-25 00:59:59"),
    ("Europe/Madrid", "2026-10-25 03:00:00", None, "2026-10-25 02:00:00"),
    ("America/New_York", "2026-03-08 01:59:59", None, "2026-03-08 06:59:59"),
    ("America/New_York", "2026-03-08 02:00:00", NONEXISTENT, "2026-03-08 07:00:00"),
    ("America/New_York", "2026-03-08 03:00:00", None, "2026-03-08 07:00:00"),
    ("America/New_York", "2026-11-01 00:59:59", None, "2026-11-01 04:59:59"),
    ("America/New_York", "2026-11-01 01:00:00", AMBIGUOUS, "2026-11-01 05:00:00"),
    ("America/New_York", "2026-11-01 01:59:59", AMBIGUOUS, "2026-11-01 05:59:59"),
    ("America/New_York", "2026-11-01 02:00:00", None, "2026-11-01 07:00:00"),
    # The day has no midnight.
    ("America/Havana", "2026-03-07 23:59:59", None, "2026-03-08 04:59:59"),
    ("America/Havana", "2026-03-08 00:00:00", NONEXISTENT, "2026-03-08 05:00:00"),
    ("America/Havana", "2026-03-08 00:59:59", NONEXISTENT, "2026-03-08 05:59:59"),
    ("America/Havana", "2026-03-08 01:00:00", None, "2026-03-08 05:00:00"),
    # The day has two midnights.
    ("America/Havana", "2026-10-31 23:59:59", None, "2026-11-01 03:59:59"),
    ("America/Havana", "2026-11-01 00:00:00", AMBIGUOUS, "2026-11-01 04:00:00"),
    ("America/Havana", "2026-11-01 00:59:59", AMBIGUOUS, "2026-11-01 04:59:59"),
    ("America/Havana", "2026-11-01 01:00:00", None, "2026-11-01 06:00:00"),
    ("Asia/Beirut", "2026-03-28 23:59:59", None, "2026-03-28 21:59:59"),
    ("Asia/Beirut", "2026-03-29 00:30:00", NONEXISTENT, "2026-03-28 22:30:00"),
    ("Asia/Beirut", "2026-03-29 01:00:00", None, "2026-03-28 22:00:00"),
    # The last hour of the day before comes twice.
    ("Asia/Beirut", "2026-10-24 22:59:59", None, "2026-10-24 19:59:59"),
    ("Asia/Beirut", "2026-10-24 23:00:00", AMBIGUOUS, "2026-10-24 20:00:00"),
    ("Asia/Beirut", "2026-10-24 23:59:59", AMBIGUOUS, "2026-10-24 20:59:59"),
    ("Asia/Beirut", "2026-10-25 00:00:00", None, "2026-10-24 22:00:00"),
    # Daylight saving is half an hour.
    ("Australia/Lord_Howe", "2026-04-05 01:29:59", None, "2026-04-04 14:29:59"),
    ("Australia/Lord_Howe", "2026-04-05 01:30:00", AMBIGUOUS, "2026-04-04 14:30:00"),
    ("Australia/Lord_Howe", "2026-04-05 01:59:59", AMBIGUOUS, "2026-04-04 14:59:59"),
    ("Australia/Lord_Howe", "2026-04-05 02:00:00", None, "2026-04-04 15:30:00"),
    ("Australia/Lord_Howe", "2026-10-04 01:59:59", None, "2026-10-03 15:29:59"),
    ("Australia/Lord_Howe", "2026-10-04 02:00:00", NONEXISTENT, "2026-10-03 15:30:00"),
    ("Australia/Lord_Howe", "2026-10-04 02:29:59", NONEXISTENT, "2026-10-03 15:59:59"),
    ("Australia/Lord_Howe", "2026-10-04 02:30:00", None, "2026-10-03 15:30:00"),
    # A whole day was left out.
    ("Pacific/Apia", "2011-12-29 23:59:59", None, "2011-12-30 09:59:59"),
    ("Pacific/Apia", "2011-12-30 00:00:00", NONEXISTENT, "2011-12-30 10:00:00"),
    ("Pacific/Apia", "2011-12-30 12:00:00", NONEXISTENT, "2011-12-30 22:00:00"),
    ("Pacific/Apia", "2011-12-30 23:59:59", NONEXISTENT, "2011-12-31 09:59:59"),
    ("Pacific/Apia", "2011-12-31 00:00:00", None, "2011-12-30 10:00:00"),
    # No daylight saving.
    ("Asia/Shanghai", "2026-03-29 02:30:00", None, "2026-03-28 18:30:00"),
    ("Etc/UTC", "2026-10-25 02:30:00", None, "2026-10-25 02:30:00"),
]
"""Zone, wall clock time, what is doubtful about it, and the UTC it is taken for."""

BEGINS = [
    ("Europe/Madrid", "2026-03-28", "2026-03-27 23:00:00"),
    ("Europe/Madrid", "2026-03-29", None),
    ("Europe/Madrid", "2026-03-30", "2026-03-29 22:00:00"),
    ("America/Havana", "2026-03-08", None),
    ("America/Havana", "2026-11-01", None),
    ("Asia/Beirut", "2026-10-24", None),
    ("Asia/Beirut", "2026-10-25", "2026-10-24 22:00:00"),
    ("Pacific/Apia", "2011-12-30", None),
    ("Australia/Lord_Howe", "2026-04-05", None),
]

PACKED = [
    (289515406, "2009-01-03 20:56:46"),
    (0, "2000-01-01 00:00:00"),
    (59, "2000-01-01 00:00:59"),
    (86399, "2000-01-01 23:59:59"),
    (86400, "2000-01-02 00:00:00"),
    (2678400, "2000-02-01 00:00:00"),
    (5097600, "2000-02-29 00:00:00"),
    (32140799, "2000-12-31 23:59:59"),
    (32140800, "2001-01-01 00:00:00"),
    (500742988, "2015-07-30 15:16:28"),
]

UNPACKABLE = [-1, -86400, 5184000, 5270400, 32140800 + 2678400 + 28 * 86400, 10**12]
"""Before 2000; February 30th and 31st; the 29th of one without; the year 33113."""


def epoch(utc: str) -> int:
    """Seconds since the epoch of a time in UTC."""
    return int(datetime.datetime.fromisoformat(utc + "+00:00").timestamp())


@pytest.mark.parametrize(("zone", "wall", "doubt", "utc"), DOUBTS)
def test_a_time_that_is_there_twice_or_not_at_all_is_doubtful(
    zone: str, wall: str, doubt: str | None, utc: str
) -> None:
    """Of a time that comes twice the first is taken; one left out counts as if it were there."""
    clock = times.WallClock(zoneinfo.ZoneInfo(zone))
    assert clock.doubt(wall) == doubt
    assert clock.utc(wall) == epoch(utc)
    assert clock.doubt(wall) == doubt


@pytest.mark.parametrize(("zone", "day", "utc"), BEGINS)
def test_a_day_begins_once_unless_the_clock_is_changed_on_it(
    zone: str, day: str, utc: str | None
) -> None:
    """All times of a day are reckoned at once; on one with a change, each has to be looked up."""
    clock = times.WallClock(zoneinfo.ZoneInfo(zone))
    walls = times.wall_seconds([f"{day} 00:00:00", f"{day} 00:00:01"])
    begin = None if utc is None else epoch(utc)
    assert clock.instants(walls) == (None if begin is None else [begin, begin + 1])
    other = times.wall_seconds(["2026-01-05 08:00:00", f"{day} 00:00:00"])
    assert (clock.instants(other) is None) == (begin is None)


def test_doubts_have_the_words_that_are_stored() -> None:
    """Four words say what is doubtful about a time."""
    assert (AMBIGUOUS, NONEXISTENT) == ("ambiguous", "nonexistent")
    assert (FUTURE, PAST) == ("future", "past")


@pytest.mark.parametrize(
    ("utc", "doubt"),
    [
        ("2026-11-22 14:00:00", None),
        ("2026-11-23 14:00:00", None),
        ("2026-11-23 14:00:01", FUTURE),
        ("2099-01-01 00:00:00", FUTURE),
        ("2016-11-24 14:00:00", None),
        ("2016-11-24 13:59:59", PAST),
        ("2000-01-01 00:00:00", PAST),
        ("1970-01-01 00:00:00", PAST),
    ],
)
def test_a_clock_that_is_far_off_is_doubtful(utc: str, doubt: str | None) -> None:
    """A day ahead, or ten years of 365 days behind, is as far as a clock may be off."""
    assert times.far_off(epoch(utc), epoch("2026-11-22 14:00:00")) == doubt


@pytest.mark.parametrize(("number", "text"), PACKED)
def test_old_firmware_packs_a_time_into_one_integer(number: int, text: str) -> None:
    """Every month of a packed time has 31 days, and years count from 2000."""
    assert times.unpack_time(number) == text
    assert times.pack_time(text) == number


@pytest.mark.parametrize("number", UNPACKABLE)
def test_not_every_integer_is_a_packed_time(number: int) -> None:
    """A number before the first time, or of a day that its month has not, is no time."""
    with pytest.raises(ValueError, match=f"^{number} is not a packed time$"):
        times.unpack_time(number)


@given(st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59)))
def test_every_time_since_2000_can_be_packed(time: datetime.datetime) -> None:
    """What is packed is the same time when it is unpacked, to the second."""
    text = str(time.replace(microsecond=0))
    assert times.unpack_time(times.pack_time(text)) == text


@given(st.integers())
def test_any_integer_is_a_time_or_a_mistake(number: int) -> None:
    """No integer makes unpacking fail in any other way than by saying so."""
    try:
        text = times.unpack_time(number)
    except ValueError:
        return
    assert times.pack_time(text) == number


@given(
    st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2037, 12, 31)),
    st.sampled_from(sorted({zone for zone, *_ in DOUBTS})),
)
def test_a_time_without_doubt_comes_back_from_its_instant(
    time: datetime.datetime, zone: str
) -> None:
    """An instant shows the time that it was taken from, unless that time is not there at all."""
    wall = str(time.replace(microsecond=0))
    clock = times.wall_clock(zone)
    shown = datetime.datetime.fromtimestamp(clock.utc(wall), zoneinfo.ZoneInfo(zone))
    assert (shown.strftime("%Y-%m-%d %H:%M:%S") == wall) == (clock.doubt(wall) != NONEXISTENT)

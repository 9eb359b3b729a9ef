"""Clocks of terminals: the TimeZone option, and instants for wall clock times (5, 11.2)."""

from __future__ import annotations

import datetime
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol import times

WINTER = "2026-01-15 00:00:00"
SUMMER = "2026-07-15 00:00:00"

OPTIONS = [
    ("Etc/UTC", WINTER, "0"),
    ("Asia/Shanghai", WINTER, "8"),
    ("America/New_York", WINTER, "-5"),
    ("America/New_York", SUMMER, "-4"),
    ("Europe/Madrid", WINTER, "1"),
    ("Europe/Madrid", SUMMER, "2"),
    ("Etc/GMT-11", WINTER, "11"),
    ("Etc/GMT+11", WINTER, "-11"),
    ("Asia/Kolkata", WINTER, "330"),
    ("Australia/Lord_Howe", SUMMER, "630"),
    ("Australia/Lord_Howe", WINTER, "11"),
    ("America/St_Johns", WINTER, "-210"),
    ("America/St_Johns", SUMMER, "-150"),
    ("Asia/Kathmandu", WINTER, "345"),
    ("Pacific/Marquesas", WINTER, "-570"),
    ("Pacific/Chatham", SUMMER, "765"),
    ("Pacific/Chatham", WINTER, "825"),
    ("Pacific/Auckland", SUMMER, "720"),
    ("Pacific/Auckland", WINTER, "780"),
    ("Pacific/Kiritimati", WINTER, "840"),
    ("Etc/GMT+12", WINTER, "-720"),
    ("Africa/Monrovia", "1970-06-01 00:00:00", "-1"),
    ("Europe/Dublin", "1900-06-01 00:00:00", "0"),
]

CHANGES = [
    ("Europe/Madrid", "2026-03-29 00:59:59", "1"),
    ("Europe/Madrid", "2026-03-29 01:00:00", "2"),
    ("Europe/Madrid", "2026-10-25 00:59:59", "2"),
    ("Europe/Madrid", "2026-10-25 01:00:00", "1"),
    ("Pacific/Auckland", "2026-04-04 13:59:59", "780"),
    ("Pacific/Auckland", "2026-04-04 14:00:00", "720"),
    ("America/Caracas", "2016-05-01 06:59:59", "-270"),
    ("America/Caracas", "2016-05-01 07:00:00", "-4"),
]

INSTANTS = [
    ("Etc/UTC", "1970-01-01 00:00:00", "1970-01-01 00:00:00"),
    ("Asia/Shanghai", "2015-07-30 15:16:28", "2015-07-30 07:16:28"),
    ("Europe/Madrid", "2026-07-01 12:00:00", "2026-07-01 10:00:00"),
    ("Europe/Madrid", "2026-01-15 00:10:00", "2026-01-14 23:10:00"),
    ("Asia/Kathmandu", "2026-01-15 12:00:00", "2026-01-15 06:15:00"),
    # The clock goes from 02:00 to 03:00: a time between is taken with the offset before.
    ("Europe/Madrid", "2026-03-29 01:59:59", "2026-03-29 00:59:59"),
    ("Europe/Madrid", "2026-03-29 02:30:00", "2026-03-29 01:30:00"),
    ("Europe/Madrid", "2026-03-29 03:00:00", "2026-03-29 01:00:00"),
    # The clock goes from 03:00 back to 02:00: the first of the two is meant.
    ("Europe/Madrid", "2026-10-25 01:59:59", "2026-10-24 23:59:59"),
    ("Europe/Madrid", "2026-10-25 02:00:00", "2026-10-25 00:00:00"),
    ("Europe/Madrid", "2026-10-25 02:59:59", "2026-10-25 00:59:59"),
    ("Europe/Madrid", "2026-10-25 03:00:00", "2026-10-25 02:00:00"),
    # Half an hour of daylight saving.
    ("Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04 14:45:00"),
    ("Australia/Lord_Howe", "2026-04-05 02:00:00", "2026-04-04 15:30:00"),
    # Zones that changed their offset, not at the full hour or by no full hours.
    ("America/Caracas", "2016-05-01 02:29:59", "2016-05-01 06:59:59"),
    ("America/Caracas", "2016-05-01 03:00:00", "2016-05-01 07:00:00"),
    ("Asia/Pyongyang", "2015-08-14 23:45:00", "2015-08-14 14:45:00"),
    ("Asia/Pyongyang", "2015-08-15 00:00:00", "2015-08-14 15:30:00"),
    # 44 minutes and 30 seconds were left out, up to the middle of a minute.
    ("Africa/Monrovia", "1972-01-06 23:59:59", "1972-01-07 00:44:29"),
    ("Africa/Monrovia", "1972-01-07 00:44:29", "1972-01-07 01:28:59"),
    ("Africa/Monrovia", "1972-01-07 00:44:30", "1972-01-07 00:44:30"),
    ("Africa/Monrovia", "1972-01-07 00:49:59", "1972-01-07 00:49:59"),
    # A clock that was never set, and one that was set to nonsense.
    ("Etc/GMT-8", "0001-01-01 00:00:00", -62_135_596_800 - 8 * 3600),
    ("Etc/GMT+8", "9999-12-31 23:59:59", 253_402_300_799 + 8 * 3600),
]

NO_ZONES = ["", "Europe", "Europe/Atlantis", "../../etc/passwd", "/etc/passwd", "a\0b", "zone.tab"]


def epoch(utc: str | int) -> int:
    """Seconds since the epoch of a time in UTC."""
    if isinstance(utc, int):
        return utc
    return int(datetime.datetime.fromisoformat(utc + "+00:00").timestamp())


@pytest.mark.parametrize(("zone", "utc", "option"), OPTIONS)
def test_the_offset_is_sent_in_hours_if_whole_and_else_in_minutes(
    zone: str, utc: str, option: str
) -> None:
    """TimeZone is hours between -12 and 12, and minutes for all that is not, 12 hours included."""
    assert times.zone_option(zone, epoch(utc)) == option


@pytest.mark.parametrize(("zone", "utc", "option"), CHANGES)
def test_the_offset_is_the_one_of_the_instant(zone: str, utc: str, option: str) -> None:
    """TimeZone changes in the second in which the zone changes its offset."""
    assert times.zone_option(zone, epoch(utc)) == option


@pytest.mark.parametrize(("zone", "wall", "utc"), INSTANTS)
def test_a_wall_clock_time_stands_for_an_instant(zone: str, wall: str, utc: str | int) -> None:
    """A wall clock time is turned into UTC by its zone; of a doubled hour the first is meant."""
    assert times.WallClock(zoneinfo.ZoneInfo(zone)).utc(wall) == epoch(utc)


@pytest.mark.parametrize("zone", sorted({zone for zone, _, _ in INSTANTS}))
def test_earlier_questions_do_not_change_an_answer(zone: str) -> None:
    """A clock that has answered for times nearby gives the same answers as a new one."""
    asked = [(wall, utc) for name, wall, utc in INSTANTS if name == zone]
    clock = times.wall_clock(zone)
    for wall, utc in [*asked, *reversed(asked)]:
        assert clock.utc(wall) == epoch(utc)


@given(
    st.datetimes(datetime.datetime(1, 1, 2), datetime.datetime(9999, 12, 30)),
    st.sampled_from(["Europe/Madrid", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Monrovia"]),
)
def test_the_wall_clock_agrees_with_the_zone_everywhere(time: datetime.datetime, zone: str) -> None:
    """The quick answer for a day at once is the zone's own, for every time there is."""
    wall = str(time.replace(microsecond=0))
    slow = datetime.datetime.fromisoformat(wall).replace(tzinfo=zoneinfo.ZoneInfo(zone))
    offset = slow.utcoffset()
    assert offset is not None
    assert times.wall_clock(zone).utc(wall) == epoch(wall) - offset.total_seconds()


def test_a_clock_forgets_rather_than_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock asked for very many days starts over, and stays right."""
    monkeypatch.setattr(times, "DAYS_KEPT", 2)
    clock = times.WallClock(zoneinfo.ZoneInfo("Etc/UTC"))
    for day in range(1, 29):
        wall = f"2026-01-{day:02} 12:00:00"
        assert clock.utc(wall) == epoch(wall)
        assert 1 <= len(clock.offsets) <= 2


def test_the_minutes_that_are_known_do_not_grow_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Times of very many minutes are read one by one, and rightly."""
    monkeypatch.setattr(times, "MINUTES_KEPT", 2)
    monkeypatch.setattr(times, "MINUTES", times.MinuteCache())
    for minute in range(60):
        wall = f"2026-01-05 08:{minute:02}:07"
        assert times.wall_seconds([wall, wall]) == [epoch(wall)] * 2
        assert 1 <= len(times.MINUTES) <= 2


@pytest.mark.parametrize(
    "wall", ["2026-02-30 08:00:00", "2026-13-01 08:00:00", "0000-01-01 08:00:00"]
)
def test_a_day_that_no_calendar_has_is_refused(wall: str) -> None:
    """A time on such a day stands for nothing."""
    with pytest.raises(ValueError, match=r"(out of range|must be in)"):
        times.wall_seconds([wall])


@pytest.mark.parametrize("zone", NO_ZONES)
def test_a_name_that_is_no_zone_is_refused(zone: str) -> None:
    """Only names of IANA zones are taken; a path is none."""
    with pytest.raises(ValueError, match="is not an IANA time zone such as Europe/Madrid"):
        times.check_zone(zone)
    with pytest.raises(ValueError, match="is not an IANA time zone"):
        times.wall_clock(zone)


def test_a_zone_is_known_by_its_iana_name() -> None:
    """The name of a zone comes back as it was given."""
    assert times.check_zone("Europe/Madrid") == "Europe/Madrid"

"""Which clocks have the time of another zone, and which are simply wrong."""

from __future__ import annotations

import datetime
import zoneinfo

import pytest

from zkpush.device.skew import OFFSETS, zone_of_clock

NOW = 1_772_366_400_000  # 2026-03-01 12:00 UTC


@pytest.mark.parametrize(
    ("minutes", "zone", "offset"),
    [
        (60, "UTC", "UTC+01:00"),
        (-60, "Europe/Berlin", "UTC"),
        (330, "UTC", "UTC+05:30"),
        (-15, "UTC", None),
        (-17, "UTC", None),
        (-31, "Europe/Berlin", None),
        (3 * 24 * 60, "UTC", None),
    ],
)
def test_a_zone_explains_a_clock_only_if_a_place_has_its_time(
    minutes: int, zone: str, offset: str | None
) -> None:
    """A clock that is a quarter of an hour slow is slow, whatever its zone is here."""
    found = zone_of_clock(minutes * 60, zone, NOW)
    assert (None if found is None else str(found)) == offset


def test_the_offsets_are_those_of_all_zones() -> None:
    """Of the database of time zones, in winter and in summer."""
    days = [datetime.datetime(2026, month, 1, tzinfo=datetime.UTC) for month in (1, 3, 7)]
    places = [name for name in zoneinfo.available_timezones() if name.partition("/")[0] != "Etc"]
    found = {day.astimezone(zoneinfo.ZoneInfo(name)).utcoffset() for name in places for day in days}
    minutes = {offset.total_seconds() / 60 for offset in found if offset is not None}
    assert minutes - OFFSETS == set()
    assert {one for one in OFFSETS if one % 60} <= minutes

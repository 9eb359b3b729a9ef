"""The zone of the server's machine."""

from __future__ import annotations

import pathlib

import pytest

from zkpush.clock import machine_zone


@pytest.mark.parametrize(
    ("environ", "timezone", "localtime", "zone"),
    [
        ({}, None, None, None),
        ({}, "Etc/UTC\n", "/usr/share/zoneinfo/Etc/UTC", None),
        ({}, None, "../usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        ({}, "Asia/Tokyo\n", None, "Asia/Tokyo"),
        ({"TZ": ":Asia/Kolkata"}, "Asia/Tokyo\n", None, "Asia/Kolkata"),
        ({"TZ": "UTC"}, "Asia/Tokyo\n", None, "UTC"),
        ({"TZ": "CET-1CEST,M3.5.0,M10.5.0/3"}, "no zone\n", "/x/zoneinfo/UCT", None),
    ],
)
def test_the_zone_is_that_of_the_machine(
    tmp_path: pathlib.Path,
    environ: dict[str, str],
    timezone: str | None,
    localtime: str | None,
    zone: str | None,
) -> None:
    """`TZ` counts before the files of the machine; a UTC in the files was chosen by nobody."""
    if timezone is not None:
        (tmp_path / "timezone").write_text(timezone)
    if localtime is not None:
        (tmp_path / "localtime").symlink_to(localtime)
    assert machine_zone(environ, tmp_path) == zone

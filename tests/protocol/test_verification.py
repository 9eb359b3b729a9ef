"""Background verification (12.8.3): the user ID in a body of no format, and who is valid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.handlers.people.tables import USER
from zkpush.protocol.times import local_time, pack_time
from zkpush.protocol.validity import NO_LONGER, NOT_YET, UNREADABLE, not_valid
from zkpush.protocol.verification import LOOKED_AT, find_pin

BODIES = [
    (b"PIN=7", "7"),
    (b"Pin=7\n", "7"),
    (b"pin = 7 \r\n", "7"),
    (b"Time=2026-03-01 08:00:00\tPIN=7\tVerify=1", "7"),
    (b"Verify=1&Pin=007&Door=1", "007"),
    (b"Verify=1,PIN=7,Door=1", "7"),
    (b"Verify=1\nPIN=7\nDoor=1\n", "7"),
    (b"\r\nVERIFY PIN=7\tVerify=1", "7"),
    (b"PIN=7\tName=Ann\nPIN=7\tName=Ann", "7"),
    (b"7\t2026-03-01 08:00:00\t0\t1\t0\t0", "7"),
    (b"7,2026-03-01 08:00:00,0,1", "7"),
    (b"1004 2026-08-09 11:30:00 0 1", "1004"),
    (b"7", "7"),
    (b"\n\n7\n", "7"),
    (b"Ann Lee\t2026-03-01 08:00:00", "Ann Lee"),
    (b"", None),
    (b"\r\n \t", None),
    (b"\t7", None),
    (b"PIN=\tName=Ann", None),
    (b"PIN=7\tPIN=8", None),
    (b"PIN=7\tName=Bob,PIN=8", None),
    (b"PIN=7=8", None),
    (b"PIN=" + b"7" * 65, None),
    (b"Verify=1\tDoor=7", None),
    (b"PIN2=7\tSPIN=8", None),
    (b"PIN=7\x00", None),
    (b"Name=Ann PIN=7", None),
]


def _pin_in(body: bytes, encoding: str) -> str | None:
    return find_pin(body, encoding, USER.field("pin"))


@pytest.mark.parametrize(("body", "pin"), BODIES)
def test_the_user_is_found_in_pairs_or_in_the_first_column(body: bytes, pin: str | None) -> None:
    """One PIN among pairs, or else the first column, is the user; two or none are nobody."""
    assert _pin_in(body, "utf-8") == pin


def test_a_user_id_is_read_in_the_encoding_of_the_terminal() -> None:
    """Bytes of GB2312 are the characters they stand for."""
    assert _pin_in("PIN=王".encode("gb18030"), "gb18030") == "王"
    assert _pin_in(b"PIN=\xff", "utf-8") == "\ufffdff"


def test_only_the_beginning_of_a_long_body_is_looked_at() -> None:
    """A picture that follows costs nothing, and a value that is cut is none."""
    assert _pin_in(b"PIN=7\tPhoto=" + b"A" * LOOKED_AT, "utf-8") == "7"
    cut = b"Photo=".ljust(LOOKED_AT - len(b"\tPIN=7"), b"A") + b"\tPIN=78"
    assert _pin_in(cut, "utf-8") is None
    assert _pin_in(cut[6:], "utf-8") == "78"


@given(st.binary(max_size=100), st.sampled_from(["utf-8", "gb18030"]))
def test_any_body_can_be_read(body: bytes, encoding: str) -> None:
    """Whatever a terminal sends, there is a user ID in it or none."""
    pin = _pin_in(body, encoding)
    assert pin is None or 0 < len(pin) <= 64


NOW = "2026-03-01 12:00:00"
PAST, FUTURE = "2026-03-01 11:59:59", "2026-03-01 12:00:01"
SECONDS_2026 = 1_772_366_400  # 2026-03-01 12:00:00, as seconds since 1970
VALIDITY = [
    (None, None, None, None),
    ("", "", "", None),
    ("0", "0", "0", None),
    (" 0 ", "0000-00-00 00:00:00", "00000000", None),
    (NOW, NOW, "1", None),
    (PAST, FUTURE, "1", None),
    (FUTURE, None, None, NOT_YET),
    (None, PAST, None, NO_LONGER),
    (None, PAST, "0", NO_LONGER),
    (PAST, FUTURE, PAST, NO_LONGER),
    (None, None, FUTURE, None),
    (str(pack_time(FUTURE)), None, None, NOT_YET),
    (str(pack_time(NOW)), str(pack_time(NOW)), None, None),
    (None, str(pack_time(PAST)), None, NO_LONGER),
    (None, str(pack_time("2037-12-31 23:59:59")), "1", None),
    (None, str(pack_time("2099-12-31 23:59:59")), "1", None),
    (None, str(SECONDS_2026), None, None),
    (None, str(SECONDS_2026 - 1), None, NO_LONGER),
    (str(SECONDS_2026), None, None, NOT_YET),  # packed, it is in 2055
    (None, str(pack_time("2050-01-01 00:00:00")), None, NO_LONGER),  # in seconds, it is in 2020
    (None, "forever", None, UNREADABLE),
    ("2026-02-30 00:00:00", None, None, UNREADABLE),
    (None, "2026-12-31", None, UNREADABLE),
    ("20261231", None, None, UNREADABLE),
    (None, "20261231235959", None, UNREADABLE),
    (None, "-1", None, UNREADABLE),
    (None, "99999999999", None, UNREADABLE),
    (None, None, "4", UNREADABLE),
    # The 31st of February.
    (str(pack_time("2026-03-01 00:00:00") - 24 * 3600), None, None, UNREADABLE),
    (None, str(pack_time("2060-03-01 00:00:00") - 24 * 3600), None, None),  # in seconds, in 2031
]


@pytest.mark.parametrize(("start", "end", "expires", "reason"), VALIDITY)
def test_a_user_is_valid_within_the_narrowest_bounds(
    start: str | None, end: str | None, expires: str | None, reason: str | None
) -> None:
    """Both ends count; what may be read in two ways is the narrower; what cannot be is no pass."""
    assert not_valid(start, end, expires, NOW) == reason


@given(*[st.none() | st.text("0123456789-: x", max_size=19)] * 3)
def test_any_validity_can_be_read(start: str | None, end: str | None, expires: str | None) -> None:
    """Whatever a terminal calls the validity of a user, there is an answer."""
    assert not_valid(start, end, expires, NOW) in (None, NOT_YET, NO_LONGER, UNREADABLE)


@pytest.mark.parametrize(
    ("zone", "time"),
    [
        ("UTC", NOW),
        ("Asia/Tokyo", "2026-03-01 21:00:00"),
        ("Asia/Kathmandu", "2026-03-01 17:45:00"),
        ("America/Lima", "2026-03-01 07:00:00"),
    ],
)
def test_a_wall_clock_shows_the_time_of_its_zone(zone: str, time: str) -> None:
    """An instant has another time in each zone."""
    assert local_time(zone, SECONDS_2026 + 0.9) == time

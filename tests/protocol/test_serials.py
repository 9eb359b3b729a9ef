"""Serial numbers (2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol.errors import TerminalError
from zkpush.protocol.serials import check_serial

GOOD = ["0316144680030", "A", "CJDE193560303", "a-b_C", "9" * 32]

BAD = [
    "",
    " ",
    "9" * 33,
    "0316144680030\n",
    "../etc/passwd",
    "a/b",
    "a.b",
    "a b",
    "a%20",
    "'; DROP",
    "<b>",
    "a\0",
    "\u0661\u0662",
    "caf\u00e9",
    "\ufffd",
]


@pytest.mark.parametrize("serial", GOOD)
def test_a_serial_number_is_letters_and_digits(serial: str) -> None:
    """Up to 32 letters, digits, hyphens and underscores name a terminal."""
    assert check_serial(serial) == serial


@pytest.mark.parametrize("serial", BAD)
def test_whatever_else_is_sent_as_serial_number_is_refused(serial: str) -> None:
    """A serial number that is not safe in a log, a file name and a query is refused."""
    with pytest.raises(TerminalError, match="1 to 32 letters, digits, - or _"):
        check_serial(serial)


def test_a_request_without_serial_number_is_refused() -> None:
    """A request that names no terminal says so."""
    with pytest.raises(TerminalError, match="SN is missing"):
        check_serial(None)


def test_a_refused_serial_number_is_not_repeated() -> None:
    """The message of a refusal does not repeat what was sent."""
    with pytest.raises(TerminalError) as caught:
        check_serial("<script>")
    assert "script" not in str(caught.value)


@pytest.mark.long
@given(st.text())
def test_only_ascii_passes(serial: str) -> None:
    """No serial number that passes holds anything but ASCII letters, digits, - and _."""
    try:
        passed = check_serial(serial)
    except TerminalError:
        return
    assert passed.replace("-", "a").replace("_", "a").isalnum()
    assert passed.isascii()
    assert len(passed) <= 32

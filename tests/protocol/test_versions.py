"""Protocol versions and their negotiation (Appendix 6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol.versions import BASELINE, SERVER, Version, negotiate, parse_version

READ = [
    ("2.4.1", (2, 4, 1)),
    ("2.2.14", (2, 2, 14)),
    ("2.4.2", (2, 4, 2)),
    ("3.1.6S", (3, 1, 6)),
    ("Ver 2.0.33S-20220623", (2, 0, 33)),
    ("2.4", (2, 4, 0)),
    ("  2.4.0 ", (2, 4, 0)),
    ("build 20220623.1, Ver 2.3.0", (2, 3, 0)),
]

RUBBISH = [
    "",
    "   ",
    "None",
    "S",
    "2",
    "2.",
    ".4",
    "v2,4,1",
    "20220623.1",
    "\u0662.\u0664",
    "\ufffd",
]

NEGOTIATED = [
    (None, (2, 2, 14)),
    ("", (2, 2, 14)),
    ("rubbish", (2, 2, 14)),
    ("2.0.33", (2, 2, 14)),
    ("2.2.14", (2, 2, 14)),
    ("2.3.0", (2, 3, 0)),
    ("2.4.0", (2, 4, 0)),
    ("2.4.1", (2, 4, 1)),
    ("2.4.2", (2, 4, 1)),
    ("3.1.6S", (2, 4, 1)),
    ("Ver 2.0.33S-20220623", (2, 2, 14)),
]


@pytest.mark.parametrize(("text", "numbers"), READ)
def test_a_version_is_read_by_its_numbers(text: str, numbers: tuple[int, int, int]) -> None:
    """A version is the numbers between dots, whatever firmware writes around them."""
    assert parse_version(text) == numbers


@pytest.mark.parametrize("text", RUBBISH)
def test_rubbish_is_no_version(text: str) -> None:
    """A text without two numbers and a dot between them is no version; no number is cut apart."""
    assert parse_version(text) is None


def test_versions_are_compared_number_by_number() -> None:
    """2.2.14 is older than 2.3.0, and newer than 2.2.9."""
    assert Version(2, 2, 9) < Version(2, 2, 14) < Version(2, 3, 0)


@given(st.tuples(*[st.integers(0, 9999)] * 3))
def test_a_version_is_written_as_it_is_read(numbers: tuple[int, int, int]) -> None:
    """A version written out is read back the same."""
    assert parse_version(str(Version(*numbers))) == numbers


@pytest.mark.parametrize(("push_version", "numbers"), NEGOTIATED)
def test_both_sides_use_the_lower_version(
    push_version: str | None, numbers: tuple[int, int, int]
) -> None:
    """The lower of both versions is used; a terminal without a readable one counts as 2.2.14."""
    assert negotiate(push_version) == numbers


def test_an_older_server_pulls_a_newer_terminal_down() -> None:
    """The server's version is the limit, whichever it is."""
    assert negotiate("2.4.1", Version(2, 3, 0)) == (2, 3, 0)
    assert negotiate(None, Version(2, 2, 0)) == (2, 2, 0)


def test_the_server_is_written_to_the_specification() -> None:
    """The server speaks 2.4.1, and takes a silent terminal for 2.2.14."""
    assert str(SERVER) == "2.4.1"
    assert str(BASELINE) == "2.2.14"


@given(st.text())
def test_negotiation_never_goes_above_the_server(push_version: str) -> None:
    """Whatever a terminal says of its version, the negotiated one is not above the server's."""
    assert negotiate(push_version) <= (2, 4, 1)

"""Errors: whose fault it was, and a reply that no terminal takes for success."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zkpush.protocol import errors

REFUSALS = [
    ("The body is too large.", b"The body is too large.\n"),
    ("TOKEN", b"TO.KEN\n"),
    ("OK: 9", b"O.K: 9\n"),
    ("OOKK", b"OO.KK\n"),
    ("O K", b"O K\n"),
    ("one\r\ntwo\tthree ", b"one two three\n"),
    ("\u00e9", b"\xc3\xa9\n"),
    ("", b"\n"),
]

STATUSES = [
    (errors.ProtocolError, 400),
    (errors.TerminalError, 400),
    (errors.Refused, 403),
    (errors.UnknownPath, 404),
    (errors.UnknownUser, 404),
    (errors.WrongMethod, 405),
    (errors.TooLarge, 413),
    (errors.TooManyRequests, 429),
    (errors.Unavailable, 503),
]


@pytest.mark.parametrize(("message", "body"), REFUSALS)
def test_a_refusal_is_one_line_without_the_mark_of_success(message: str, body: bytes) -> None:
    """A refusal is one line of UTF-8 in which no OK is left, not even inside a word."""
    assert errors.refusal(message) == body


@given(
    st.text(st.characters(), max_size=30) | st.text("OK \n\udc80\u4e02\u4e51", max_size=12),
    st.sampled_from(["utf-8", "gb18030"]),
)
@example("O\udc80K", "utf-8")
@example(b"\x81\x4fK".decode("gb18030"), "gb18030")
def test_no_refusal_looks_like_success(message: str, encoding: str) -> None:
    """Whatever a refusal says, even what is not Unicode, a terminal never takes it for success."""
    body = errors.refusal(message, encoding)
    assert b"OK" not in body
    assert body.count(b"\n") == 1
    assert body.endswith(b"\n")


def test_a_refusal_can_be_in_the_encoding_of_a_terminal() -> None:
    """What a terminal is to show is in its own characters."""
    assert errors.refusal("\u8bbf\u5ba2 OK", "gb18030") == "\u8bbf\u5ba2 O.K\n".encode("gb2312")


@pytest.mark.parametrize(("error", "status"), STATUSES)
def test_an_error_carries_the_status_to_answer_with(
    error: type[errors.ProtocolError], status: int
) -> None:
    """The class of an error says which HTTP status answers it."""
    assert error("no").status == status


@pytest.mark.parametrize(
    "error",
    [
        errors.UnknownPath,
        errors.UnknownUser,
        errors.WrongMethod,
        errors.TooLarge,
        errors.TerminalError,
    ],
)
def test_what_the_terminal_did_wrong_is_told_from_what_the_server_cannot_do(
    error: type[errors.ProtocolError],
) -> None:
    """An error of the terminal is never one that goes away by trying again."""
    assert issubclass(error, errors.TerminalError)
    assert not issubclass(errors.Refused, errors.TerminalError)
    assert not issubclass(errors.TooManyRequests, errors.TerminalError)
    assert not issubclass(errors.Unavailable, errors.TerminalError)


def test_a_bad_command_is_the_fault_of_who_asked_for_it() -> None:
    """A command that must not be sent is a wrong value, not a request that is refused."""
    assert issubclass(errors.CommandError, ValueError)
    assert not issubclass(errors.CommandError, errors.ProtocolError)

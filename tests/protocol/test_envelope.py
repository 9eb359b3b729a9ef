"""The exchange requests (6, 7) and sealed bodies on the wire."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol.envelope import (
    MOST_SEAL,
    MOST_VALUE,
    Direction,
    NotOpened,
    Place,
    Step,
    can_encrypt,
    decode_step,
    delimited,
    encode_seal,
    encode_step,
    place_of,
    sealed_of,
    step_of,
    unreadable_form,
)
from zkpush.protocol.errors import TerminalError, refusal
from zkpush.protocol.requests import parse_arguments

VALUES = st.binary(min_size=1, max_size=80).map(base64.b64encode)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
PLACES = st.builds(
    Place, TEXTS, TEXTS, TEXTS, st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple)
)


@pytest.mark.parametrize(
    ("step", "body"),
    [
        (Step.PUBLIC_KEY, b"PublicKey=QUJD"),
        (Step.FACTOR, b"Factors=QUJDRA=="),
    ],
)
def test_a_step_is_one_line(step: Step, body: bytes) -> None:
    """As the spec writes it, in both directions."""
    value = body.partition(b"=")[2]
    assert encode_step(step, value) == body
    assert decode_step(step, body) == value


@pytest.mark.parametrize(
    "body",
    [b"PublicKey=QUJD\n", b"PublicKey=QUJD\r\n", b"\npublickey= QUJD \n", b"PUBLICKEY =QUJD\0"],
)
def test_a_step_is_read_however_it_is_written(body: bytes) -> None:
    """Other case, spaces and line ends around it are no mistake."""
    assert decode_step(Step.PUBLIC_KEY, body) == b"QUJD"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PublicKey",
        b"PublicKey=",
        b"Factors=QUJD",
        b"PublicKey=QU JD",
        b"PublicKey=QUJD\nPublicKey=QUJD",
        b"PublicKey=QU\0JD",
        b"PublicKey=\xc3\xa4",
        b"PublicKey=" + b"A" * (MOST_VALUE + 1),
        b" " * 10_000_000 + b"PublicKey=QUJD",
    ],
)
def test_what_is_no_step_is_refused(body: bytes) -> None:
    """The message says what is expected, and repeats nothing."""
    with pytest.raises(TerminalError) as refused:
        decode_step(Step.PUBLIC_KEY, body)
    assert str(refused.value) == "The body of this exchange is one line, PublicKey=…"


@given(VALUES, st.sampled_from(Step))
def test_values_come_back(value: bytes, step: Step) -> None:
    """Whatever a suite makes of letters."""
    assert decode_step(step, encode_step(step, value)) == value


@pytest.mark.parametrize("value", [b"", b"a b", b"a\n", b"\xff", b"A" * (MOST_VALUE + 1)])
def test_what_is_no_value_is_not_sent(value: bytes) -> None:
    """A suite that makes one is told."""
    with pytest.raises(ValueError, match="visible ASCII"):
        encode_step(Step.FACTOR, value)


@pytest.mark.parametrize(
    ("query", "step"),
    [
        (b"SN=1&type=publickey", Step.PUBLIC_KEY),
        (b"SN=1&Type=PublicKey", Step.PUBLIC_KEY),
        (b"SN=1&type=factors", Step.FACTOR),
    ],
)
def test_the_type_says_which_step_it_is(query: bytes, step: Step) -> None:
    """In any case."""
    assert step_of(parse_arguments(query)) is step


@pytest.mark.parametrize("query", [b"", b"type=", b"type=factor", b"type=keys"])
def test_another_type_is_refused(query: bytes) -> None:
    """There are two."""
    with pytest.raises(TerminalError, match="type=publickey or type=factors"):
        step_of(parse_arguments(query))


@pytest.mark.parametrize(
    ("version", "can"),
    [("2.4.0", True), ("2.4.1", True), ("3.1.6S", True), ("2.3.0", False), (None, False)],
)
def test_both_sides_need_version_2_4_0(version: str | None, can: bool) -> None:
    """Appendix 8: else the session is plain."""
    assert can_encrypt(version) is can


@pytest.mark.parametrize(
    ("path", "query", "place"),
    [
        (b"/iclock/getrequest", b"SN=A", Place("A", "GET", "getrequest")),
        (b"/iclock/GetRequest.aspx", b"sn=A&seal=x", Place("A", "GET", "getrequest")),
        (b"//iclock/iclock/ping/", b"SN=A", Place("A", "GET", "ping")),
        (b"/ICLOCK/file/Ab%20C.bin", b"", Place("", "GET", "file/Ab%20C.bin")),
        (
            b"/iclock/cdata",
            b"Table=ATTLOG&SN=A&Stamp=%39",
            Place("A", "GET", "cdata", (("stamp", "9"), ("table", "ATTLOG"))),
        ),
        (b"/iclock/f\xff", b"SN=A", Place("A", "GET", "f\ufffd")),
        (b"", b"", Place("", "GET", "")),
    ],
)
def test_a_place_is_the_same_however_it_is_written(path: bytes, query: bytes, place: Place) -> None:
    """What firmware may write in several ways is one place."""
    arguments = parse_arguments(query)
    assert place_of(arguments.get("SN", ""), "Get", path, arguments) == place


@given(PLACES, PLACES, st.sampled_from(Direction), st.sampled_from(Direction))
def test_two_places_are_bound_to_other_bytes(
    one: Place, other: Place, way: Direction, back: Direction
) -> None:
    """No two places, and no two directions, are taken for each other."""
    assert (one.binding(way) == other.binding(back)) is ((one, way) == (other, back))


@given(st.lists(st.binary(max_size=9), max_size=4), st.lists(st.binary(max_size=9), max_size=4))
def test_parts_are_told_apart(one: list[bytes], other: list[bytes]) -> None:
    """Wherever the one ends and the next begins."""
    assert (delimited(*one) == delimited(*other)) is (one == other)


def test_a_request_with_a_body_is_sealed_in_it() -> None:
    """A seal in the arguments counts for nothing then."""
    arguments = parse_arguments(b"SN=A&seal=QUJD")
    assert sealed_of("POST", arguments, b"\x01body") == b"\x01body"


@given(st.binary(min_size=1, max_size=100), st.sampled_from(["GET", "get", "HEAD"]))
def test_a_request_without_a_body_has_its_seal_in_the_arguments(sealed: bytes, method: str) -> None:
    """In letters that need no encoding in a URL; a body counts for nothing then."""
    arguments = parse_arguments(b"SN=A&seal=" + encode_seal(sealed).encode())
    assert sealed_of(method, arguments, b"body") == sealed


@pytest.mark.parametrize(
    "seal", [b"", b"A", b"QUJD=", b"QQ==", b"QR", b"Q+/D", b"Q%20", b"A" * (MOST_SEAL + 4)]
)
def test_what_is_no_seal_is_none(seal: bytes) -> None:
    """One writing of a seal is taken, so that it cannot be changed and still be good."""
    assert sealed_of("GET", parse_arguments(b"seal=" + seal), b"") == b""
    assert sealed_of("GET", parse_arguments(b""), b"") == b""


def test_a_body_of_old_firmware_is_named() -> None:
    """What LZO1 is, and that it cannot be read, is said where it is kept."""
    reason = unreadable_form(b"LZO1\x10\x27\x00\x00whatever")
    assert reason is not None
    assert reason.startswith("LZO1: ")
    assert "10000 bytes" in reason


@pytest.mark.parametrize("body", [b"", b"LZO1", b"LZO1\0\0\0", b"LZO2\0\0\0\0", b"1\tLZO1\0\0\0\0"])
def test_other_bodies_are_not_named(body: bytes) -> None:
    """They are what they are."""
    assert unreadable_form(body) is None


def test_what_does_not_open_is_refused_in_one_way() -> None:
    """With a status and words that no terminal takes for success."""
    assert NotOpened.status == 400
    assert str(NotOpened()) == str(NotOpened())
    assert b"OK" not in refusal(str(NotOpened()))

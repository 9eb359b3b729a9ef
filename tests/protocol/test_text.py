"""Text encodings (1.2)."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.strategies import ENCODINGS, VALUE_CHARACTERS
from zkpush.protocol.text import (
    MOST_MARKED,
    TextEncoding,
    decode_line,
    encoding_for,
    guessed_encoding,
    shown,
)

ENCODING_OF_LANGUAGE = [
    ("83", "gb18030"),
    ("69", "utf-8"),
    ("0", "utf-8"),
    ("", "utf-8"),
    (None, "utf-8"),
]

LINES = [
    (b"plain", "utf-8", "plain", None),
    (b"caf\xc3\xa9", "utf-8", "caf\u00e9", None),
    (b"caf\xe9", "utf-8", "caf\ufffde9", b"caf\xe9"),
    (b"\xc9\xcf\xb0\xe0", "gb18030", "\u4e0a\u73ed", None),
    (b"\x81\x39\xee\x39", "gb18030", "\u3400", None),
    (b"a\xe4\xb8", "utf-8", "a\ufffde4\ufffdb8", b"a\xe4\xb8"),
    (b"\xc9\xcf\xff", "gb18030", "\u4e0a\ufffdff", b"\xc9\xcf\xff"),
]


@pytest.mark.parametrize(("language", "encoding"), ENCODING_OF_LANGUAGE)
def test_only_simplified_chinese_terminals_write_gb(language: str | None, encoding: str) -> None:
    """Language 83 is read as GB18030, the superset of GB2312; all others as UTF-8."""
    assert encoding_for(language) == encoding


@pytest.mark.parametrize(("line", "encoding", "text", "kept"), LINES)
def test_bytes_that_do_not_decode_are_shown_and_kept(
    line: bytes, encoding: str, text: str, kept: bytes | None
) -> None:
    """A line with bytes that do not decode shows those marked, and its exact bytes are kept."""
    assert decode_line(line, encoding) == (text, kept)


def test_only_bytes_are_shown_marked() -> None:
    """Text that cannot be encoded is an error, as ever."""
    with pytest.raises(UnicodeEncodeError):
        "\ud800".encode("utf-8", "zkpush.mark")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_cut_character_costs_no_other(encoding: str) -> None:
    """All characters of a line are shown, however many there are, but for the bytes of one."""
    name = "\u738b" * 100
    line = name.encode(encoding) + "\u738b".encode(encoding)[:1]
    text, kept = decode_line(line, encoding)
    assert text == f"{name}\ufffd{line[-1]:02x}"
    assert kept == line


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_line_of_another_encoding_is_shown_byte_by_byte(encoding: str) -> None:
    """Beyond a number of places, all bytes beyond ASCII are marked."""
    places = b"\xff a" * (MOST_MARKED + 1)
    valid = "\u738b".encode(encoding)
    shown = "".join(f"\ufffd{byte:02x}" for byte in valid)
    assert decode_line(places[3:] + valid, encoding)[0] == "\ufffdff a" * MOST_MARKED + "\u738b"
    assert decode_line(places + valid, encoding)[0] == "\ufffdff a" * (MOST_MARKED + 1) + shown


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_bytes_that_do_not_decode_make_few_calls(encoding: str) -> None:
    """Of a line without any sense as of one with a few senseless bytes."""
    calls: list[str] = []
    for line in (b"\xff" * 10_000, b"\xffa" * 10_000, b"\x81\xff" * 10_000):
        calls.clear()
        sys.setprofile(lambda frame, event, argument: calls.append(event))
        try:
            decode_line(line, encoding)
        finally:
            sys.setprofile(None)
        assert len(calls) < 4 * MOST_MARKED


@given(st.text(VALUE_CHARACTERS), ENCODINGS)
def test_every_text_survives_both_encodings(text: str, encoding: str) -> None:
    """Text written in a terminal's encoding is read back as it was, with no bytes set aside."""
    assert decode_line(text.encode(encoding), encoding) == (text, None)


@given(st.binary(), ENCODINGS)
def test_any_bytes_can_be_shown(line: bytes, encoding: str) -> None:
    """No line fails to decode; what is set aside is the line itself."""
    _, kept = decode_line(line, encoding)
    assert kept in (None, line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("T1", "T1"),
        ("café 上班", "café 上班"),
        ("a\nb\rc\td\0e", "a\ufffdb\ufffdc\ufffdd\ufffde"),
        ("\x1b[2J\x85\u2028\u202e", "\ufffd[2J\ufffd\ufffd\ufffd"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 80 + "…"),
    ],
)
def test_what_a_terminal_says_is_one_line_of_the_log(text: str, line: str) -> None:
    """It cannot begin another line, command whoever reads it, or fill the disk."""
    assert shown(text) == line


@pytest.mark.parametrize("encoding", TextEncoding)
def test_an_encoding_that_may_be_set_contains_ascii(encoding: TextEncoding) -> None:
    """Otherwise a separator, or the name of a field, would be another character."""
    ascii_ = "".join(map(chr, range(128)))
    assert ascii_.encode("ascii").decode(encoding) == ascii_
    assert decode_line(b"PIN=7\tName=Ann", encoding) == ("PIN=7\tName=Ann", None)
    text, _ = decode_line(b"Name=\xff\xff\xff", encoding)
    assert text.startswith("Name=")


@pytest.mark.parametrize(
    ("text", "if_gb18030", "if_utf_8"),
    [
        (b"Name=Ann\tPri=0", "gb18030", "utf-8"),
        ("Name=\u738b\u4f1f".encode(), "utf-8", "utf-8"),
        ("Name=\u738b\u4f1f".encode("gb18030"), "gb18030", "gb18030"),
        ("Name=\u3400".encode("gb18030"), "gb18030", "gb18030"),
        # A character of two bytes in both: a name in GB2312, and a letter of a word in UTF-8.
        ("Name=\u9646\tPri=0".encode("gb18030"), "gb18030", "utf-8"),
        ("Name=Jos\u00e9".encode(), "utf-8", "utf-8"),
        ("Name=\u00d1".encode(), "utf-8", "utf-8"),
        # A name that the terminal has cut within a character.
        ("Name=\u738b\u4f1f".encode()[:-1] + b"\tPri=0", "utf-8", "utf-8"),
        ("Name=\u738b\u4f1f".encode()[:-2], "utf-8", "utf-8"),
        (b"Name=\xe7\tPri=0", "gb18030", "utf-8"),
        # Neither.
        (b"Name=\xff\xff", "gb18030", "utf-8"),
    ],
)
def test_a_text_in_chinese_shows_its_encoding(text: bytes, if_gb18030: str, if_utf_8: str) -> None:
    """UTF-8 if it is valid, else GB18030; where both fit, the one that the terminal is sent."""
    assert guessed_encoding(text, "gb18030") == if_gb18030
    assert guessed_encoding(text, "utf-8") == if_utf_8


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=20))
def test_chinese_in_utf_8_is_never_taken_for_gb18030(name: str) -> None:
    """Whole or cut, with either language."""
    whole = name.encode()
    for written in ("utf-8", "gb18030"):
        assert guessed_encoding(whole, written) == "utf-8"
        if len(name) > 1:
            assert guessed_encoding(whole[:-1] + b"\tPri=0", written) == "utf-8"

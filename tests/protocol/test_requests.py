"""Paths and arguments of requests (2, 5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol import requests
from zkpush.protocol.errors import TerminalError
from zkpush.protocol.requests import (
    Arguments,
    Upload,
    normalize_segment,
    parse_arguments,
    read_query,
)

SEGMENTS = [
    (b"cdata", b"cdata"),
    (b"CData", b"cdata"),
    (b"cdata.aspx", b"cdata"),
    (b"GetRequest.ASPX", b"getrequest"),
    (b"iclock", b"iclock"),
    (b"cdata.aspx.aspx", b"cdata.aspx"),
    (b"", b""),
]

QUERIES = [
    (
        b"SN=0316144680030&options=all&pushver=2.2.14&language=83",
        [("SN", "0316144680030"), ("options", "all"), ("pushver", "2.2.14"), ("language", "83")],
    ),
    (b"SN=1&INFO=Ver%202.0.12-20150625,0", [("SN", "1"), ("INFO", "Ver 2.0.12-20150625,0")]),
    (b"url=a%3Db%26c", [("url", "a=b&c")]),
    (b"key=a=b", [("key", "a=b")]),
    (b"a=1+2", [("a", "1+2")]),
    (b"%53N=7", [("SN", "7")]),
    (b"SN=7&sn=7", [("SN", "7")]),
    (b"a=&b&=c", [("a", ""), ("b", ""), ("", "c")]),
    (b"&&a=1&", [("a", "1")]),
    (b"a=%", [("a", "%")]),
    (b"a=%ff", [("a", "\ufffd")]),
    (b"a=%E4%B8%8A", [("a", "\u4e0a")]),
    (b"a=\xe4\xb8\x8a", [("a", "\u4e0a")]),
    (b"", []),
]


@pytest.mark.parametrize(("segment", "name"), SEGMENTS)
def test_a_path_is_known_in_every_way_it_is_written(segment: bytes, name: bytes) -> None:
    """A path segment is the same in any case, with and without `.aspx`."""
    assert normalize_segment(segment) == name


@pytest.mark.parametrize(("query", "pairs"), QUERIES)
def test_arguments_are_read_as_sent(query: bytes, pairs: list[tuple[str, str]]) -> None:
    """Arguments are percent-decoded after they were cut apart, and keep their order."""
    assert list(parse_arguments(query).items()) == pairs


@pytest.mark.parametrize("name", ["SN", "sn", "Sn"])
def test_an_argument_is_found_in_any_case(name: str) -> None:
    """Firmware writes the names of arguments in any case."""
    arguments = parse_arguments(b"sN=7&table=ATTLOG")
    assert arguments[name] == "7"
    assert name in arguments


def test_a_missing_argument_is_missing() -> None:
    """What was not sent is not there."""
    arguments = parse_arguments(b"SN=7")
    assert "table" not in arguments
    assert arguments.get("table") is None
    assert len(arguments) == 1


@pytest.mark.parametrize("query", [b"SN=7&SN=8", b"SN=7&sn=8", b"SN=7&a=1&S%4e=8", b"SN=7&SN="])
def test_an_argument_with_two_values_is_refused(query: bytes) -> None:
    """An argument that is there twice with two values is refused, in whatever case."""
    with pytest.raises(TerminalError, match="twice") as caught:
        parse_arguments(query)
    assert "OK" not in str(caught.value)


def test_an_argument_may_be_repeated_with_the_same_value() -> None:
    """An argument that is there twice with one value is one argument."""
    arguments = Arguments([("SN", "7"), ("SN", "7"), ("sn", "7")])
    assert list(arguments.items()) == [("SN", "7")]


_TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)


@given(st.dictionaries(_TEXT.map(str.lower), _TEXT, max_size=4))
def test_every_argument_survives_percent_encoding(sent: dict[str, str]) -> None:
    """Names and values of any text are read back when every byte of them is percent-encoded."""

    def quoted(text: str) -> str:
        return "".join(f"%{byte:02x}" for byte in text.encode())

    query = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in sent.items())
    arguments = parse_arguments(query.encode())
    assert {name.lower(): value for name, value in arguments.items()} == {
        name.lower(): value for name, value in sent.items()
    }


@given(st.binary())
def test_a_query_is_read_or_refused(query: bytes) -> None:
    """Any bytes after `?` are arguments, or a mistake of the terminal's."""
    try:
        arguments = parse_arguments(query)
    except TerminalError:
        return
    assert len(list(arguments)) == len(arguments)
    assert all(name in arguments for name in arguments)


def test_an_upload_may_have_no_stamp() -> None:
    """Newer firmware discards stamps: an upload is complete without one."""
    upload = Upload(table="ATTLOG", body=b"")
    assert (upload.stamp, upload.packed, upload.name) == (None, False, None)


@pytest.mark.parametrize(
    "query",
    [b"SN=7", b"SN=7&table=ATTLOG", b"SN=7&table=ATTLOG&Stamp=9999", b"sn=7&table=ATTLOG"],
)
def test_what_is_sent_all_day_is_read_as_everything_else(query: bytes) -> None:
    """The short way gives the same, but for the serial number among the arguments."""
    for _ in range(2):
        sn, arguments = read_query(query)
        assert sn == "7"
        others = {name: value for name, value in arguments.items() if name.lower() != "sn"}
        expected = parse_arguments(query)
        assert others == {name: expected[name] for name in expected if name.lower() != "sn"}


@pytest.mark.parametrize(
    "query", [b"", b"SN=", b"SN=a.b", b"SN=7&SN=8", b"SN=7\n", b"SN=7&table=A&sn=8", b"table=A"]
)
def test_a_query_without_a_serial_number_is_refused(query: bytes) -> None:
    """Nothing, or nothing safe, or two of them."""
    with pytest.raises(TerminalError):
        read_query(query)


def test_nothing_secret_and_nothing_long_is_remembered() -> None:
    """Only what terminals send all day, and only so much of it."""
    remembered = requests.remembered_arguments
    remembered.cache_clear()
    for query in (
        b"SN=7&options=all&pushcommkey=secret",
        b"SN=7&table=ATTLOG&Stamp=1&pushcommkey=secret",
        b"SN=7&table=" + b"A" * 17,
        b"SN=7&INFO=secret",
    ):
        read_query(query)
    assert remembered.cache_info().currsize == 0
    for number in range(1000):
        read_query(b"SN=7&table=ATTLOG&Stamp=%d" % number)
    assert remembered.cache_info().currsize == 256

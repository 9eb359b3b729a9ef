"""Records: bodies of uploads to rows, and back (8, 9, 11)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import fixture
from tests.protocol.strategies import (
    ENCODINGS,
    broken_bodies,
    dialects_of,
    option_names,
    option_values,
    rows_of,
)
from zkpush.handlers.attendance.tables import ATTLOG
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.fields import Table
from zkpush.protocol.records import (
    Reject,
    decode,
    decode_pairs,
    decode_values,
    encode_pairs,
    encode_rows,
)
from zkpush.protocol.reports import INFO, OPTIONS
from zkpush.protocol.versions import Version

from ..declared import RECORD_TABLES

TIME = "2015-07-30 15:16:28"
CHINESE = Dialect(encoding="gb18030")
IDENTITY = Dialect(device_type="pid")
MASK = Dialect(own_version=Version(2, 4, 2))

ROWS = [
    (
        "identity card",
        Dialect(),
        "1452\t2015-07-30 15:16:28\t0\t1\n",
        ("1452", TIME, 0, 1),
        ("1452", TIME, 0, 1, *[None] * 10),
    ),
    (
        "identity card",
        Dialect(),
        "1452\t2015-07-30 15:16:28\t255\t15\t7\t0\t0\n",
        ("1452", TIME, 255, 15, "7", "0", "0"),
        ("1452", TIME, 255, 15, "7", "0", "0", *[None] * 7),
    ),
    (
        "identity card",
        IDENTITY,
        "1452\t2015-07-30 15:16:28\t2\t1\t0\t0\t0\t10000000000000001X\t1\n",
        ("1452", TIME, 2, 1, "0", "0", "0", "10000000000000001X", 1),
        ("1452", TIME, 2, 1, "0", "0", "0", "10000000000000001X", 1, *[None] * 5),
    ),
    (
        "mask",
        MASK,
        "1452\t2015-07-30 15:16:28\t0\t1\t\t0\t0\t1\t36.5\n",
        ("1452", TIME, 0, 1, None, "0", "0", 1, 36.5),
        ("1452", TIME, 0, 1, None, "0", "0", None, None, 1, 36.5, None, None, None),
    ),
    (
        "mask",
        Dialect(),
        "1452\t2015-07-30 15:16:28\t0\t1\t0\t0\t0\t255\t36.5\t97.7\n",
        ("1452", TIME, 0, 1, "0", "0", "0", 255, 36.5, 97.7),
        ("1452", TIME, 0, 1, "0", "0", "0", None, None, 255, 36.5, 97.7, None, None),
    ),
    (
        "mask",
        Dialect(),
        "1452\t2015-07-30 15:16:28\t0\t1\t0\t0\t0\t0\t36.5\t97.7\t-12600\teyJhIjoxfQ==\n",
        ("1452", TIME, 0, 1, "0", "0", "0", 0, 36.5, 97.7, -12600, "eyJhIjoxfQ=="),
        ("1452", TIME, 0, 1, "0", "0", "0", None, None, 0, 36.5, 97.7, -12600, "eyJhIjoxfQ=="),
    ),
]
"""Form, terminal, line, the values in it, and the stored row: these are read and written."""

PAIRS = [
    ("FingerFunOn=1", [("FingerFunOn", "1")]),
    ("FingerFunOn=1,FaceFunOn=1", [("FingerFunOn", "1"), ("FaceFunOn", "1")]),
    (
        "~OEMVendor=ZKTECO CO., LTD.,~DeviceName=Terminal 9,IPAddress=",
        [("~OEMVendor", "ZKTECO CO., LTD."), ("~DeviceName", "Terminal 9"), ("IPAddress", "")],
    ),
    (
        "A=,~B=,MultiBioDataSupport=0:1:1:0:0:0:0:0:0:0",
        [("A", ""), ("~B", ""), ("MultiBioDataSupport", "0:1:1:0:0:0:0:0:0:0")],
    ),
    ("A=eyJhIjoxfQ==,B=1,2,3,C=x", [("A", "eyJhIjoxfQ=="), ("B", "1,2,3"), ("C", "x")]),
    ("Url=http://a/?b=c,d,E=1", [("Url", "http://a/?b=c,d"), ("E", "1")]),
    ("A=1,A=2", [("A", "1"), ("A", "2")]),
    ("A.b_C2=1,_x=2", [("A.b_C2", "1"), ("_x", "2")]),
]
"""Pushed options: these are read and written."""

NOT_PAIRS = ["FingerFunOn", "=1", "1=1", "a b=1", "~=1", "caf\u00e9=1", "1,A=1", ",A=1", "~~A=1"]

FIRMWARE = "Ver 2.0.12-20150625"

VALUES = [
    (f"{FIRMWARE},5,3", [("firmware", FIRMWARE), ("users", 5), ("fingerprints", 3)]),
    (
        f"{FIRMWARE},5,3,812",
        [("firmware", FIRMWARE), ("users", 5), ("fingerprints", 3), ("attendance", 812)],
    ),
    (
        f"{FIRMWARE},5,3,812,192.168.16.27",
        [
            ("firmware", FIRMWARE),
            ("users", 5),
            ("fingerprints", 3),
            ("attendance", 812),
            ("address", "192.168.16.27"),
        ],
    ),
    (
        f"{FIRMWARE},0,0,0,192.168.16.27,10",
        [
            ("firmware", FIRMWARE),
            ("users", 0),
            ("fingerprints", 0),
            ("attendance", 0),
            ("address", "192.168.16.27"),
            ("fingerprint_version", "10"),
        ],
    ),
    (
        f"{FIRMWARE},0,0,0,192.168.16.27,10,7,15,0,111,1,,x",
        [
            ("firmware", FIRMWARE),
            ("users", 0),
            ("fingerprints", 0),
            ("attendance", 0),
            ("address", "192.168.16.27"),
            ("fingerprint_version", "10"),
            ("face_version", "7"),
            ("faces_required", 15),
            ("faces", 0),
            ("functions", "111"),
            ("Value11", "1"),
            ("Value13", "x"),
        ],
    ),
    (f"{FIRMWARE},,many, 2 ", [("firmware", FIRMWARE), ("Value3", "many"), ("attendance", 2)]),
    ("", []),
    (",,,", []),
]

TABLES = [ATTLOG, OPTIONS, INFO]


@pytest.mark.parametrize(("form", "dialect", "line", "values", "row"), ROWS)
def test_a_record_is_read_as_it_is_written(
    form: str,
    dialect: Dialect,
    line: str,
    values: tuple[object, ...],
    row: tuple[object, ...],
) -> None:
    """A record of 4 to 12 columns is the same values on the wire and in the row."""
    assert encode_rows(ATTLOG, [values], form) == line
    batch = decode(ATTLOG, line.encode(), dialect)
    assert batch.rows == [(*row, None, None)]
    assert batch.rejects == []


def test_records_are_written_in_declared_order_unless_told_otherwise() -> None:
    """Without a form, columns are written in the order the table declares them."""
    rows = [("1", TIME, 0, 1), ("2", TIME, None, 1)]
    assert encode_rows(ATTLOG, rows) == f"1\t{TIME}\t0\t1\n2\t{TIME}\t\t1\n"
    assert encode_rows(ATTLOG, []) == ""


@pytest.mark.parametrize(("text", "pairs"), PAIRS)
def test_options_are_read_as_they_are_written(text: str, pairs: list[tuple[str, str]]) -> None:
    """Options are pairs between commas; a value may hold commas, and a key may begin with `~`."""
    assert decode_pairs(text) == pairs
    assert encode_pairs(pairs) == text


def test_space_around_options_is_not_part_of_them() -> None:
    """Space before and after all options, and around the first key, belongs to none of them."""
    assert decode_pairs(" A =1, 2,B= x \r") == [("A", "1, 2"), ("B", " x")]


@pytest.mark.parametrize("text", NOT_PAIRS)
def test_what_does_not_begin_with_a_key_is_no_option(text: str) -> None:
    """Options begin with a key, and a key with a letter or `~`."""
    with pytest.raises(ValueError, match="is not Key=Value"):
        decode_pairs(text)


@pytest.mark.parametrize(("text", "values"), VALUES)
def test_the_state_of_a_terminal_has_as_many_values_as_it_sends(
    text: str, values: list[tuple[str, object]]
) -> None:
    """INFO has 3 to 13 values; those without a meaning, or not of the kind, are kept as text."""
    assert decode_values(INFO, text) == values
    batch = decode(INFO, text.encode(), Dialect())
    assert (batch.rows, batch.rejects) == (values, [])


def test_the_state_of_the_specification_has_ten_values() -> None:
    """The example of section 9 says all that the protocol gives a meaning."""
    batch = decode(INFO, b"Ver 2.0.12-20150625,0,0,0,192.168.16.27,10,7,15,0,111", Dialect())
    assert dict(batch.rows) == {
        "firmware": "Ver 2.0.12-20150625",
        "users": 0,
        "fingerprints": 0,
        "attendance": 0,
        "address": "192.168.16.27",
        "fingerprint_version": "10",
        "face_version": "7",
        "faces_required": 15,
        "faces": 0,
        "functions": "111",
    }


def test_the_options_of_the_specification_are_two() -> None:
    """The example of section 8 turns two functions on."""
    batch = decode(OPTIONS, fixture("options.txt"), Dialect())
    assert batch.table is OPTIONS
    assert batch.rows == [("FingerFunOn", "1"), ("FaceFunOn", "1")]
    assert batch.rejects == []


def test_options_are_read_in_the_encoding_of_the_terminal() -> None:
    """A terminal in Simplified Chinese pushes its options in GB18030."""
    batch = decode(OPTIONS, b"~DeviceName=\xc9\xcf\xb0\xe0,A=1\r\n", CHINESE)
    assert batch.rows == [("~DeviceName", "\u4e0a\u73ed"), ("A", "1")]


@pytest.mark.parametrize(("table", "name"), [(OPTIONS, "A=caf\xe9"), (INFO, "Ver\xe9")])
def test_what_a_terminal_says_of_itself_is_kept_exactly_too(table: Table, name: str) -> None:
    """Options with bytes that are no text are taken as they show, and the bytes are kept."""
    line = name.encode("latin-1")
    batch = decode(table, line + b"\n", Dialect())
    assert str(batch.rows[0][1]).endswith("\ufffde9")
    assert [reject.raw for reject in batch.rejects] == [line]


def test_users_that_differ_in_bytes_stay_different() -> None:
    """Two users whose numbers are no text do not become one user."""
    body = b"1\xfe\t2026-01-05 08:00:00\t0\t1\n1\xff\t2026-01-05 08:00:00\t0\t1\n"
    rows = decode(ATTLOG, body, Dialect()).rows
    assert len({row[0] for row in rows}) == 2


@pytest.mark.parametrize(
    ("table", "body", "rows", "reject"),
    [
        (
            OPTIONS,
            b"A=1\r\nrubbish\xff\r\n\r\nB=2",
            [("A", "1"), ("B", "2")],
            Reject("options", "'rubbish\ufffdff' is not Key=Value", b"rubbish\xff"),
        ),
        (
            OPTIONS,
            b"A=1\nB=\x00\n",
            [("A", "1")],
            Reject("options", "a text line cannot hold NUL", b"B=\x00"),
        ),
        (
            INFO,
            b"Ver 1\n\x00\n",
            [("firmware", "Ver 1")],
            Reject("INFO", "a text line cannot hold NUL", b"\x00"),
        ),
    ],
)
def test_a_bad_line_does_not_stop_the_lines_around_it(
    table: Table, body: bytes, rows: list[tuple[object, ...]], reject: Reject
) -> None:
    """What cannot be read is set aside with its bytes and the reason; the rest is read."""
    batch = decode(table, body, Dialect())
    assert batch.rows == rows
    assert batch.rejects == [reject]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("body", [b"", b"\n", b"\r\n\r\n", b" \t \r\n\t\t\n"])
def test_a_blank_body_says_nothing(table: Table, body: bytes) -> None:
    """Blank lines are neither records nor mistakes."""
    batch = decode(table, body, Dialect())
    assert (batch.rows, batch.rejects) == ([], [])


@given(st.data(), st.sampled_from([table for table in RECORD_TABLES if table.forms]))
def test_every_record_survives_the_wire(data: st.DataObject, table: Table) -> None:
    """Rows of any values the table allows, in any of its forms, are read as they were written."""
    form = data.draw(st.sampled_from(table.forms))
    dialect = data.draw(dialects_of(form))
    rows = data.draw(st.lists(rows_of(table, form), max_size=4))
    body = encode_rows(table, rows, form.name).encode(dialect.encoding)
    batch = decode(table, body, dialect)
    assert batch.rejects == []
    expected = []
    for row in rows:
        sent = {
            name: value for name, value in zip(form.fields, row, strict=False) if value is not None
        }
        values = [sent.get(name, table.field(name).default) for name in table.names]
        expected.append((*values, None, None))
    assert batch.rows == expected


@given(st.lists(st.tuples(option_names(), option_values()), min_size=1, max_size=6), ENCODINGS)
def test_every_option_survives_the_wire(pairs: list[tuple[str, str]], encoding: str) -> None:
    """Options of any names and values are read as they were pushed."""
    text = encode_pairs(pairs)
    *others, (name, value) = pairs
    expected = [*others, (name, value.removesuffix(","))]  # a last comma is a separator
    assert decode_pairs(text) == expected
    assert decode(OPTIONS, text.encode(encoding), Dialect(encoding=encoding)).rows == expected


@given(st.sampled_from(TABLES), broken_bodies(), ENCODINGS)
def test_no_body_is_fatal(table: Table, body: bytes, encoding: str) -> None:
    """Any bytes are read or set aside, whatever they were meant to be."""
    batch = decode(table, body, Dialect(encoding=encoding))
    for reject in batch.rejects:
        assert reject.table == table.name
        assert reject.reason
        assert reject.raw in body


@given(broken_bodies(), ENCODINGS, st.sampled_from([Dialect(), IDENTITY, MASK]))
def test_every_line_of_attendance_is_a_record_or_a_mistake(
    body: bytes, encoding: str, terminal: Dialect
) -> None:
    """No line is lost: each that is not blank is one row or one reject."""
    dialect = Dialect(
        encoding=encoding, device_type=terminal.device_type, own_version=terminal.own_version
    )
    batch = decode(ATTLOG, body, dialect)
    lines = [line for line in body.split(b"\n") if line.rstrip(b"\r").strip(b"\t ")]
    rejected = sum(1 for line in lines if line.rstrip(b"\r") in {r.raw for r in batch.rejects})
    assert len(batch.rows) + rejected == len(lines)
    for row in batch.rows:
        assert len(row) == len(ATTLOG.names) + 2


@given(st.text())
def test_no_state_is_fatal(text: str) -> None:
    """Any text is a state of so many values, each with a name."""
    values = decode_values(INFO, text)
    assert len(values) <= text.count(",") + 1
    assert all(name for name, _ in values)

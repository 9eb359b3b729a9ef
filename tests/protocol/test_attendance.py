"""Attendance records (11.2, 11.7), as the specification and as real terminals write them."""

from __future__ import annotations

import json

import pytest

from tests import fixture
from zkpush.handlers.attendance.lines import decode_attendance
from zkpush.handlers.attendance.tables import ATTLOG
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.reasons import NO_COLUMNS
from zkpush.protocol.records import decode
from zkpush.protocol.rejects import Reject
from zkpush.protocol.versions import Version

TIME = "2015-07-30 15:16:28"
T = TIME.encode()
ID_NUMBER = "100000000000000001"

PLAIN = Dialect()
CHINESE = Dialect(encoding="gb18030")
CARD = Dialect(device_type="pid")
NEW = Dialect(own_version=Version(2, 4, 2))
OLDER = Dialect(own_version=Version(2, 4, 1))

BASIC = {"pin": "1452", "time": TIME, "status": 0, "verify": 1}
SEVEN = {**BASIC, "work_code": "0", "reserved_1": "0", "reserved_2": "0"}
TWELVE = {
    **SEVEN,
    "temperature": 36.5,
    "converted_temperature": 97.7,
    "time_offset": 28800,
    "extend_data": "x",
}

COUNTS = [
    (b"1452\t%s" % T, {**BASIC, "status": 255, "verify": 0}),
    (b"1452\t%s\t0" % T, {**BASIC, "verify": 0}),
    (b"1452\t%s\t0\t1" % T, BASIC),
    (b"1452\t%s\t255\t1" % T, {**BASIC, "status": 255}),
    (b"1452\t%s\t0\t1\t0" % T, {**BASIC, "work_code": "0"}),
    (b"1452\t%s\t0\t1\t0\t0\t0" % T, SEVEN),
    (
        b"1452\t%s\t0\t1\t0\t0\t0\t255\t36.5\t97.7" % T,
        {**SEVEN, "mask": 255, "temperature": 36.5, "converted_temperature": 97.7},
    ),
    (
        b"1452\t%s\t0\t1\t0\t0\t0\t1\t36.5\t97.7\t+28800" % T,
        {
            **SEVEN,
            "mask": 1,
            "temperature": 36.5,
            "converted_temperature": 97.7,
            "time_offset": 28800,
        },
    ),
    (
        b"1452\t%s\t0\t1\t0\t0\t0\t0\t36.5\t97.7\t+28800\teyJhIjoxfQ==" % T,
        {
            **SEVEN,
            "mask": 0,
            "temperature": 36.5,
            "converted_temperature": 97.7,
            "time_offset": 28800,
            "extend_data": "eyJhIjoxfQ==",
        },
    ),
]
"""Lines of 2 to 12 columns, and the values in them."""

FORMS = [
    # An ID number says of itself what it is, from whatever terminal.
    (PLAIN, ID_NUMBER, "0", {"id_number": ID_NUMBER, "record_type": 0}),
    (NEW, ID_NUMBER, "1", {"id_number": ID_NUMBER, "record_type": 1}),
    (NEW, "10000000000000001X", "1", {"id_number": "10000000000000001X", "record_type": 1}),
    (NEW, "10000000000000001x", "1", {"id_number": "10000000000000001x", "record_type": 1}),
    (NEW, "100000000000001", "0", {"id_number": "100000000000001", "record_type": 0}),
    # A terminal for identity cards sends them, also where there was none.
    (CARD, "7", "0", {"id_number": "7", "record_type": 0}),
    (CARD, "", "0", {"record_type": 0}),
    # The others of 2.4.2 and above send masks and temperatures.
    (NEW, "1", "36.5", {"mask": 1, "temperature": 36.5}),
    (NEW, "", "36.5", {"temperature": 36.5}),
    (NEW, "1000", "36.5", {"mask": 1000, "temperature": 36.5}),
    # Of older ones, what has the shape of a flag is one.
    (OLDER, "255", "0", {"mask": 255, "temperature": 0.0}),
    (PLAIN, "1", "36.5", {"mask": 1, "temperature": 36.5}),
    (PLAIN, "AB123456", "1", {"id_number": "AB123456", "record_type": 1}),
    (OLDER, "1000", "1", {"id_number": "1000", "record_type": 1}),
    (OLDER, "", "1", {"record_type": 1}),
]
"""Terminal, eighth and ninth column, and what they are."""

MENDED = [
    # Line ends and what stands before them.
    (b"1452\t%s\t0\t1\r\n" % T, BASIC),
    (b"1452\t%s\t0\t1\r\r\n" % T, BASIC),
    (b"1452\t%s\t0\t1\t\n" % T, BASIC),
    (b"1452\t%s\t0\t1\t\t\t\r\n" % T, BASIC),
    (b"1452\t%s\t0\t1 \t \n" % T, BASIC),
    (b"1452\t%s\t0\t1\t0\t0\t0\t\n" % T, SEVEN),
    # Doubled TABs.
    (b"1452\t\t%s\t0\t1\n" % T, BASIC),
    (b"1452\t%s\t\t0\t\t1\n" % T, BASIC),
    (b"1452\t\t%s\t\t0\t\t1\n" % T, BASIC),
    (b"\t1452\t%s\t0\t1\n" % T, BASIC),
    (b"1452\t\t%s\t\t0\t\t1\t\t0\t\t0\t\t0\n" % T, SEVEN),
    (b"1452\t%s\t0\t1\t0\t0\t\t0\n" % T, SEVEN),
    (b"1452\t\t%s\t0\t1\t0\t0\t0\t1\t36.5\n" % T, {**SEVEN, "mask": 1, "temperature": 36.5}),
    (
        b"1452\t%s\t\t0\t1\t0\t0\t0\t1\t36.5\t97.7\t+28800\tx\n" % T,
        {**TWELVE, "mask": 1},
    ),
    (
        b"1452\t%s\t\t0\t1\t0\t0\t0\t255\t36.5\t97.7\n" % T,
        {**SEVEN, "mask": 255, "temperature": 36.5, "converted_temperature": 97.7},
    ),
    # Empty columns.
    (
        b"1452\t%s\t\t1\t\t0\t0\t1\t36.5\n" % T,
        {
            **BASIC,
            "status": 255,
            "reserved_1": "0",
            "reserved_2": "0",
            "mask": 1,
            "temperature": 36.5,
        },
    ),
    (
        b"1452\t%s\t0\t1\t0\t0\t0\t\t36.5\t97.7\n" % T,
        {**SEVEN, "temperature": 36.5, "converted_temperature": 97.7},
    ),
    (b"1452\t%s\t0\t1\t0\t0\t0\t\t36.5\t97.7\t+28800\tx\n" % T, TWELVE),
    (b"1452\t%s\t0\t1\t0\t0\t0\t\t36.5\t97.7\t+28800\tx\t\n" % T, TWELVE),
    (b"1452\t%s\t\t\n" % T, {**BASIC, "status": 255, "verify": 0}),
    (b"1452\t%s\t\t1\n" % T, {**BASIC, "status": 255}),
    (b"1452\t%s\t0\t1\t\t0\t0\n" % T, {**BASIC, "reserved_1": "0", "reserved_2": "0"}),
    (b"1452\t%s\t0\t1\t\t0\t\n" % T, {**BASIC, "reserved_1": "0"}),
    (b"1452\t%s\t0\t1\t \t0\t0\n" % T, {**BASIC, "reserved_1": "0", "reserved_2": "0"}),
    (b"1452\t%s\t\t1\t5\t\t\n" % T, {**BASIC, "status": 255, "work_code": "5"}),
    (
        b"1452\t%s\t0\t1\t\t\t\t255\t36.5\t97.7\t+28800\t\n" % T,
        {
            **BASIC,
            "mask": 255,
            "temperature": 36.5,
            "converted_temperature": 97.7,
            "time_offset": 28800,
        },
    ),
    (
        b"1452\t%s\t0\t1\t\t0\t0\t255\t36.5\t97.7\t+28800\t\n" % T,
        {
            **BASIC,
            "reserved_1": "0",
            "reserved_2": "0",
            "mask": 255,
            "temperature": 36.5,
            "converted_temperature": 97.7,
            "time_offset": 28800,
        },
    ),
    (b"1452\t%s\t0\t1\t0\t0\t0\t\t\t\t\t\n" % T, SEVEN),
    # Single spaces for TABs.
    (
        b"1004 2026-08-09 11:30:00 0 1\n",
        {"pin": "1004", "time": "2026-08-09 11:30:00", "status": 0, "verify": 1},
    ),
    (
        b" 1004 2026-08-09 11:30:00 255 15 0 0 0 \r\n",
        {
            "pin": "1004",
            "time": "2026-08-09 11:30:00",
            "status": 255,
            "verify": 15,
            "work_code": "0",
            "reserved_1": "0",
            "reserved_2": "0",
        },
    ),
    (
        b"1004 2026-08-09 11:30:00\n",
        {"pin": "1004", "time": "2026-08-09 11:30:00", "status": 255, "verify": 0},
    ),
    # Spaces beside TABs.
    (b" 1452 \t%s \t 0\t1\n" % T, BASIC),
]
"""What terminals do to lines, and the record that was meant."""

REJECTED = [
    (b"1452", "too few columns"),
    (b"1452\t", "too few columns"),
    (b"rubbish in the line", "too few columns"),
    (b"1452\t2015-02-30 15:16:28\t0\t1", "Time: '2015-02-30 15:16:28' is not a time"),
    (b"1452\t2015-07-30\t0\t1", "Time: '2015-07-30' is not a time"),
    (b"1452\t\t0\t1", "Time: '0' is not a time"),
    (b"\t%s\t0\t1" % T, "Pin is missing"),
    (b"%s\t0\t1" % T, "Time: '0' is not a time"),
    (b"1452\t%s\tin\t1" % T, "Status: 'in' is not an integer"),
    (b"1452\t%s\t-1\t1" % T, "Status: -1 is less than 0"),
    (b"1452\t%s\t0\t9999999999" % T, "Verify: 9999999999 is more than 2147483647"),
    (b"%s\t%s\t0\t1" % (b"1" * 65, T), "Pin: "),
    (b"14\x0152\t%s\t0\t1" % T, "Pin: "),
    (b"1452\t%s\t0\t1\t\x00" % T, "a text line cannot hold NUL"),
]
"""Lines that say not enough to be a record, and why."""

EXTRA = [
    (b"1452\t%s\t0\t1\t0\t0\t0\t0\t36.5\t97.7\t0\tx\tthirteen\t\t15" % T,
     {"Column13": "thirteen", "Column14": "", "Column15": "15"}),
    (b"1452\t%s\t0\t1\t0\t0\t0\tno\twarm\thot\tEast\tx" % T,
     {"MaskFlag": "no", "Temperature": "warm", "ConvTemperature": "hot", "TimeOffset": "East"}),
    (b"1452\t%s\t0\t1\t0\t0\t0\t1\t36.5\t97.7\t99999\tx" % T, {"TimeOffset": "99999"}),
    (b"1452\t%s\t0\t1\t0\t0\t0\t%s\tboth" % (T, ID_NUMBER.encode()), {"Type": "both"}),
]  # fmt: skip
"""Lines with something in them that the table does not know, and where it is kept."""


def said(row: tuple[object, ...]) -> dict[str, object]:
    """What a row says: its values, without those that are not there."""
    values = zip([*ATTLOG.names, "extra", "raw"], row, strict=True)
    return {name: value for name, value in values if value is not None}


def read(line: bytes, dialect: Dialect = PLAIN) -> dict[str, object]:
    """What the one record in a body says."""
    batch = decode(ATTLOG, line, dialect)
    assert batch.rejects == []
    (row,) = batch.rows
    return said(row)


def test_the_attendance_of_the_specification_is_nine_records() -> None:
    """The example of 11.2 has nine records of two users, seven columns each."""
    batch = decode(ATTLOG, fixture("attendance.txt"), PLAIN)
    assert batch.rejects == []
    assert [(row[0], str(row[1])[-2:]) for row in batch.rows] == [
        ("1452", "28"),
        ("1452", "29"),
        ("1452", "30"),
        ("1452", "31"),
        ("1452", "33"),
        ("1452", "34"),
        ("1452", "35"),
        ("8965", "36"),
        ("8965", "37"),
    ]
    assert said(batch.rows[0]) == SEVEN


@pytest.mark.parametrize("dialect", [PLAIN, CHINESE, CARD, NEW, OLDER])
def test_the_identity_cards_of_the_specification_are_nine_records(dialect: Dialect) -> None:
    """The example of 11.7 has an ID number and a type in each record, from any terminal."""
    batch = decode(ATTLOG, fixture("attendance_identity_card.txt"), dialect)
    assert batch.rejects == []
    records = [said(row) for row in batch.rows]
    assert [record["id_number"] for record in records] == [
        "100000000000000001",
        "100000000000000002",
        "100000000000000003",
        "100000000000000004",
        "100000000000000005",
        "100000000000000006",
        "100000000000000007",
        "100000000000000008",
        "100000000000000009",
    ]
    assert records[0] == {**SEVEN, "id_number": "100000000000000001", "record_type": 0}


@pytest.mark.parametrize(("line", "record"), COUNTS)
def test_a_record_has_as_many_columns_as_the_terminal_sends(
    line: bytes, record: dict[str, object]
) -> None:
    """Two columns are a record; each more says more, up to the twelve of 2.4.2."""
    assert read(line) == record


@pytest.mark.parametrize(("dialect", "eighth", "ninth", "values"), FORMS)
def test_the_ninth_column_is_told_by_what_stands_before_it(
    dialect: Dialect, eighth: str, ninth: str, values: dict[str, object]
) -> None:
    """Identity cards and masks are told apart by kind and version of terminal, and by shape."""
    line = f"1452\t{TIME}\t0\t1\t0\t0\t0\t{eighth}\t{ninth}\n"
    assert read(line.encode(), dialect) == {**SEVEN, **values}


def test_more_than_nine_columns_are_of_the_newer_form() -> None:
    """A terminal for identity cards that sends ten columns sends masks too."""
    line = b"1452\t%s\t0\t1\t0\t0\t0\t1\t36.5\t97.7" % T
    assert read(line, CARD)["mask"] == 1


@pytest.mark.parametrize(("line", "record"), MENDED)
def test_a_record_is_understood_as_it_was_meant(line: bytes, record: dict[str, object]) -> None:
    """Line ends, trailing and doubled TABs, empty columns and spaces for TABs cost no record."""
    assert read(line) == record


@pytest.mark.parametrize(("line", "reason"), REJECTED)
def test_a_line_that_is_no_record_is_kept(line: bytes, reason: str) -> None:
    """A line without a user, a time, or what makes the record, is kept with the reason."""
    batch = decode(ATTLOG, line + b"\r\n", PLAIN)
    assert batch.rows == []
    (reject,) = batch.rejects
    assert (reject.table, reject.raw) == ("ATTLOG", line)
    assert reason in reject.reason


def test_a_bad_line_does_not_stop_the_lines_around_it() -> None:
    """The records before and after a bad line are read."""
    body = b"1\t%s\t0\t1\n\xff\xfe\n\n2\t%s\t0\t1\nthree\n4\t%s\t0\t1" % (T, T, T)
    batch = decode(ATTLOG, body, PLAIN)
    assert [row[0] for row in batch.rows] == ["1", "2", "4"]
    missing = NO_COLUMNS
    assert batch.rejects == [
        Reject("ATTLOG", missing, b"\xff\xfe"),
        Reject("ATTLOG", missing, b"three"),
    ]


@pytest.mark.parametrize(("line", "extra"), EXTRA)
def test_what_is_not_understood_costs_nobody_a_record(line: bytes, extra: dict[str, str]) -> None:
    """Columns that are unknown, or optional and unreadable, are kept beside the record."""
    record = read(line)
    assert {name: record[name] for name in BASIC} == BASIC
    assert json.loads(str(record["extra"])) == extra


def test_bytes_that_do_not_decode_are_kept_exactly() -> None:
    """A record with bytes that are no text shows U+FFFD, and keeps its line to the byte."""
    line = b"14\xff52\t%s\t0\t1\t\xe9" % T
    assert read(line + b"\r\n") == {
        **BASIC,
        "pin": "14\ufffdff52",
        "work_code": "\ufffde9",
        "raw": line,
    }


def test_simplified_chinese_is_read_as_gb18030() -> None:
    """A terminal in Simplified Chinese writes GB2312, and what its superset has more."""
    line = b"1452\t%s\t0\t1\t\xc9\xcf\xb0\xe0\t\x81\x39\xee\x39\t0" % T
    assert read(line, CHINESE) == {
        **BASIC,
        "work_code": "\u4e0a\u73ed",
        "reserved_1": "\u3400",
        "reserved_2": "0",
    }
    assert "raw" in read(line, PLAIN)


def test_a_line_of_separators_is_no_record() -> None:
    """A line without any column says that columns are missing."""
    for text in ("", "\t", "\t\t\t", "\t\t\t\t"):
        with pytest.raises(ValueError, match="too few columns"):
            decode_attendance(text, None, PLAIN)

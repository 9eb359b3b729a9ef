"""Lines of one record each: `Key=Value` and columns, in all the ways that firmware writes them."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.protocol.bodies import CHINESE, ENGLISH, invented, read, reasons, said
from tests.protocol.strategies import (
    ENCODINGS,
    LINE_TABLES,
    MARKER,
    lines_of,
    one_spaced_part,
    records_of,
    row_of,
)
from zkpush.handlers.entries.tables import SMS, WORKCODE
from zkpush.handlers.logs.tables import ERRORLOG, IDCARD, OPLOG
from zkpush.handlers.people.tables import BIODATA, BIOPHOTO, FACE, FP, FVEIN, USER, USERPIC
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.fields import Layout, Table
from zkpush.protocol.lines import LineDecoder, decoded_length, encode_line, find_keyword

KEYED = [table for table in LINE_TABLES if table.layout is Layout.KEYED]

WRITTEN = [
    (
        OPLOG,
        {"code": 4, "operator": "14", "time": "2015-07-30 10:22:34", "value_1": "0"},
        "OPLOG 4\t14\t2015-07-30 10:22:34\t0\t\t\t",
    ),
    (
        USER,
        {"pin": "36234", "name": "Ann", "privilege": 14, "password": "", "card": "133440"},
        "USER PIN=36234\tName=Ann\tPri=14\tPasswd=\tCard=133440",
    ),
    (
        FP,
        {"pin": "2", "number": 0, "size": 4, "valid": 3, "template": b"QUJD"},
        "FP PIN=2\tFID=0\tSize=4\tValid=3\tTMP=QUJD",
    ),
    (FACE, {"pin": "2", "template": b"QUI"}, "FACE PIN=2\tTMP=QUI"),
    (FVEIN, {"pin": "2", "index": 2, "template": b"QQ=="}, "FVEIN Pin=2\tIndex=2\tTmp=QQ=="),
    (
        BIODATA,
        {"pin": "2", "type": 9, "major_version": 35, "format": "ZK", "template": b"QUJD"},
        "BIODATA Pin=2\tType=9\tMajorVer=35\tFormat=ZK\tTmp=QUJD",
    ),
    (
        USERPIC,
        {"pin": "2", "name": "2.jpg", "size": 3, "content": b"QUJD"},
        "USERPIC PIN=2\tFileName=2.jpg\tSize=3\tContent=QUJD",
    ),
    (
        BIOPHOTO,
        {"pin": "2", "type": 9, "format": 1, "url": "/2.jpg"},
        "BIOPHOTO PIN=2\tType=9\tFormat=1\tUrl=/2.jpg",
    ),
    (IDCARD, {"pin": "0", "name": "\u5f20", "nation": 1}, "IDCARD PIN=0\tName=\u5f20\tNation=1"),
    (ERRORLOG, {"code": "D01E0002", "origin": "dev"}, "ERRORLOG ErrCode=D01E0002\tDataOrigin=dev"),
    (WORKCODE, {"index": "1", "code": "7"}, "WORKCODE PIN=1\tCODE=7"),
    (
        SMS,
        {"message": "a b", "tag": 253, "number": "5", "minutes": 60},
        "SMS MSG=a b\tTAG=253\tUID=5\tMIN=60",
    ),
]
"""Table, values, line: these are read and written."""


def one(line: bytes, dialect: Dialect = ENGLISH) -> dict[str, object]:
    """The values of the only record of an OPERLOG body."""
    contents = read("OPERLOG", line, dialect)
    assert contents.rejects == []
    (batch,) = contents.batches
    (row,) = batch.rows
    return said(batch.table, row)


@pytest.mark.parametrize(("table", "values", "line"), WRITTEN)
def test_a_record_is_read_as_it_is_written(
    table: Table, values: dict[str, object], line: str
) -> None:
    """A record is the same values on the wire and in the row."""
    assert encode_line(table, values) == line
    row = one(line.encode())
    assert {name: row[name] for name in values} == values


@pytest.mark.parametrize(
    ("line", "keyword"),
    [
        (b"OPLOG 4\t14", "OPLOG"),
        (b"USER\tPIN=1", "USER"),
        (b"user PIN=1", "user"),
        (b"USER_SMS PIN=1", "USER_SMS"),
        (b"Blacklist IDNum=1\nUSER PIN=1", "Blacklist"),
        (b"A2 x", "A2"),
        (b"PIN=1\tName=a", None),
        (b"4\t14", None),
        (b"2A x", None),
        (b" USER PIN=1", None),
        (b"USER", None),
        (b"USER\n", None),
        (b"A" * 32 + b" x", "A" * 32),
        (b"A" * 33 + b" x", None),
        (b"\xe9 x", None),
        (b"", None),
    ],
)
def test_a_keyword_is_a_word_before_a_record(line: bytes, keyword: str | None) -> None:
    """A keyword begins a line, and a space or a TAB is behind it."""
    assert find_keyword(line) == keyword


@pytest.mark.parametrize(
    "line",
    [
        b"FP PIN=2\tFID=7\tSize=4\tValid=1\tTMP=QUJD",
        b"FP TMP=QUJD\tValid=1\tSize=4\tFID=7\tPIN=2",
        b"fp pin=2\tfid=7\tsize=4\tvalid=1\ttmp=QUJD",
        b"Fp Pin=2\tFid=7\tSIZE=4\tVALID=1\tTmp=QUJD",
        b"FP\tPIN=2\tFID=7\tSize=4\tValid=1\tTMP=QUJD\t\r",
        b"FP PIN=2\t\tFID=7\tSize=4\t\tTMP=QUJD",
        b"FP PIN=2 FID=7 Size=4 Valid=1 TMP=QUJD",
        b"fp pin=2 fid=7 size=4 valid=1 tmp=QUJD",
        b"FP  PIN=2\t FID=7\t \tSize=4\tTMP=QUJD",
        b"FP  PIN=2  FID=7  Size=4  Valid=1  TMP=QUJD",
        b"FP PIN=2\tFID=7\tSize=\tValid=\tSize=4\tTMP=QUJD",
        b"FINGERTMP PIN=2\tFID=7\tSize=4\tTMP=QUJD",
    ],
)
def test_fields_stand_in_any_order_case_and_spacing(line: bytes) -> None:
    """Order, case, spaces for TABs, doubled and trailing TABs, and empty numbers do not matter."""
    assert one(line) == {"pin": "2", "number": 7, "size": 4, "valid": 1, "template": b"QUJD"}


def test_a_value_may_hold_spaces_and_equals_signs() -> None:
    """A value ends at a TAB; where there are none, at a space before a field of the table."""
    tabs = one(b"USER PIN=1\tName=Ann Pri=2 = b\tPasswd= x \tPri=0")
    assert (tabs["name"], tabs["password"], tabs["privilege"]) == ("Ann Pri=2 = b", " x ", 0)
    spaces = one(b"USER PIN=1 Name=Ann van Dyk Pri=0 TZ=0001 Card=")
    assert (spaces["pin"], spaces["name"], spaces["privilege"]) == ("1", "Ann van Dyk", 0)
    assert (spaces["timezones"], spaces["card"]) == ("0001", "")


def test_what_is_not_sent_is_none_or_the_default() -> None:
    """A user with nothing but a number has the verification mode of the group."""
    assert one(b"USER PIN=1") == {
        "pin": "1",
        "name": None,
        "privilege": None,
        "password": None,
        "card": None,
        "group": None,
        "timezones": None,
        "verify": -1,
        "vice_card": None,
        "start_datetime": None,
        "end_datetime": None,
        "expires": None,
    }


def test_newer_rows_say_when_a_user_is_valid() -> None:
    """StartDatetime, EndDatetime, Expires and ViceCard are read."""
    row = one(
        b"USER PIN=1\tStartDatetime=2026-01-01 00:00:00\tEndDatetime=0\tExpires=1\tViceCard=99"
    )
    assert row["start_datetime"] == "2026-01-01 00:00:00"
    assert (row["end_datetime"], row["expires"], row["vice_card"]) == ("0", "1", "99")


def test_what_the_protocol_does_not_know_is_kept() -> None:
    """Unknown fields, and optional ones that cannot be read, are beside the record."""
    row = one(b"USER PIN=1\tFoo=a=b\tPri=high\tGrp=-1\tbar=\tCard=#1")
    assert json.loads(str(row["extra"])) == {
        "Foo": "a=b",
        "Pri": "high",
        "Grp": "-1",
        "bar": "",
        "Card": "#1",
    }
    assert (row["privilege"], row["group"], row["card"]) == (None, None, None)


@pytest.mark.parametrize(
    ("card", "number"),
    [
        (b"[15CD5B07]", "123456789"),
        (b"[15cd5b07]", "123456789"),
        (b"[0000000000]", ""),
        (b"[00000000]", ""),
        (b"[01]", "1"),
        (b"123456789", "123456789"),
        (b"0012345678", "0012345678"),
        (b"0", ""),
        (b"0000000000", ""),
        (b"", ""),
    ],
)
def test_a_card_is_a_number_or_its_bytes(card: bytes, number: str) -> None:
    """The bytes of a card number stand in brackets, the lowest first; zeros are no card."""
    row = one(b"USER PIN=1\tCard=%s\tViceCard=%s" % (card, card))
    assert (row["card"], row["vice_card"]) == (number, number)
    assert "extra" not in row


@pytest.mark.parametrize(
    ("time", "read_as"),
    [
        (b"2009-01-03 20:56:46", "2009-01-03 20:56:46"),
        (b"289515406", "2009-01-03 20:56:46"),
        (b"0", "2000-01-01 00:00:00"),
    ],
)
def test_an_operation_may_have_its_time_packed(time: bytes, read_as: str) -> None:
    """Old firmware writes the time of an operation as one number."""
    row = one(b"OPLOG 0\t0\t%s\t1\t\t3\t4\t5" % time)
    assert row == {
        "code": 0,
        "operator": "0",
        "time": read_as,
        "value_1": "1",
        "value_2": "",
        "value_3": "3",
        "value_4": "4",
        "extra": '{"Column8":"5"}',
    }


def test_an_operation_may_have_spaces_for_tabs() -> None:
    """The space within a time is not one that separates."""
    row = one(b"OPLOG 4 14 2015-07-30 10:22:34 0 0 0 0\r\n")
    assert (row["code"], row["operator"], row["time"]) == (4, "14", "2015-07-30 10:22:34")
    assert (row["value_1"], row["value_4"]) == ("0", "0")
    assert one(b"OPLOG 4 14 289515406 7 0 0 0")["time"] == "2009-01-03 20:56:46"


def test_space_around_columns_is_not_part_of_them() -> None:
    """A TAB may stand behind the keyword, and spaces beside the TABs."""
    row = one(b"OPLOG\t4 \t 14\t2015-07-30 10:22:34 \t 7 ")
    assert (row["code"], row["operator"], row["value_1"]) == (4, "14", "7")
    assert row["time"] == "2015-07-30 10:22:34"


@pytest.mark.parametrize("size", [b"8", b"4", b"5", b""])
def test_a_size_is_that_of_the_base64_or_of_what_it_stands_for(size: bytes) -> None:
    """Terminals count the characters, or the bytes behind them; some do not count."""
    template = b"QUJDRA" if size == b"5" else b"QUJDRA=="
    if size == b"5":
        size = b"6"
    row = one(b"FP PIN=1\tFID=0\tSize=%s\tTMP=%s" % (size, template))
    assert row["template"] == template


@pytest.mark.parametrize("size", [b"3", b"7", b"9", b"0", b"1124"])
def test_a_wrong_size_is_a_mistake(size: bytes) -> None:
    """A template that was cut short, or is another, is kept apart with the reason."""
    line = b"FP PIN=1\tFID=0\tSize=%s\tTMP=QUJDRA==" % size
    reason = f"Size is {size.decode()}, but there are 8 characters of base64, which stand for "
    assert reasons(read("OPERLOG", line + b"\n")) == [("FP", reason + "4 bytes", line)]


@pytest.mark.parametrize(
    ("table", "line", "reason"),
    [
        ("USER", b"USER Name=Ann", "PIN is missing"),
        ("USER", b"USER PIN=\tName=Ann", "PIN is missing"),
        ("USER", b"USER PIN=1\tpin=2", "PIN is there twice"),
        ("USER", b"USER PIN=1\tPasswd=ab\trest of it", "part 3 is not Key=Value"),
        ("USER", b"USER PIN=1\tName=a\0b", "a text line cannot hold NUL"),
        ("FP", b"FP PIN=1\tFID=0", "TMP is missing"),
        ("FP", b"FP PIN=1\tTMP=", "TMP is missing"),
        ("FP", b"FP PIN=1\tTMP=a b", "TMP: this is no base64 that it takes"),
        ("FP", b"FP PIN=1\tTMP=A", "TMP: this is no base64 that it takes"),
        ("FP", b"FP PIN=1\tFID=x\tTMP=QUJD", "FID: 'x' is not an integer"),
        ("FP", b"FP PIN=1\tFID=2 TMP=QUJD\tTMP=QUJD", "FID: '2 TMP' is not an integer"),
        ("USERPIC", b"USERPIC PIN=1\tContent=?", "Content: this is no base64 that it takes"),
        ("BIODATA", b"BIODATA Pin=1\tType=-1\tTmp=QUJD", "Type: -1 is less than 0"),
        ("OPLOG", b"OPLOG x\t0\t2015-07-30 10:22:34", "OpType: 'x' is not an integer"),
        ("OPLOG", b"OPLOG 4\t0", "OpTime is missing"),
        ("OPLOG", b"OPLOG 4\t0\t\t1", "OpTime is missing"),
        ("OPLOG", b"OPLOG 4\t0\t-1", "OpTime: -1 is not a packed time"),
        ("OPLOG", b"OPLOG 4\t0\t5270400", "OpTime: 5270400 is not a packed time"),
        ("ERRORLOG", b"ERRORLOG ErrMsg=x", "ErrCode is missing"),
        ("WORKCODE", b"WORKCODE PIN=1", "CODE is missing"),
    ],
)
def test_a_line_that_cannot_be_read_is_kept_with_the_reason(
    table: str, line: bytes, reason: str
) -> None:
    """What makes the record has to be there, once, and readable; the lines around it are read."""
    body = b"USER PIN=8\r\n" + line + b"\r\nUSER PIN=9\n"
    contents = read("OPERLOG", body)
    (batch,) = contents.batches
    assert [row[0] for row in batch.rows] == ["8", "9"]
    ((name, why, raw),) = reasons(contents)
    assert (name, raw) == (table, line)
    assert why.startswith(reason)


@pytest.mark.parametrize("line", [b"FP PIN=%s\tTMP=%s", b"FP PIN=1\tFID=0 X=%s\tTMP=%s"])
def test_no_reason_quotes_a_secret(line: bytes) -> None:
    """What stands behind an equals sign is in no reason: it may be a secret."""
    for secret in (MARKER, b"?" + MARKER):
        for reject in read("FINGERTMP", line % (b"1=" * 50 + secret, secret)).rejects:
            assert MARKER.decode() not in reject.reason


def test_names_are_in_the_encoding_of_the_terminal() -> None:
    """With language 83 a name is GB18030, and else UTF-8."""
    assert one(b"USER PIN=1\tName=\xd5\xc5\xc8\xfd", CHINESE)["name"] == "\u5f20\u4e09"
    assert one(b"USER PIN=1\tName=\xe5\xbc\xa0\xe4\xb8\x89")["name"] == "\u5f20\u4e09"


@pytest.mark.parametrize("dialect", [ENGLISH, CHINESE])
def test_identity_cards_are_always_utf_8(dialect: Dialect) -> None:
    """An identity card is UTF-8 whatever the language of the terminal is."""
    row = one(b"IDCARD PIN=1\tName=\xe5\xbc\xa0\xe4\xb8\x89", dialect)
    assert row["name"] == "\u5f20\u4e09"
    assert "raw" not in row


def test_bytes_that_are_no_text_are_kept_exactly() -> None:
    """A name that does not decode is shown marked; the whole line is kept beside the record."""
    line = b"USER PIN=1\tName=\xc9\xcf\tPri=0"
    row = one(line + b"\r\n")
    assert row["name"] == "\ufffdc9\ufffdcf"
    assert row["raw"] == line
    assert row["privilege"] == 0


def test_the_length_behind_base64_is_known_without_decoding_it() -> None:
    """Padding does not count, and need not be there."""
    lengths = {b"": 0, b"QQ": 1, b"QQ==": 1, b"QUI": 2, b"QUI=": 2, b"QUJD": 3}
    assert {text: decoded_length(text) for text in lengths} == lengths
    assert decoded_length(invented(1648)) == 1236


@given(st.data(), st.sampled_from(LINE_TABLES), ENCODINGS)
def test_every_line_is_read_as_it_was_written(
    data: st.DataObject, table: Table, encoding: str
) -> None:
    """Whatever a terminal may write of a table is read back, in both encodings."""
    values = data.draw(records_of(table))
    line = encode_line(table, values)
    assume(one_spaced_part(table, line))
    body = line.encode("utf-8" if table.utf8 else encoding) + b"\n"
    contents = read("OPERLOG", body, Dialect(encoding=encoding))
    assert contents.rejects == []
    (batch,) = contents.batches
    assert batch.table is table
    assert [said(table, row) for row in batch.rows] == [row_of(table, values)]


@given(st.data(), st.sampled_from(KEYED), ENCODINGS, st.sampled_from([b"\n", b"\r\n", b""]))
def test_every_line_is_read_in_whatever_order_and_case(
    data: st.DataObject, table: Table, encoding: str, end: bytes
) -> None:
    """Fields in any order and case are read; unknown ones are kept; missing ones are defaults."""
    line = data.draw(lines_of(table))
    assume(one_spaced_part(table, line.text))
    prefix = data.draw(st.sampled_from([f"{word} " for word in (table.keyword, *table.aliases)]))
    body = (prefix + line.text).encode("utf-8" if table.utf8 else encoding) + end
    contents = read(table.name, body, Dialect(encoding=encoding))
    assert contents.rejects == []
    (batch,) = contents.batches
    (row,) = [said(table, row) for row in batch.rows]
    assert json.loads(str(row.pop("extra", "{}"))) == line.extra
    assert row == line.row


@given(st.sampled_from(LINE_TABLES), st.text())
def test_a_line_of_any_text_is_a_row_or_a_mistake(table: Table, text: str) -> None:
    """No text makes a decoder fail in any other way than by saying what is wrong."""
    try:
        row = LineDecoder(table).decode(text, None)
    except ValueError:
        return
    assert len(row) == len(table.names) + 2


def test_what_is_unknown_costs_no_more_in_a_long_line_than_in_a_short_one() -> None:
    """A line of a hundred thousand pairs, all other or all the same, is read in a moment."""
    pairs = 100_000
    for line in (
        "".join(f"\ta{number}={number}" for number in range(pairs)),
        "\tb=1" * pairs,
        "".join(f"\tc {number}=1" for number in range(2, pairs)) + "\tc=1" * 10_000,
    ):
        (row,) = read("OPERLOG", f"USER PIN=7{line}".encode()).batches[0].rows
        assert len(json.loads(str(row[-2]))) == line.count("\t")


def test_what_cannot_be_read_is_kept_as_often_as_it_is_there() -> None:
    """A field that is no number the first time, and none the second time, is kept twice."""
    (row,) = read("OPERLOG", b"USER PIN=7\tPri=x\tPri=y").batches[0].rows
    assert json.loads(str(row[-2])) == {"Pri": "x", "Pri 2": "y"}


COLUMNS = st.sampled_from(["4", "", " 14 ", "+5", "x", "2026-01-05 08:00:00", "289515406"])


@given(st.lists(COLUMNS, min_size=len(OPLOG.names) - 1, max_size=len(OPLOG.names) - 1))
def test_columns_are_read_the_same_with_more_behind_them(columns: list[str]) -> None:
    """A line that has nothing odd, and one with a column that the protocol does not know."""
    decoder = LineDecoder(OPLOG)

    def outcome(*more: str) -> object:
        try:
            return decoder.decode("\t".join([*columns, "0", *more]), None)[: len(OPLOG.names)]
        except ValueError as error:
            return str(error)

    assert outcome() == outcome("more")

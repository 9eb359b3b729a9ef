"""Dense uploads: what is deferred of them, in which order, and that nothing of one is lost."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.handlers.logs.store import STORES
from zkpush.protocol.density import ALLOWANCE, FEW_RECORDS, TOO_MANY
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.fields import Layout, Table
from zkpush.protocol.lines import LineDecoder
from zkpush.protocol.options import MOST_OPTIONS
from zkpush.protocol.packets import COMPRESSED, PacketLimits, pack
from zkpush.protocol.rejects import MOST_REJECTS
from zkpush.protocol.requests import Upload
from zkpush.protocol.uploads import Contents, UploadDecoder

from ..declared import RECORD_TABLES

DECODER = UploadDecoder(RECORD_TABLES, PacketLimits())
JUDGED = [table for table in RECORD_TABLES if table.least_bytes]
KEYED = [table for table in JUDGED if table.layout is Layout.KEYED]
REAL = (
    b"USER PIN=36234\tName=36234\tPri=0\tPasswd=\tCard=133440\tGrp=1\tTZ=0001000000000000",
    b"USER PIN=1\tName=\tPri=0\tPasswd=\tCard=[0000000000]\tGrp=1\tTZ=",
    b"USER PIN=1\tName=\tPri=0\tPasswd=\tCard=\tGrp=1\tTZ=",
    b"OPLOG 4\t14\t2026-07-30 10:22:34\t0\t0\t0\t0",
    b"OPLOG 0\t0\t289515406\t0\t0\t0\t0",
    b"FP PIN=2\tFID=0\tSize=400\tValid=1\tTMP=" + b"A" * 400,
    b"FACE PIN=306\tFID=2\tSIZE=1648\tVALID=1\tTMP=" + b"A" * 1648,
    b"USERPIC PIN=1\tFileName=1.jpg\tSize=0\tFormat=1\tUrl=http://10.0.0.9/photos/1.jpg",
    b"ERRORLOG ErrCode=D01E0001\tErrMsg=\tDataOrigin=cmd\tCmdId=123\tAdditional=",
)
"""The shortest records of the specification and of old firmware; templates are longer."""


def read(body: bytes, *, may_be_dense: bool = False, dialect: Dialect = Dialect()) -> Contents:  # noqa: B008
    """Decode a mixed body."""
    return DECODER.decode(Upload("OPERLOG", body), dialect, may_be_dense=may_be_dense)


def rows(contents: Contents) -> int:
    """How many records were read at once."""
    return sum(len(batch.rows) for batch in contents.batches)


@pytest.mark.parametrize("line", REAL, ids=lambda line: line[:24].decode().replace("\t", " "))
def test_records_of_real_terminals_are_accepted(line: bytes) -> None:
    """However many there are in one body: at once, or later and in their order."""
    lines = [line] * 5000
    contents = read(b"\n".join(lines))
    assert contents.count == 5000
    assert contents.rejects == []
    later = [one for _, deferred in contents.deferred for one in deferred]
    assert later == lines[rows(contents) :]


@pytest.mark.parametrize("table", JUDGED, ids=lambda table: table.name)
def test_records_that_are_long_enough_are_read_at_once(table: Table) -> None:
    """However many they are."""
    line = b"x" * (table.least_bytes - 1)
    contents = DECODER.decode(
        Upload(table.name, b"\n".join(b"%b%d" % (line, n % 10) for n in range(3000))), Dialect()
    )
    assert contents.deferred == []


def test_the_few_are_read_and_one_more_is_deferred() -> None:
    """Up to a number of them, short records are read at once; those behind are in their order."""
    lines = [b"SMS UID=%d" % number for number in range(FEW_RECORDS + 3)]
    assert read(b"\n".join(lines[:FEW_RECORDS])).deferred == []
    contents = read(b"\n".join(lines))
    assert rows(contents) == FEW_RECORDS
    assert [(table.name, later) for table, later in contents.deferred] == [
        ("SMS", lines[FEW_RECORDS:])
    ]


def test_all_lines_behind_a_deferred_one_are_deferred() -> None:
    """Also long ones, so that the last one that says something of a user is stored last."""
    lines = [b"USER PIN=%d" % number for number in range(FEW_RECORDS + 1)]
    lines.append(b"USER PIN=7\tName=" + b"x" * 200)
    ((_, deferred),) = read(b"\n".join(lines)).deferred
    assert deferred == lines[FEW_RECORDS:]


def test_an_odd_line_slows_only_the_lines_beside_it() -> None:
    """Of thousands of usual attendance records with a damaged one among them none is deferred."""
    lines = [b"%d\t2026-01-05 08:00:00\t0\t1\t0\t0\t0" % number for number in range(1, 3000)]
    lines[1500] = b"7\tno time\t0\t1"
    contents = DECODER.decode(Upload("ATTLOG", b"\n".join(lines)), Dialect())
    assert rows(contents) == 2998
    assert [reject.raw for reject in contents.rejects] == [lines[1500]]
    assert contents.deferred == []


def test_many_odd_attendance_records_are_deferred() -> None:
    """Hundreds in an unusual form are accepted, and stored in the background."""
    lines = [b"%d\t2026-01-05 08:00" % number for number in range(1, 2000)]
    contents = DECODER.decode(Upload("ATTLOG", b"\n".join(lines)), Dialect())
    assert contents.count == 1999
    assert FEW_RECORDS <= rows(contents) < 2 * FEW_RECORDS
    assert contents.rejects == []


def test_a_dense_upload_may_be_read_at_once() -> None:
    """What is read in the background, or was asked for, has no such limit."""
    body = b"\n".join([b"USER PIN=%d" % number for number in range(2000)])
    contents = read(body, may_be_dense=True)
    assert rows(contents) == 2000
    assert not contents.rejects
    assert not contents.deferred


def test_a_packet_says_no_more_options_than_a_body() -> None:
    """The values of all members of a packet together are bounded."""
    packet = pack([(f"{number}", b"a\n" * 400) for number in range(100)])
    contents = DECODER.decode(Upload("INFO", packet, packed=True), Dialect())
    assert rows(contents) <= MOST_OPTIONS + 100


LINES = st.sampled_from(
    [
        b"USER PIN=%d",
        b"USER PIN=%d\tName=%064d",
        b"USER PIN=%d\tnothing",
        b"FP PIN=%d\tTMP=AAAA",
        b"OPLOG 4\t14\t2026-07-30 10:22:34\t%d",
        b"OPLOG %d",
        b"ERRORLOG ErrCode=%d",
        b"ERRORLOG ErrMsg=%d",
        b"WORD %d",
    ]
)


@given(st.lists(st.tuples(LINES, st.integers(1, 400)), min_size=1, max_size=8))
def test_every_line_is_stored_or_kept(blocks: list[tuple[bytes, int]]) -> None:
    """Whatever is mixed, in whichever order: each line is in a row, deferred or in a reject."""
    lines = [
        line.replace(b"%064d", b"%d" % 10**63) % number
        for line, count in blocks
        for number in range(count)
    ]
    contents = read(b"\n".join(lines))
    rejected = {line for reject in contents.rejects for line in reject.raw.splitlines()}
    whole = {reject.raw for reject in contents.rejects}
    later = [line for _, deferred in contents.deferred for line in deferred]
    kept = rejected | whole | {*later}
    stored = {batch.table.name for batch in contents.batches}
    for line in lines:
        assert line in kept or line.split()[0].decode() in stored
    understood = contents.count + contents.unread
    assert understood == len(lines)
    assert contents.count <= len(lines)


PLACED = [store.records for store in STORES if "time" not in store.records.names]


@pytest.mark.parametrize("table", PLACED, ids=lambda table: table.name)
def test_records_without_a_time_are_never_deferred(table: Table) -> None:
    """Their number in the upload tells equal records apart; parts of it do not know that number.

    Short ones are stored, or all of them are one reject in their order.
    """
    for count in (FEW_RECORDS, 5000):
        lines = [shortest(table, number) for number in range(count)]
        contents = DECODER.decode(Upload(table.name, b"\n".join(lines)), Dialect())
        assert contents.deferred == []
        if contents.rejects:
            (reject,) = contents.rejects
            assert (reject.table, reject.reason) == (table.name, TOO_MANY)
            assert reject.raw == b"\n".join(lines)
            assert (rows(contents), contents.count, contents.unread) == (0, 0, count)
        else:
            assert count == FEW_RECORDS
            assert contents.count == count


def test_other_records_of_an_upload_with_too_many_short_ones_are_stored() -> None:
    """The reject holds nothing but the records of its table."""
    short = [b"ERRORLOG ErrCode=%d" % number for number in range(1000)]
    users = [b"USER PIN=%d\tName=%b" % (number, b"x" * 400) for number in range(5)]
    contents = read(b"\n".join([*users[:3], *short, *users[3:]]))
    assert [(batch.table.name, len(batch.rows)) for batch in contents.batches] == [("USER", 5)]
    assert [reject.raw for reject in contents.rejects] == [b"\n".join(short)]


def shortest(table: Table, number: int) -> bytes:
    """A short record of a keyed table, with different required values."""
    least = [field for field in table.fields if field.required]
    return b"\t".join(b"%b=%d" % (field.wire.encode(), number) for field in least)


def damaged(table: Table, number: int) -> bytes:
    """A line of a keyed table that lacks its required values."""
    return b"x=%d" % number


FLOODS = {
    "short records": lambda table, number: shortest(table, number),
    "damaged lines": damaged,
    "short records behind damaged lines": (
        lambda table, number: (damaged if number < 120 else shortest)(table, number)
    ),
    "short records among damaged lines": (
        lambda table, number: (damaged if number % 2 else shortest)(table, number)
    ),
    "records that say a value twice": (
        lambda table, number: b"\t".join([shortest(table, number)] * 2)
    ),
    "lines with and without their keyword": (
        lambda table, number: (
            (b"%b " % table.name.encode()) * (number % 2) + shortest(table, number)
        )
    ),
}


@pytest.mark.parametrize("what", FLOODS)
@pytest.mark.parametrize("table", KEYED, ids=lambda table: table.name)
def test_few_lines_of_a_dense_upload_are_decoded(
    table: Table, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to a number of lines, and to a number of bytes by which they are too short, damaged or
    not; no line is lost."""
    decoded: list[str] = []
    decode = LineDecoder.decode

    def noted(decoder: LineDecoder, text: str, raw: bytes | None) -> tuple[object, ...]:
        decoded.append(text)
        return decode(decoder, text, raw)

    monkeypatch.setattr(LineDecoder, "decode", noted)
    lines = [FLOODS[what](table, number) for number in range(6000)]
    missing = min(table.least_bytes - len(line) for line in lines)
    for name in (table.name, "OPERLOG"):
        decoded.clear()
        keyword = b"" if name == table.name else b"%b " % table.name.encode()
        sent = [line if line.startswith(keyword) else keyword + line for line in lines]
        contents = DECODER.decode(Upload(name, b"\n".join(sent)), Dialect())
        assert len(decoded) <= 2 * FEW_RECORDS + ALLOWANCE / missing
        assert contents.count + contents.unread == len(lines)
        assert contents.is_dense


MIXTURES = {
    "WHITELIST": (b"a ", b"PIN=%d"),
    "FP": (b"a,", b"%d=", b"%d"),
    "FVEIN": (b"Pin=1", b"%d=", b"%d="),
    "BIOPHOTO": (b"%d=0", b"\0", b"a"),
    "SMS": (b"a", b"a", b"PIN=%d", b"\0"),
    "OPERLOG": (b"\0", b"a"),
    "INFO": (b"a",),
}
"""Short and damaged lines in turn, of uploads that took most when each line was looked at."""


def calls_of(table: str, body: bytes) -> int:
    """How many functions in Python it takes to decode an upload."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    packed = body.startswith(COMPRESSED)
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        DECODER.decode(Upload(table, body, packed=packed), Dialect())
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("packed", ["plain", "packed"])
@pytest.mark.parametrize("table", MIXTURES)
def test_short_and_damaged_lines_are_read_together(table: str, packed: str) -> None:
    """Once an upload is dense or full of damaged lines, further ones take no call each."""
    mixture = MIXTURES[table]
    calls = []
    for number in (6000, 12_000):
        lines = [mixture[at % len(mixture)] for at in range(number)]
        lines = [line % at if b"%d" in line else line for at, line in enumerate(lines)]
        body = b"\n".join(lines)
        if packed == "packed":
            members = [body[at : at + 512] for at in range(0, len(body), 512)]
            body = pack([(str(at), member) for at, member in enumerate(members)])
        calls.append(calls_of(table, body))
    assert (calls[1] - calls[0]) / 6000 < 0.5


def test_damaged_lines_beyond_the_first_few_are_kept_with_the_whole_upload() -> None:
    """They are deferred unread, and need no rejects when they are read."""
    lines = [b"UID=%d" % number if number > 200 else b"MSG=%d" % number for number in range(900)]
    body = b"\n".join(lines)
    contents = DECODER.decode(Upload("SMS", body), Dialect())
    assert len(contents.rejects) == MOST_REJECTS + 1
    assert contents.rejects[-1].raw == body
    assert contents.is_kept
    assert contents.count == len(lines) - MOST_REJECTS
    few = DECODER.decode(Upload("SMS", b"\n".join(lines[175:])), Dialect())
    assert few.deferred
    assert not few.is_kept
    assert all(reject.raw in lines for reject in few.rejects)

"""Dense uploads: what known terminals send is never one, and nothing of one is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol.density import ALLOWANCE, FEW_RECORDS
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.fields import Table
from zkpush.protocol.packets import PacketLimits
from zkpush.protocol.requests import Upload
from zkpush.protocol.uploads import Contents, UploadDecoder

from ..declared import RECORD_TABLES

DECODER = UploadDecoder(RECORD_TABLES, PacketLimits())
JUDGED = [table for table in RECORD_TABLES if table.least_bytes]
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


@pytest.mark.parametrize("line", REAL, ids=lambda line: line[:24].decode().replace("\t", " "))
def test_records_of_real_terminals_are_never_dense(line: bytes) -> None:
    """However many there are in one body."""
    contents = read(b"\n".join([line] * 5000))
    assert contents.count == 5000
    assert contents.rejects == []


@pytest.mark.parametrize("table", JUDGED, ids=lambda table: table.name)
def test_the_examples_of_tables_are_longer_than_their_least(table: Table) -> None:
    """What the tables show as usual would not be kept unread; templates are cut in examples."""
    for example in table.examples:
        line = example.removeprefix(f"{table.keyword} ")
        short = table.least_bytes - len(line)
        assert short <= 0 or "TMP=" in line.upper() or FEW_RECORDS * short < ALLOWANCE


def test_the_few_are_read_and_one_more_is_not() -> None:
    """Up to a number of them, short records are stored."""
    lines = [b"SMS UID=%d" % number for number in range(FEW_RECORDS + 1)]
    assert read(b"\n".join(lines[:-1])).count == FEW_RECORDS
    dense = read(b"\n".join([b"BIODATA Pin=%d\tTmp=AAAA" % n for n in range(FEW_RECORDS + 1)]))
    assert dense.count == 0
    assert dense.unread == FEW_RECORDS + 1


def test_a_person_may_have_a_dense_upload_read() -> None:
    """What is read again on request has no such limit."""
    body = b"\n".join([b"USER PIN=%d" % number for number in range(2000)])
    (reject,) = read(body).rejects
    again = DECODER.decode(Upload(reject.table, reject.raw), Dialect(), may_be_dense=True)
    assert again.count == 2000
    assert again.rejects == []


LINES = st.sampled_from(
    [
        b"USER PIN=%d",
        b"USER PIN=%d\tName=%064d",
        b"USER PIN=%d\tnothing",
        b"FP PIN=%d\tTMP=AAAA",
        b"OPLOG 4\t14\t2026-07-30 10:22:34\t%d",
        b"OPLOG %d",
        b"WORD %d",
    ]
)


@given(st.lists(st.tuples(LINES, st.integers(1, 400)), min_size=1, max_size=8))
def test_every_line_is_stored_or_kept(blocks: list[tuple[bytes, int]]) -> None:
    """Whatever is mixed, in whichever order: each line is in a row or in a reject."""
    lines = [
        line.replace(b"%064d", b"%d" % 10**63) % number
        for line, count in blocks
        for number in range(count)
    ]
    contents = read(b"\n".join(lines))
    rejected = {line for reject in contents.rejects for line in reject.raw.splitlines()}
    whole = {reject.raw for reject in contents.rejects}
    stored = {batch.table.name for batch in contents.batches}
    for line in lines:
        assert line in rejected or line in whole or line.split()[0].decode() in stored
    assert contents.count <= len(lines)

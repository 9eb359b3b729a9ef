"""Uploads: bodies that mix records, in all the ways that real terminals send them (11)."""

from __future__ import annotations

import itertools

import pytest

from tests.protocol.bodies import CHINESE, ENGLISH, everything, invented, read, reasons, said
from zkpush.handlers.attendance.tables import ATTLOG
from zkpush.handlers.logs.tables import OPLOG
from zkpush.handlers.people.tables import USER
from zkpush.protocol.packets import PacketLimits, pack, pack_plain
from zkpush.protocol.photos import encode_photo
from zkpush.protocol.reasons import OF_ACCESS_CONTROL
from zkpush.protocol.reports import OPTIONS
from zkpush.protocol.requests import Upload
from zkpush.protocol.uploads import UploadDecoder

MIXED = {
    "OPLOG": b"OPLOG 4\t14\t2015-07-30 10:22:34\t0\t0\t0\t0",
    "USER": b"USER PIN=1\tName=Ann\tPri=0\tPasswd=\tCard=[15CD5B07]\tGrp=1\tTZ=0000000000000000",
    "FP": b"FP PIN=1\tFID=2\tSize=1124\tValid=1\tTMP=" + invented(1124),
    "FACE": b"FACE PIN=1\tFID=0\tSIZE=1648\tVALID=1\tTMP=" + invented(1648),
    "FVEIN": b"FVEIN Pin=1\tFID=2\tIndex=1\tSize=1648\tValid=1\tTmp=" + invented(1648),
    "USERPIC": b"USERPIC PIN=1\tFileName=1.jpg\tSize=12\tContent=" + invented(12),
    "BIOPHOTO": b"BIOPHOTO PIN=1\tFileName=1.jpg\tType=9\tSize=12\tContent=" + invented(12),
}
"""One line of each type that an OPERLOG body may mix."""

BOMB = pack_plain(b"U" * 4 * 1024 * 1024)
"""4 MiB in a few thousand bytes."""

TABLES = [
    ("ATTLOG", "ATTLOG", False),
    ("attlog", "ATTLOG", False),
    ("OPERLOG", "OPERLOG", False),
    ("operlog", "OPERLOG", False),
    ("ATTPHOTO", "ATTPHOTO", True),
    ("BIODATA", "BIODATA", False),
    ("IDCARD", "IDCARD", False),
    ("ERRORLOG", "ERRORLOG", True),
    ("ErrorLog", "ERRORLOG", True),
    ("options", None, True),
    ("USERINFO", None, False),
    ("OPLOG", None, False),
]
"""What `table=` says, whose stamp (5) comes with it, and whether a bare OK answers it."""


@pytest.mark.parametrize("order", list(itertools.permutations(MIXED))[::131])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_one_body_mixes_records_in_any_order(order: tuple[str, ...], end: bytes) -> None:
    """Seven types of records stand in one body, and each gives a row of its own table."""
    contents = read("OPERLOG", end.join(MIXED[name] for name in order) + end)
    assert [name for name, _ in everything(contents)] == list(order)
    rows = dict(everything(contents))
    assert (rows["OPLOG"]["code"], rows["OPLOG"]["operator"]) == (4, "14")
    assert (rows["USER"]["name"], rows["USER"]["card"]) == ("Ann", "123456789")
    assert (rows["FP"]["number"], rows["FP"]["template"]) == (2, invented(1124))
    assert (rows["FACE"]["index"], rows["FACE"]["template"]) == (0, invented(1648))
    assert (rows["FVEIN"]["number"], rows["FVEIN"]["index"]) == (2, 1)
    assert (rows["USERPIC"]["name"], rows["USERPIC"]["content"]) == ("1.jpg", invented(12))
    assert (rows["BIOPHOTO"]["type"], rows["BIOPHOTO"]["content"]) == (9, invented(12))


def test_records_of_one_table_are_together() -> None:
    """Lines of two types that alternate make two batches, each in the order it was sent."""
    contents = read(
        "OPERLOG",
        b"USER PIN=1\nOPLOG 1\t0\t2015-07-30 10:22:34\nUSER PIN=2\nOPLOG 2\t0\t2015-07-30 10:22:35",
    )
    assert [batch.table for batch in contents.batches] == [USER, OPLOG]
    assert [[row[0] for row in batch.rows] for batch in contents.batches] == [["1", "2"], [1, 2]]
    assert contents.count == 4


@pytest.mark.parametrize(("table", "stamp_of", "bare"), TABLES)
def test_an_upload_says_how_it_is_acknowledged(
    table: str, stamp_of: str | None, bare: bool
) -> None:
    """The name of a table has any case; photos, errors and options are answered with a bare OK."""
    contents = read(table, b"")
    assert (contents.stamp_of, contents.bare, contents.refusal) == (stamp_of, bare, None)


@pytest.mark.parametrize(
    "line",
    [
        b"FP PIN=1\tFID=2\tSize=1124\tValid=1\tTMP=",
        b"FINGERTMP PIN=1\tFID=2\tSize=1124\tValid=1\tTMP=",
        b"fingertmp pin=1\tfid=2\tsize=1124\tvalid=1\ttmp=",
        b"PIN=1\tFID=2\tSize=1124\tValid=1\tTMP=",
        b"PIN=1 FID=2 Size=1124 Valid=1 TMP=",
    ],
)
@pytest.mark.parametrize("table", ["FP", "FINGERTMP", "fingertmp"])
def test_fingerprints_may_come_under_the_name_that_commands_have(table: str, line: bytes) -> None:
    """Answers to QUERY have the command's table name, the command's keyword, or no keyword."""
    contents = read(table, line + invented(1124) + b"\r\n")
    ((name, row),) = everything(contents)
    assert name == "FP"
    assert (row["pin"], row["number"], row["template"]) == ("1", 2, invented(1124))
    assert not contents.bare


@pytest.mark.parametrize("table", ["USER", "USERINFO", "UserInfo"])
def test_users_may_come_without_a_keyword(table: str) -> None:
    """Bare pairs under the name of a table are its records; lines with a keyword are theirs."""
    contents = read(
        table,
        b"PIN=1\tName=Ann\nUSERINFO PIN=2\tName=Ben\nUSER PIN=3\tName=Cy\n"
        b"FINGERTMP PIN=3\tTMP=QUJD",
    )
    assert [(name, row["pin"]) for name, row in everything(contents)] == [
        ("USER", "1"),
        ("USER", "2"),
        ("USER", "3"),
        ("FP", "3"),
    ]


def test_a_template_may_name_its_format() -> None:
    """The format of a unified template is a digit or a name."""
    body = b"BIODATA Pin=1\tType=1\tFormat=ZK\tTmp=QUJD\nBIODATA Pin=1\tType=1\tFormat=2\tTmp=QUJD"
    formats = [row["format"] for _, row in everything(read("BIODATA", body))]
    assert formats == ["ZK", "2"]


def test_newer_photos_may_be_elsewhere() -> None:
    """A photo of 2.4.2 may be a URL, and may have a number and an index."""
    body = (
        b"BIOPHOTO PIN=1\tNo=0\tIndex=3\tType=9\tFormat=1\tUrl=/photo/1.jpg\n"
        b"USERPIC PIN=1\tFormat=1\tUrl=/photo/2.jpg\tContent=\tSize=95040"
    )
    (_, biophoto), (_, userpic) = everything(read("OPERLOG", body))
    assert (biophoto["index"], biophoto["format"], biophoto["url"]) == (3, 1, "/photo/1.jpg")
    assert (userpic["url"], userpic["content"], userpic["size"]) == ("/photo/2.jpg", None, 95040)


def test_a_keyword_that_nobody_knows_is_kept() -> None:
    """Lines of an unknown type are kept as they came, and do not stop the lines around them."""
    body = b"USER PIN=1\nFOO PIN=2\tX=\xff\r\nno keyword\n=\nUSER PIN=3\n"
    contents = read("OPERLOG", body)
    assert [row[0] for row in contents.batches[0].rows] == ["1", "3"]
    assert reasons(contents) == [
        ("OPERLOG", "no handler takes lines of FOO", b"FOO PIN=2\tX=\xff"),
        ("OPERLOG", "no handler takes lines of no", b"no keyword"),
        ("OPERLOG", "a line begins with its keyword", b"="),
    ]
    assert contents.count == 2
    assert not contents.bare


def test_a_body_of_which_nothing_is_known_is_kept_whole() -> None:
    """What no handler takes is one reject, with every byte of it, and is answered."""
    body = b"\0\x01BLOB x=1\n\r\n\xff\n"
    contents = read("NEWSTATE", body)
    assert contents.batches == []
    assert reasons(contents) == [("NEWSTATE", "no handler takes this table", body)]
    assert (contents.bare, contents.refusal, contents.stamp_of) == (True, None, None)
    assert read("NEWSTATE", pack_plain(b"BLOB x=1\n"), packed=True).bare


def test_an_unknown_table_of_known_lines_is_read() -> None:
    """The keyword says what a line is, whatever the name of the table."""
    contents = read("newtable", b"USER PIN=1\nFOO x\n")
    assert [row[0] for row in contents.batches[0].rows] == ["1"]
    assert reasons(contents) == [("newtable", "no handler takes lines of FOO", b"FOO x")]
    assert not contents.bare


@pytest.mark.parametrize("table", ["tabledata", "TableData", "rtlog", "rtstate"])
def test_a_table_of_access_control_is_kept_whole(table: str) -> None:
    """Its lines look like people or attendance of this protocol, and mean something else."""
    body = b"user uid=1\tcardno=\tpin=1\tpassword=\tgroup=1\tname=Ann\r\nUSER PIN=2\n"
    for upload in (read(table, body), read(table, pack_plain(body), packed=True)):
        assert upload.batches == []
        ((_, reason, raw),) = reasons(upload)
        assert reason == OF_ACCESS_CONTROL
        assert raw in (body, pack_plain(body))
        assert upload.whole is not None
        assert upload.bare


@pytest.mark.parametrize("body", [b"", b"\n", b"\r\n\r\n", b" \t \r\n\t\t\n"])
@pytest.mark.parametrize("table", ["ATTLOG", "OPERLOG", "USERINFO", "BIODATA", "options"])
def test_a_blank_body_says_nothing(table: str, body: bytes) -> None:
    """Blank lines are neither records nor mistakes."""
    contents = read(table, body)
    assert (contents.count, contents.rejects, contents.refusal) == (0, [], None)


def test_names_that_are_no_text_cost_nobody_a_record() -> None:
    """Bytes that do not decode are kept exactly, beside the record, in either encoding."""
    line = b"USER PIN=1\tName=\xd5\xc5\xff"
    for dialect, name in [
        (ENGLISH, "\ufffdd5\ufffdc5\ufffdff"),
        (CHINESE, "\u5f20\ufffdff"),
    ]:
        contents = read("OPERLOG", line + b"\nUSER PIN=2\tName=x\n", dialect)
        first, second = [said(USER, row) for row in contents.batches[0].rows]
        assert (first["name"], first["raw"]) == (name, line)
        assert "raw" not in second
        assert contents.rejects == []


def test_a_packet_of_operations_is_read_as_if_it_were_none() -> None:
    """The members of a packet hold the lines of an OPERLOG body."""
    lines = list(MIXED.values())
    packet = pack([("a.txt", b"\n".join(lines[:3])), ("dir/b.txt", b"\r\n".join(lines[3:]))])
    contents = read("OPERLOG", packet, packed=True)
    assert [name for name, _ in everything(contents)] == list(MIXED)
    assert contents.stamp_of == "OPERLOG"


def test_attendance_and_options_may_be_packed_too() -> None:
    """All members of a packet go to one batch of their table."""
    line = b"1452\t2015-07-30 15:16:%d\t0\t1\n"
    packet = pack([("a", line % 28 + b"rubbish\n"), ("b", line % 29)])
    contents = read("ATTLOG", packet, packed=True)
    (batch,) = contents.batches
    assert batch.table is ATTLOG
    assert [row[1] for row in batch.rows] == ["2015-07-30 15:16:28", "2015-07-30 15:16:29"]
    assert [reject.raw for reject in contents.rejects] == [b"rubbish"]
    options = read("options", pack_plain(b"FingerFunOn=1,FaceFunOn=1"), packed=True)
    (batch,) = options.batches
    assert batch.table is OPTIONS
    assert batch.rows == [("FingerFunOn", "1"), ("FaceFunOn", "1")]
    assert options.bare


def test_a_bad_line_in_a_packet_does_not_stop_the_lines_around_it() -> None:
    """A line of a good packet is kept by itself, not with the whole packet."""
    contents = read("OPERLOG", pack_plain(b"USER PIN=1\nFOO x\nUSER PIN=2"), packed=True)
    assert [row[0] for row in contents.batches[0].rows] == ["1", "2"]
    assert reasons(contents) == [("OPERLOG", "no handler takes lines of FOO", b"FOO x")]
    assert contents.refusal is None


@pytest.mark.parametrize(
    "limits", [PacketLimits(), PacketLimits(ratio=1 << 20, expanded=1024 * 1024)]
)
def test_a_bomb_is_kept_and_refused(limits: PacketLimits) -> None:
    """A packet beyond the limits is not expanded: it is kept, and not acknowledged."""
    assert len(BOMB) < 8192
    decoder = UploadDecoder([USER], limits)
    contents = decoder.decode(Upload(table="OPERLOG", body=BOMB, packed=True), ENGLISH)
    assert contents.batches == []
    assert contents.refusal is not None
    assert "OK" not in contents.refusal
    assert reasons(contents) == [("OPERLOG", f"packet: {contents.refusal}", BOMB)]


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_a_damaged_packet_is_kept_whole(cut: int) -> None:
    """Of a packet that breaks off nothing is stored but the packet; it is acknowledged."""
    good = pack([("a.txt", b"USER PIN=1\n" * 100), ("b.txt", MIXED["FP"])])
    contents = read("OPERLOG", good[:-cut], packed=True)
    assert contents.batches == []
    assert contents.refusal is None
    ((table, reason, raw),) = reasons(contents)
    assert (table, raw) == ("OPERLOG", good[:-cut])
    assert reason.startswith("packet: the gzip ")


def test_what_is_no_packet_at_all_is_kept_whole() -> None:
    """Plain text that is said to be packed is kept, too."""
    body = MIXED["USER"]
    assert reasons(read("OPERLOG", body, packed=True)) == [
        ("OPERLOG", "packet: the packet is not gzip", body)
    ]


def test_a_photo_among_lines_is_no_line() -> None:
    """A picture that was sent under another table is kept, in the pieces that lines are."""
    body = encode_photo("1", "20150731103012-1.jpg", b"\xff\xd8\n\0")
    contents = read("OPERLOG", body)
    assert contents.batches == []
    assert b"\n".join(reject.raw for reject in contents.rejects) == body


def test_only_tables_that_somebody_takes_are_read() -> None:
    """A decoder without a table keeps its lines and its bodies as unknown."""
    decoder = UploadDecoder([USER], PacketLimits())
    mixed = Upload(table="OPERLOG", body=b"\n".join(MIXED.values()))
    contents = decoder.decode(mixed, ENGLISH)
    assert contents.count == 1
    assert [reject.reason for reject in contents.rejects] == [
        "no handler takes lines of OPLOG",
        "no handler takes lines of FP",
        "no handler takes lines of FACE",
        "no handler takes lines of FVEIN",
        "no handler takes lines of USERPIC",
        "no handler takes lines of BIOPHOTO",
    ]
    picture = decoder.decode(Upload(table="WALLPAPER", body=b"\0"), ENGLISH)
    assert [reject.raw for reject in picture.rejects] == [b"\0"]

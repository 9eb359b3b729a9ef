"""The example of each section on uploads (8, 11.2 to 11.16), byte for byte; 9 is in `test_records`.

TABs and line ends are where the specification says. Templates, photos and the numbers of people
are invented, and as long as those that are printed.
"""

from __future__ import annotations

import io
import tarfile

from tests import fixture
from tests.protocol.bodies import everything, invented, read
from zkpush.protocol.packets import pack_plain

JPEG = b"\xff\xd8\xff\xe0" + bytes(number * 31 % 256 for number in range(9508))
"""9512 bytes, NULs and LFs among them."""

NEWER_USER = {"start_datetime": None, "end_datetime": None, "expires": None}
"""What no example has."""


def test_section_8_options() -> None:
    """Two functions are on."""
    contents = read("options", b"FingerFunOn=1,FaceFunOn=1")
    assert [batch.rows for batch in contents.batches] == [
        [("FingerFunOn", "1"), ("FaceFunOn", "1")]
    ]
    assert contents.rejects == []
    assert contents.bare


def attendance(pin: str, second: int, **more: object) -> tuple[str, dict[str, object]]:
    """One record of the examples of 11.2 and 11.7."""
    return "ATTLOG", {
        "pin": pin,
        "time": f"2015-07-30 15:16:{second}",
        "status": 0,
        "verify": 1,
        "work_code": "0",
        "reserved_1": "0",
        "reserved_2": "0",
        "id_number": None,
        "record_type": None,
        "mask": None,
        "temperature": None,
        "converted_temperature": None,
        "time_offset": None,
        "extend_data": None,
        **more,
    }


def test_section_11_2_attendance_records() -> None:
    """Nine records of two users, of seven columns each."""
    body = (
        b"1452\t2015-07-30 15:16:28\t0\t1\t0\t0\t0\n"
        b"1452\t2015-07-30 15:16:29\t0\t1\t0\t0\t0\n"
        b"1452\t2015-07-30 15:16:30\t0\t1\t0\t0\t0\n"
        b"1452\t2015-07-30 15:16:31\t0\t1\t0\t0\t0\n"
        b"1452\t2015-07-30 15:16:33\t0\t1\t0\t0\t0\n"
        b"1452\t2015-07-30 15:16:34\t0\t1\t0\t0\t0\n"
        b"1452\t2015-07-30 15:16:35\t0\t1\t0\t0\t0\n"
        b"8965\t2015-07-30 15:16:36\t0\t1\t0\t0\t0\n"
        b"8965\t2015-07-30 15:16:37\t0\t1\t0\t0\t0\n"
    )
    assert body == fixture("attendance.txt")
    contents = read("ATTLOG", body)
    assert contents.count == 9
    assert contents.stamp_of == "ATTLOG"
    assert not contents.bare
    assert everything(contents) == [
        *[attendance("1452", second) for second in (28, 29, 30, 31, 33, 34, 35)],
        *[attendance("8965", second) for second in (36, 37)],
    ]


def test_section_11_3_attendance_photo() -> None:
    """A photo has the name, the size and the bytes that were sent."""
    head = b"PIN=20150731103012-123.jpg\nSN=0316144680030\nsize=9512\nCMD=uploadphoto\0"
    contents = read("ATTPHOTO", head + JPEG)
    assert contents.rejects == []
    assert contents.count == 1
    assert contents.stamp_of == "ATTPHOTO"
    assert contents.bare
    ((photo,),) = contents.batches[0].rows
    assert photo.name == "20150731103012-123.jpg"
    assert photo.content == JPEG
    assert photo.command == "uploadphoto"
    assert photo.extra is None
    assert photo.raw is None


def test_section_11_4_operation() -> None:
    """An operation has a code, an operator, a time and four operands."""
    contents = read("OPERLOG", b"OPLOG 4\t14\t2015-07-30 10:22:34\t0\t0\t0\t0\n")
    assert contents.stamp_of == "OPERLOG"
    assert not contents.bare
    assert everything(contents) == [
        (
            "OPLOG",
            {
                "code": 4,
                "operator": "14",
                "time": "2015-07-30 10:22:34",
                "value_1": "0",
                "value_2": "0",
                "value_3": "0",
                "value_4": "0",
            },
        )
    ]


def user(pin: str, name: str, **more: object) -> tuple[str, dict[str, object]]:
    """One user of the examples of 11.5 and 11.14."""
    return "USER", {"pin": pin, "name": name, "privilege": 0, "group": 1, **NEWER_USER, **more}


def test_section_11_5_users() -> None:
    """Two users without a password; what is not said of verification is that of the group."""
    contents = read(
        "OPERLOG",
        b"USER PIN=36234\tName=36234\tPri=0\tPasswd=\tCard=133440\tGrp=1\tTZ=0001000000000000\n"
        b"USER PIN=36235\tName=36235\tPri=0\tPasswd=\tCard=133441\tGrp=1\tTZ=0001000000000000\n",
    )
    more = {"password": "", "timezones": "0001000000000000", "verify": -1, "vice_card": None}
    assert everything(contents) == [
        user("36234", "36234", card="133440", **more),
        user("36235", "36235", card="133441", **more),
    ]


def test_section_11_6_identity_card() -> None:
    """An identity card has seventeen fields, some of them empty."""
    photo, first, second = invented(156)[:154], invented(132), invented(96)
    contents = read(
        "IDCARD",
        b"IDCARD PIN=2\tSNNum=xxxxxxxx460088xxxxxx\tIDNum=xxxxxx19911218xxxx\tDNNum="
        b"\tName=Zhang San\tGender=1\tNation=1\tBirthday=19911218\tValidInfo=2017091520270915"
        b"\tAddress= Province xx City xx County xxx Village xxx Group xx\tAdditionalInfo="
        b"\tIssuer= County xxx public security bureau"
        b"\tPhoto=" + photo + b"\tFPTemplate1=" + first + b"\tFPTemplate2=" + second + b"\tReserve="
        b"\tNotice=\n",
    )
    assert contents.stamp_of == "IDCARD"
    assert not contents.bare
    assert everything(contents) == [
        (
            "IDCARD",
            {
                "pin": "2",
                "card_number": "xxxxxxxx460088xxxxxx",
                "id_number": "xxxxxx19911218xxxx",
                "document_number": "",
                "name": "Zhang San",
                "gender": 1,
                "nation": 1,
                "birthday": "19911218",
                "validity": "2017091520270915",
                "address": " Province xx City xx County xxx Village xxx Group xx",
                "additional_address": "",
                "issuer": " County xxx public security bureau",
                "photo": photo.decode(),
                "fingerprint_1": first.decode(),
                "fingerprint_2": second.decode(),
                "reserved": "",
                "notice": "",
            },
        )
    ]


def test_section_11_7_identity_card_attendance() -> None:
    """Nine records of two users, with the numbers of their identity cards."""
    contents = read("ATTLOG", fixture("attendance_identity_card.txt"))
    assert contents.count == 9
    assert everything(contents) == [
        attendance("1452", 28, id_number="100000000000000001", record_type=0),
        attendance("1452", 29, id_number="100000000000000002", record_type=0),
        attendance("1452", 30, id_number="100000000000000003", record_type=0),
        attendance("1452", 31, id_number="100000000000000004", record_type=0),
        attendance("1452", 33, id_number="100000000000000005", record_type=0),
        attendance("1452", 34, id_number="100000000000000006", record_type=0),
        attendance("1452", 35, id_number="100000000000000007", record_type=0),
        attendance("8965", 36, id_number="100000000000000008", record_type=0),
        attendance("8965", 37, id_number="100000000000000009", record_type=0),
    ]


def test_section_11_8_identity_card_attendance_photo() -> None:
    """The name of the photo says when, how, of which user and of which citizen."""
    name = "20160615093758-0-1457-100000000000000006.jpg"
    head = f"PIN={name}\nSN=0316144680030\nsize=9512\nCMD=uploadphoto\0".encode()
    contents = read("ATTPHOTO", head + JPEG)
    assert contents.rejects == []
    ((photo,),) = contents.batches[0].rows
    assert (photo.name, photo.content) == (name, JPEG)
    assert photo.command == "uploadphoto"


def test_section_11_9_fingerprints() -> None:
    """Three fingerprints of two users, each as long as its Size says."""
    printed = [("2", 0, 1124), ("2", 1, 2120), ("3", 0, 1592)]
    body = b"\n".join(
        b"FP PIN=%s\tFID=%d\tSize=%d\tValid=1\tTMP=%s" % (pin.encode(), fid, size, invented(size))
        for pin, fid, size in printed
    )
    contents = read("OPERLOG", body)
    assert contents.count == 3
    assert everything(contents) == [
        (
            "FP",
            {"pin": "2", "number": 0, "size": 1124, "valid": 1, "template": invented(1124)},
        ),
        (
            "FP",
            {"pin": "2", "number": 1, "size": 2120, "valid": 1, "template": invented(2120)},
        ),
        (
            "FP",
            {"pin": "3", "number": 0, "size": 1592, "valid": 1, "template": invented(1592)},
        ),
    ]


def test_section_11_10_face() -> None:
    """A near-infrared face: the size and the validity are spelled in capitals."""
    contents = read(
        "OPERLOG", b"FACE PIN=306\tFID=2\tSIZE=1648\tVALID=1\tTMP=" + invented(1648) + b"\n"
    )
    assert everything(contents) == [
        (
            "FACE",
            {"pin": "306", "index": 2, "size": 1648, "valid": 1, "template": invented(1648)},
        )
    ]


def test_section_11_11_finger_vein() -> None:
    """A finger vein has the number of the finger, and that of the template."""
    contents = read(
        "OPERLOG",
        b"FVEIN Pin=306\tFID=2\tIndex=0\tSize=1648\tValid=1\tTmp=" + invented(1648) + b"\n",
    )
    assert everything(contents) == [
        (
            "FVEIN",
            {
                "pin": "306",
                "number": 2,
                "index": 0,
                "size": 1648,
                "valid": 1,
                "template": invented(1648),
            },
        )
    ]


def test_section_11_12_unified_template() -> None:
    """A unified template says its type and the version of its algorithm."""
    contents = read(
        "BIODATA",
        b"BIODATA Pin=306\tNo=0\tIndex=2\tValid=1\tDuress=0\tType=8\tMajorVer=1\tMinorVer=0"
        b"\tFormat=0\tTmp=" + invented(1648) + b"\n",
    )
    assert contents.stamp_of == "BIODATA"
    assert not contents.bare
    assert everything(contents) == [
        (
            "BIODATA",
            {
                "pin": "306",
                "number": 0,
                "index": 2,
                "valid": 1,
                "duress": 0,
                "type": 8,
                "major_version": 1,
                "minor_version": 0,
                "format": "0",
                "template": invented(1648),
            },
        )
    ]


def test_section_11_13_user_photo() -> None:
    """A user photo has a file name, a size and its content."""
    contents = read("OPERLOG", b"USERPIC PIN=123\tFileName=123.jpg\tSize=10\tContent=AAAAAAAAAA\n")
    assert everything(contents) == [
        (
            "USERPIC",
            {
                "pin": "123",
                "name": "123.jpg",
                "size": 10,
                "format": None,
                "url": None,
                "content": b"AAAAAAAAAA",
            },
        )
    ]


PACKED = (
    b"USER PIN=1\tName=\tPri=0\tPasswd=0\tCard=89776433\tGrp=1\tTZ=0001000100000000\tVerify=-1"
    b"\tViceCard=123456789\n"
    b"FP PIN=1\tFID=1\tSize=1336\tValid=1\tTMP=" + invented(1336) + b"\n"
    b"USER PIN=2\tName=\tPri=0\tPasswd=0\tCard=89776433\tGrp=1\tTZ=0001000100000000\tVerify=-1"
    b"\tViceCard=123456789\n"
    b"USER PIN=3\tName=\tPri=0\tPasswd=0\tCard=89776433\tGrp=1\tTZ=0001000100000000\tVerify=-1"
    b"\tViceCard=223456789\n"
    b"USER PIN=4\tName=\tPri=0\tPasswd=0\tCard=89776433\tGrp=1\tTZ=0001000100000000\tVerify=-1"
    b"\tViceCard=323456789\n"
    b"USER PIN=5\tName=\tPri=0\tPasswd=0\tCard=89776433\tGrp=1\tTZ=0001000100000000\tVerify=-1"
    b"\tViceCard=423456789\n"
)


def tgz(name: str, text: bytes) -> bytes:
    """The packet that Python's own tar makes of one text."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return file.getvalue()


def test_section_11_14_data_packet() -> None:
    """What is packed is read as if it were not, as a tar and as plain text."""
    more = {"password": "0", "card": "89776433", "timezones": "0001000100000000", "verify": -1}
    expected = [
        user("1", "", vice_card="123456789", **more),
        user("2", "", vice_card="123456789", **more),
        user("3", "", vice_card="223456789", **more),
        user("4", "", vice_card="323456789", **more),
        user("5", "", vice_card="423456789", **more),
        ("FP", {"pin": "1", "number": 1, "size": 1336, "valid": 1, "template": invented(1336)}),
    ]
    for packet in (tgz("data.txt", PACKED), pack_plain(PACKED)):
        contents = read("OPERLOG", packet, packed=True)
        assert everything(contents) == expected
        assert contents.count == 6
        assert contents.stamp_of == "OPERLOG"
    assert everything(read("OPERLOG", PACKED)) == expected


def test_section_11_15_comparison_photo() -> None:
    """A comparison photo has a biometric type beside its name, size and content."""
    contents = read(
        "OPERLOG",
        b"BIOPHOTO PIN=123\tFileName=123.jpg\tType=2\tSize=95040\tContent=" + invented(95040),
    )
    assert everything(contents) == [
        (
            "BIOPHOTO",
            {
                "pin": "123",
                "number": 0,
                "index": 0,
                "name": "123.jpg",
                "type": 2,
                "size": 95040,
                "format": None,
                "url": None,
                "content": invented(95040),
            },
        )
    ]


def test_section_11_16_error() -> None:
    """An error says its code, where it comes from, and of which command."""
    contents = read(
        "ERRORLOG", b"ERRORLOG ErrCode=D01E0001\tErrMsg=\tDataOrigin=cmd\tCmdId=123\tAdditional="
    )
    assert contents.stamp_of == "ERRORLOG"
    assert contents.bare
    assert everything(contents) == [
        (
            "ERRORLOG",
            {
                "code": "D01E0001",
                "message": "",
                "origin": "cmd",
                "command_id": "123",
                "additional": "",
            },
        )
    ]

"""Each upload section of the spec: its example, byte for byte, and every field read back.

TABs and line ends are restored. The templates, pictures and citizen ID numbers are not those of the
spec, but made up, of the same size: they are of somebody, and cannot be changed.
"""

from __future__ import annotations

import base64
import itertools

import pytest_twisted

from ..rig import Rig

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 37 + b"\0\n\r\n\xff\xd9"


def invented(characters: int) -> str:
    """Base64 of so many characters that stands for nobody's template."""
    pattern = base64.b64encode(bytes(range(255))).decode()
    text = "".join(itertools.islice(itertools.cycle(pattern), characters - 2))
    return text + "A="[: -len(text) % 4].ljust(-len(text) % 4, "A")


def head(size: int, name: str) -> bytes:
    """The lines before a picture (11.3)."""
    return f"PIN={name}\nSN=0316144680030\nsize={size}\nCMD=uploadphoto".encode() + b"\0"


SN = "0316144680030"


async def upload(rig: Rig, table: str, body: str | bytes, **arguments: str) -> bytes:
    """Upload as the terminal of the spec."""
    await rig.exchange(SN, **arguments)
    raw = body if isinstance(body, bytes) else body.encode()
    response = await rig.post(f"cdata?SN={SN}&table={table}&Stamp=9999", raw)
    assert response.status == 200
    return response.body


@pytest_twisted.ensureDeferred
async def test_pushed_options_are_kept(rig: Rig) -> None:
    """8: the example, and a value that holds commas."""
    assert await upload(rig, "options", "FingerFunOn=1,FaceFunOn=1") == b"OK"
    body = b"~OEMVendor=ZKTECO CO., LTD.,~DeviceName=,MultiBioDataSupport=0:1:0:0:0:0:0:0:0:1"
    assert (await rig.post(f"cdata?SN={SN}&table=options", body)).body == b"OK"
    device = (await rig.api("GET", f"/devices/{SN}")).json
    assert device["options"] == {
        "FingerFunOn": "1",
        "FaceFunOn": "1",
        "~OEMVendor": "ZKTECO CO., LTD.",
        "~DeviceName": "",
        "MultiBioDataSupport": "0:1:0:0:0:0:0:0:0:1",
    }


@pytest_twisted.ensureDeferred
async def test_update_information_is_kept(rig: Rig) -> None:
    """9: the ten values of the example."""
    await rig.exchange(SN)
    info = "Ver%202.0.12-20150625,0,0,0,192.168.16.27,10,7,15,0,111"
    assert (await rig.get(f"getrequest?SN={SN}&INFO={info}")).body == b"OK"
    device = (await rig.api("GET", f"/devices/{SN}")).json
    assert device["firmware"] == "Ver 2.0.12-20150625"
    assert device["counts"] == {
        "users": 0,
        "fingerprints": 0,
        "attendance": 0,
        "faces_required": 15,
        "faces": 0,
    }
    assert device["attributes"]["address"] == "192.168.16.27"
    assert device["attributes"]["fingerprint_version"] == "10"
    assert device["attributes"]["face_version"] == "7"
    assert device["attributes"]["functions"] == "111"


@pytest_twisted.ensureDeferred
async def test_an_attendance_photo_is_kept_with_its_picture(rig: Rig) -> None:
    """11.3: lines, NUL, and a picture that holds NULs and line ends itself."""
    body = head(len(JPEG), "20150731103012-123.jpg") + JPEG
    for _ in range(2):  # sent again, it is not another one
        assert await upload(rig, "ATTPHOTO", body) == b"OK"
    (photo,) = await rig.items("/photos")
    assert photo.pop("received_at") == "2026-03-01T12:00:00.000Z"
    assert photo == {
        "id": 1,
        "device": SN,
        "pin": "123",
        "name": "20150731103012-123.jpg",
        "kind": None,
        "meaning": None,
        "kind_meaning": None,
        "size": len(JPEG),
        "time": "2015-07-31T10:30:12",
        "local_time": "2015-07-31T10:30:12+00:00",
        "utc": "2015-07-31T10:30:12Z",
        "doubt": "past",
        "id_number": None,
    }
    content = await rig.api("GET", "/photos/1/content")
    assert content.header(b"Content-Type") == b"image/jpeg"
    assert content.body == JPEG
    assert await rig.items("/rejects") == []


@pytest_twisted.ensureDeferred
async def test_a_photo_comes_through_fdata_and_in_its_older_forms(rig: Rig) -> None:
    """11.3: `/iclock/fdata`, the name in the arguments of the request, and base64."""
    await rig.exchange(SN)
    plain = head(len(JPEG), "20150731103013-124.jpg") + JPEG
    assert (await rig.post(f"fdata?SN={SN}&table=ATTPHOTO&Stamp=1", plain)).body == b"OK"
    old = f"fdata?SN={SN}&PIN=20081119172119-4.jpg&PhotoStamp=280415"
    assert (await rig.post(old, JPEG)).body == b"OK"
    armoured = head(len(JPEG), "20150731103014-125.jpg") + base64.b64encode(JPEG)
    assert (await rig.post(f"cdata?SN={SN}&table=ATTPHOTO&Stamp=2", armoured)).body == b"OK"
    photos = await rig.items("/photos")
    assert [photo["pin"] for photo in photos] == ["124", "4", "125"]
    assert photos[1]["time"] == "2008-11-19T17:21:19"
    for photo in photos:
        assert (await rig.api("GET", f"/photos/{photo['id']}/content")).body == JPEG
    reply = (await rig.exchange(SN)).body
    assert b"ATTPHOTOStamp=2\n" in reply


@pytest_twisted.ensureDeferred
async def test_a_photo_of_another_size_than_stated_is_quarantined(rig: Rig) -> None:
    """11.3: the size is checked, and nothing is thrown away."""
    body = head(len(JPEG) + 1, "20150731103012-123.jpg") + JPEG
    assert await upload(rig, "ATTPHOTO", body) == b"OK"
    assert await rig.items("/photos") == []
    (listed,) = await rig.items("/rejects")
    assert listed["table"] == "ATTPHOTO"
    assert str(len(JPEG)) in listed["reason"]
    assert (listed["raw"], listed["size"]) == (None, len(body))
    reject = (await rig.api("GET", f"/rejects/{listed['id']}")).json
    assert base64.b64decode(reject["raw"]) == body


@pytest_twisted.ensureDeferred
async def test_an_operation_is_kept_in_words(rig: Rig) -> None:
    """11.4: the example; the operation objects are named by Appendix 4."""
    body = "OPLOG 4\t14\t2015-07-30 10:22:34\t0\t0\t0\t0"
    assert await upload(rig, "OPERLOG", body) == b"OK: 1"
    deleted = "OPLOG 9\t14\t2015-07-30 10:23:34\t36234\t0\t0\t0\n"
    assert await upload(rig, "OPERLOG", body + "\n" + deleted) == b"OK: 2"
    menu, deletion = await rig.items("/operations")
    assert menu.pop("received_at") == "2026-03-01T12:00:00.000Z"
    assert menu == {
        "id": 1,
        "device": SN,
        "code": 4,
        "code_meaning": "Access menu",
        "meaning": "Access menu",
        "operator": "14",
        "operator_meaning": "User 14",
        "time": "2015-07-30T10:22:34",
        "local_time": "2015-07-30T10:22:34+00:00",
        "utc": "2015-07-30T10:22:34Z",
        "doubt": "past",
        "values": {},
        "values_meaning": {},
        "extra": None,
    }
    assert (deletion["meaning"], deletion["values"]) == ("Delete user", {"User ID": "36234"})


@pytest_twisted.ensureDeferred
async def test_users_are_kept(rig: Rig) -> None:
    """11.5: the two users of the example."""
    body = (
        "USER PIN=36234\tName=36234\tPri=0\tPasswd=\tCard=133440\tGrp=1\tTZ=0001000000000000\n"
        "USER PIN=36235\tName=36235\tPri=0\tPasswd=\tCard=133441\tGrp=1\tTZ=0001000000000000"
    )
    assert await upload(rig, "OPERLOG", body) == b"OK: 2"
    users = await rig.items("/users")
    assert [user["pin"] for user in users] == ["36234", "36235"]
    assert users[0] == {
        "pin": "36234",
        "name": "36234",
        "privilege": 0,
        "privilege_meaning": "User",
        "password": None,
        "card": "133440",
        "group": 1,
        "timezones": "0001000000000000",
        "verify": -1,
        "verify_meaning": "As the group of the user",
        "vice_card": None,
        "start_datetime": None,
        "end_datetime": None,
        "expires": None,
        "templates": {},
        "templates_meaning": {},
        "has_photo": False,
        "areas": ["default"],
        "device": SN,
        "updated_at": "2026-03-01T12:00:00.000Z",
        "extra": None,
    }
    assert (await rig.api("GET", "/users/36235")).json["card"] == "133441"
    assert (await rig.api("GET", "/users/1")).status == 404


@pytest_twisted.ensureDeferred
async def test_an_identity_card_is_kept(rig: Rig) -> None:
    """11.6: every field of the example."""
    photo, first, second = invented(164), invented(120), invented(88)
    body = (
        "IDCARD PIN=2\tSNNum=xxxxxxxx460088xxxxxx\tIDNum=xxxxxx19911218xxxx\tDNNum=\t"
        "Name=Zhang San\tGender=1\tNation=1\tBirthday=19911218\tValidInfo=2017091520270915\t"
        "Address= Province xx City xx County xxx Village xxx Group xx\tAdditionalInfo=\t"
        f"Issuer= County xxx public security bureau \tPhoto={photo}\tFPTemplate1={first}\t"
        f"FPTemplate2={second}\tReserve=\tNotice="
    )
    assert await upload(rig, "IDCARD", body, language="83") == b"OK: 1"
    (card,) = await rig.items("/idcards")
    assert card.pop("received_at") == "2026-03-01T12:00:00.000Z"
    assert card == {
        "id": 1,
        "device": SN,
        "pin": "2",
        "card_number": "xxxxxxxx460088xxxxxx",
        "id_number": "xxxxxx19911218xxxx",
        "document_number": "",
        "name": "Zhang San",
        "gender": 1,
        "gender_meaning": "Male",
        "nation": 1,
        "nation_meaning": "Han",
        "birthday": "19911218",
        "validity": "2017091520270915",
        "address": " Province xx City xx County xxx Village xxx Group xx",
        "additional_address": "",
        "issuer": " County xxx public security bureau ",
        "photo": photo,
        "fingerprint_1": first,
        "fingerprint_2": second,
        "reserved": "",
        "notice": "",
        "extra": None,
    }


@pytest_twisted.ensureDeferred
async def test_attendance_of_identity_cards_is_kept(rig: Rig) -> None:
    """11.7: the nine records of the example."""
    numbers = [f"{100_000_000_000_000_000 + number}" for number in range(1, 10)]
    seconds = (28, 29, 30, 31, 33, 34, 35, 36, 37)
    body = "\n".join(
        f"{1452 if second < 36 else 8965}\t2015-07-30 15:16:{second}\t0\t1\t0\t0\t0\t{number}\t0"
        for second, number in zip(seconds, numbers, strict=True)
    )
    assert await upload(rig, "ATTLOG", body, DeviceType="pid") == b"OK: 9"
    records = await rig.items("/attendance")
    assert [record["id_number"] for record in records] == numbers
    assert [record["pin"] for record in records] == ["1452"] * 7 + ["8965"] * 2
    assert {record["record_type"] for record in records} == {0}
    assert records[-1]["time"] == "2015-07-30T15:16:37"


@pytest_twisted.ensureDeferred
async def test_a_photo_of_an_identity_card_attendance_is_kept(rig: Rig) -> None:
    """11.8: the name holds the time, the type, the user and the ID number."""
    body = head(len(JPEG), "20160615093758-0-1457-100000000000000006.jpg") + JPEG
    assert await upload(rig, "ATTPHOTO", body) == b"OK"
    (photo,) = await rig.items("/photos")
    assert (photo["pin"], photo["id_number"]) == ("1457", "100000000000000006")
    assert (photo["kind"], photo["kind_meaning"]) == (0, "Attendance successful photo")
    assert photo["time"] == "2016-06-15T09:37:58"


def template(**values: object) -> dict[str, object]:
    """What all templates of these examples have in common, and what this one has."""
    return {
        "number": 0,
        "index": 0,
        "valid": 1,
        "valid_meaning": "Normal",
        "duress": 0,
        "duress_meaning": "No duress",
        "major_version": 0,
        "minor_version": 0,
        "format": None,
        "format_meaning": None,
        "device": SN,
        "updated_at": "2026-03-01T12:00:00.000Z",
        "extra": None,
        **values,
    }


@pytest_twisted.ensureDeferred
async def test_fingerprint_templates_are_kept(rig: Rig) -> None:
    """11.9: three templates of two users; their version is the one that the terminal reported."""
    sizes = (("2", 0, 1124), ("2", 1, 2120), ("3", 0, 1592))
    body = "\n".join(
        f"FP PIN={pin}\tFID={finger}\tSize={size}\tValid=1\tTMP={invented(size)}"
        for pin, finger, size in sizes
    )
    await rig.exchange(SN)
    await rig.get(f"getrequest?SN={SN}&INFO=Ver%202.0.12,2,3,0,192.0.2.9,10,7,15,0,111")
    assert await upload(rig, "OPERLOG", body) == b"OK: 3"
    fingers = {
        "meaning": "Fingerprint",
        "type_meaning": "Fingerprint",
        "type": 1,
        "form": "FP",
        "major_version": 10,
    }
    assert await rig.items("/users/2/templates") == [
        template(pin="2", number=0, template=invented(1124), **fingers),
        template(pin="2", number=1, template=invented(2120), **fingers),
    ]
    assert await rig.items("/users/3/templates") == [
        template(pin="3", template=invented(1592), **fingers)
    ]
    assert (await rig.api("GET", "/users/2")).json["templates"] == {"1": 2}


@pytest_twisted.ensureDeferred
async def test_a_face_template_is_kept(rig: Rig) -> None:
    """11.10: the example; its fields are written in capitals."""
    body = f"FACE PIN=306\tFID=2\tSIZE=1648\tVALID=1\tTMP={invented(1648)}"
    assert await upload(rig, "OPERLOG", body) == b"OK: 1"
    face = {
        "meaning": "Near-infrared face",
        "type_meaning": "Near-infrared face",
        "type": 2,
        "form": "FACE",
    }
    assert await rig.items("/users/306/templates") == [
        template(pin="306", index=2, template=invented(1648), **face)
    ]


@pytest_twisted.ensureDeferred
async def test_a_finger_vein_template_is_kept(rig: Rig) -> None:
    """11.11: the example."""
    body = f"FVEIN Pin=306\tFID=2\tIndex=0\tSize=1648\tValid=1\tTmp={invented(1648)}"
    assert await upload(rig, "OPERLOG", body) == b"OK: 1"
    vein = {"meaning": "Finger vein", "type_meaning": "Finger vein", "type": 7, "form": "FVEIN"}
    assert await rig.items("/users/306/templates") == [
        template(pin="306", number=2, template=invented(1648), **vein)
    ]


@pytest_twisted.ensureDeferred
async def test_a_unified_template_is_kept(rig: Rig) -> None:
    """11.12: the example."""
    body = (
        "BIODATA Pin=306\tNo=0\tIndex=2\tValid=1\tDuress=0\tType=8\tMajorVer=1\tMinorVer=0\t"
        f"Format=0\tTmp={invented(1648)}"
    )
    assert await upload(rig, "BIODATA", body) == b"OK: 1"
    palm = {
        "meaning": "Palm vein",
        "type_meaning": "Palm vein",
        "type": 8,
        "form": "BIODATA",
        "major_version": 1,
    }
    assert await rig.items("/users/306/templates") == [
        template(
            pin="306", index=2, format="0", format_meaning="ZK", template=invented(1648), **palm
        )
    ]
    assert b"BIODATAStamp=9999\n" in (await rig.exchange(SN)).body


@pytest_twisted.ensureDeferred
async def test_a_user_photo_is_kept(rig: Rig) -> None:
    """11.13: the example, whose base64 of ten characters has no padding."""
    body = "USERPIC PIN=123\tFileName=123.jpg\tSize=10\tContent=AAAAAAAAAA"
    assert await upload(rig, "OPERLOG", body) == b"OK: 1"
    (photo,) = await rig.items("/users/123/photos")
    assert photo == {
        "pin": "123",
        "kind": "USERPIC",
        "type": 0,
        "meaning": "Common",
        "type_meaning": "Common",
        "number": 0,
        "index": 0,
        "name": "123.jpg",
        "size": 10,
        "format": None,
        "format_meaning": None,
        "url": None,
        "content": base64.b64encode(bytes(7)).decode(),
        "device": SN,
        "updated_at": "2026-03-01T12:00:00.000Z",
        "extra": None,
    }
    assert (await rig.api("GET", "/users/123")).json["has_photo"] is True


@pytest_twisted.ensureDeferred
async def test_a_comparison_photo_is_kept(rig: Rig) -> None:
    """11.15: the example, of the size it states."""
    body = f"BIOPHOTO PIN=123\tFileName=123.jpg\tType=2\tSize=95040\tContent={'A' * 95040}"
    assert await upload(rig, "OPERLOG", body) == b"OK: 1"
    (photo,) = await rig.items("/users/123/photos")
    assert (photo["kind"], photo["type"], photo["size"]) == ("BIOPHOTO", 2, 95040)
    assert base64.b64decode(photo["content"]) == bytes(71280)


@pytest_twisted.ensureDeferred
async def test_an_error_is_kept_in_words(rig: Rig) -> None:
    """11.16: the example; Appendix 9 says what it means."""
    body = "ERRORLOG ErrCode=D01E0001\tErrMsg=\tDataOrigin=cmd\tCmdId=123\tAdditional="
    assert await upload(rig, "ERRORLOG", body) == b"OK"
    (error,) = await rig.items("/errors")
    assert error.pop("received_at") == "2026-03-01T12:00:00.000Z"
    assert error.pop("words")["generator"]
    assert error == {
        "id": 1,
        "device": SN,
        "code": "D01E0001",
        "code_meaning": "Face detection failed",
        "meaning": "Face detection failed",
        "message": "",
        "origin": "cmd",
        "origin_meaning": "Data that the server sent",
        "command_id": "123",
        "additional": "",
        "extra": None,
    }

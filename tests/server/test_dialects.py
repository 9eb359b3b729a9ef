"""What terminals write otherwise than the specification, and what the server makes of it."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from ..rig import Rig

FACE = b"\xff\xd8\xff\xe0" + bytes(range(1, 60))


async def store(rig: Rig, target: str, body: bytes, count: int) -> None:
    """An upload of which so much is stored."""
    reply = await rig.post(target, body)
    assert (reply.status, reply.body) == (200, b"OK: %d" % count)
    assert await rig.items("/rejects") == []


async def device(rig: Rig) -> dict[str, Any]:
    """The terminal, as the API shows it."""
    found: dict[str, Any] = (await rig.api("GET", "/devices/T1")).json
    return found


@pytest_twisted.ensureDeferred
async def test_null_is_empty(rig: Rig) -> None:
    """`null` in a password, a card or a number is no value; a person may be called so."""
    await rig.exchange()
    line = b"USER PIN=7\tName=null\tPri=0\tPasswd=null\tCard=null\tGrp=null\tViceCard=NULL\n"
    await store(rig, "cdata?SN=T1&table=OPERLOG&Stamp=1", line, 1)
    (user,) = await rig.items("/users?secrets=true")
    assert (user["name"], user["password"], user["card"]) == ("null", None, None)
    assert (user["group"], user["vice_card"], user["extra"]) == (None, None, None)


@pytest_twisted.ensureDeferred
async def test_the_last_of_two_values_counts(rig: Rig) -> None:
    """A field that is there twice costs nobody the line; what counts not is kept."""
    await rig.exchange()
    line = b"USER PIN=7\tName=Ann\tName=Berta\tPasswd=1\n"
    await store(rig, "cdata?SN=T1&table=OPERLOG&Stamp=1", line, 1)
    (user,) = await rig.items("/users?secrets=true")
    assert (user["name"], user["extra"]) == ("Berta", {"Name": "Ann"})


@pytest.mark.parametrize(
    "time",
    [
        "2026/02/28 08:05:09",
        "2026-02-28T08:05:09",
        "2026-2-28 8:5:9",
        str(((26 * 12 + 1) * 31 + 27) * 86400 + 8 * 3600 + 5 * 60 + 9),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_time_in_another_form_is_the_same_time(rig: Rig, time: str) -> None:
    """All forms of one time make one record."""
    await rig.exchange()
    for each in (time, "2026-02-28 08:05:09"):
        body = f"7\t{each}\t0\t1\n".encode()
        await store(rig, "cdata?SN=T1&table=ATTLOG&Stamp=1", body, 1)
    (record,) = await rig.items("/attendance")
    assert (record["time"], record["utc"]) == ("2026-02-28T08:05:09", "2026-02-28T08:05:09Z")


@pytest_twisted.ensureDeferred
async def test_a_time_may_have_no_seconds(rig: Rig) -> None:
    """Without seconds it is the full minute."""
    await rig.exchange()
    await store(rig, "cdata?SN=T1&table=ATTLOG&Stamp=1", b"7\t2026/02/28 08:05\t0\t1\n", 1)
    assert (await rig.items("/attendance"))[0]["time"] == "2026-02-28T08:05:00"


@pytest_twisted.ensureDeferred
async def test_an_exchange_needs_no_options(rig: Rig) -> None:
    """`GET cdata` without `options=` is the exchange, too."""
    told = await rig.get("cdata?SN=T1&pushver=2.4.1")
    assert told.status == 200
    assert told.body.startswith(b"GET OPTION FROM: T1\n")
    assert (await rig.get("getrequest?SN=T1")).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_attendance_is_recognized_without_a_table(rig: Rig) -> None:
    """An upload that names no table is attendance if it looks like it, and is kept else."""
    await rig.exchange()
    await store(rig, "cdata?SN=T1&Stamp=1", b"7\t2026-02-28 08:05:09\t0\t1\n", 1)
    assert [record["pin"] for record in await rig.items("/attendance")] == ["7"]
    assert (await rig.post("cdata?SN=T1&Stamp=1", b"what=ever\n")).body == b"OK"
    assert [reject["table"] for reject in await rig.items("/rejects")] == ["unnamed"]


@pytest_twisted.ensureDeferred
async def test_a_table_may_be_named_as_type(rig: Rig) -> None:
    """`type=BioData` names the table of an upload."""
    await rig.exchange()
    line = (
        b"BIODATA Pin=7\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\tMajorVer=5\tMinorVer=0\t"
        b"Format=0\tTmp=QUJD\n"
    )
    await store(rig, "cdata?SN=T1&type=BioData&Stamp=1", line, 1)
    assert len(await rig.items("/users/7/templates")) == 1


@pytest_twisted.ensureDeferred
async def test_the_lines_of_a_photo_have_any_order(rig: Rig) -> None:
    """The name of an attendance photo may stand behind other lines."""
    await rig.exchange()
    head = b"SN=T1\nCMD=uploadphoto\nsize=%d\nPIN=20260228080509-7.jpg\n\0" % len(FACE)
    reply = await rig.post("cdata?SN=T1&table=ATTPHOTO&Stamp=1", head + FACE)
    assert reply.status == 200
    assert await rig.items("/rejects") == []
    (photo,) = await rig.items("/photos")
    assert (photo["pin"], photo["name"]) == ("7", "20260228080509-7.jpg")
    assert (await rig.api("GET", "/photos/1/content")).body == FACE


@pytest_twisted.ensureDeferred
async def test_options_may_have_spaces_and_a_last_comma(rig: Rig) -> None:
    """`A=1, B=2,` are two options; a comma within a value stays."""
    await rig.exchange()
    body = b"~DeviceName=Gate, FaceFunOn=1,~OEMVendor=ACME CO., LTD.,MaskDetectionFunOn=0,"
    assert (await rig.post("cdata?SN=T1&table=options", body)).body == b"OK"
    assert (await device(rig))["options"] == {
        "~DeviceName": "Gate",
        "FaceFunOn": "1",
        "~OEMVendor": "ACME CO., LTD.",
        "MaskDetectionFunOn": "0",
    }


@pytest_twisted.ensureDeferred
async def test_what_a_terminal_says_of_itself_is_one_truth(rig: Rig) -> None:
    """Firmware, counts and template versions come from options as from update information."""
    await rig.exchange()
    body = b"FWVersion=Ver 8.0.4,UserCount=212,FPCount=9,FaceCount=3,TransactionCount=77,"
    body += b"FPVersion=13,FaceVersion=40,FingerFunOn=1"
    assert (await rig.post("cdata?SN=T1&table=options", body)).body == b"OK"
    found = await device(rig)
    assert found["firmware"] == "Ver 8.0.4"
    assert found["counts"] == {"users": 212, "fingerprints": 9, "faces": 3, "attendance": 77}
    versions = {one["type"]: one["major_version"] for one in found["hybrid"]["types"]}
    assert versions == {1: 13, 2: 40}
    await rig.get("getrequest?SN=T1&INFO=Ver%208.0.5,213,9,78,192.0.2.7")
    found = await device(rig)
    assert (found["firmware"], found["counts"]["users"]) == ("Ver 8.0.5", 213)
    assert found["counts"]["faces"] == 3


@pytest_twisted.ensureDeferred
async def test_a_template_has_the_version_that_the_terminal_names(rig: Rig) -> None:
    """A fingerprint of old form has the version of `FPVersion`; one that nobody names is null."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=options", b"FPVersion=13,MultiBioDataSupport=0:1:1")
    await store(
        rig,
        "cdata?SN=T1&table=OPERLOG&Stamp=1",
        b"FP PIN=7\tFID=1\tSize=4\tValid=1\tTMP=QUJD\n",
        1,
    )
    (template,) = await rig.items("/users/7/templates")
    assert template["major_version"] == 13
    types = {one["type"]: one for one in (await device(rig))["hybrid"]["types"]}
    assert types[2]["major_version"] is None


@pytest.mark.parametrize("pushver", ["Ver 2.0.33S", "1.0", "rubbish", None])
@pytest_twisted.ensureDeferred
async def test_the_lowest_version_is_2_2_14(rig: Rig, pushver: str | None) -> None:
    """A terminal that says it is older, or nothing, counts as 2.2.14."""
    await rig.exchange(pushver=None if pushver is None else pushver.replace(" ", "%20"))
    assert (await device(rig))["protocol_version"] == "2.2.14"


@pytest_twisted.ensureDeferred
async def test_an_operator_may_set_the_version(rig: Rig) -> None:
    """What an operator says counts instead of pushver, which is shown as it was sent."""
    await rig.exchange(pushver="2.0.33S")
    card = b"IDCARD PIN=7\tSNNum=1\tIDNum=110101199001010015\tName=Ann\n"
    assert (await rig.post("cdata?SN=T1&table=IDCARD&Stamp=1", card)).body == b"OK: 1"
    parameters = {"PIN": "7", "IDNum": "110101199001010015"}
    command = {"command": "DATA UPDATE IDCARD", "params": parameters}
    early = await rig.api("POST", "/devices/T1/commands", command)
    assert early.status == 400
    assert "this terminal is of 2.2.14" in early.json["detail"]
    wrong = await rig.api("PATCH", "/devices/T1", {"version": "new"})
    assert wrong.status == 400
    assert "such as 2.4.1" in wrong.json["detail"]
    changed = await rig.api("PATCH", "/devices/T1", {"version": "Ver 2.4.1"})
    assert (changed.json["version"], changed.json["protocol_version"]) == ("2.4.1", "2.4.1")
    assert changed.json["push_version"] == "2.0.33S"
    assert (await rig.api("POST", "/devices/T1/commands", command)).status == 202


@pytest_twisted.ensureDeferred
async def test_what_is_not_measured_is_null(rig: Rig) -> None:
    """Zeros of a terminal without thermometer and mask detection are no measurements."""
    await rig.exchange()
    line = b"%d\t2026-02-28 08:05:09\t0\t15\t0\t0\t0\t0\t%b\t0.0\n"
    await store(rig, "cdata?SN=T1&table=ATTLOG&Stamp=1", line % (7, b"0.0"), 1)
    await store(rig, "cdata?SN=T1&table=ATTLOG&Stamp=1", line % (8, b"36.5"), 1)
    await rig.post("cdata?SN=T1&table=options", b"MaskDetectionFunOn=1,~IRTempDetectionFunOn=1")
    await store(rig, "cdata?SN=T1&table=ATTLOG&Stamp=1", line % (9, b"0.0"), 1)
    found = {
        record["pin"]: (record["mask"], record["temperature"])
        for record in await rig.items("/attendance")
    }
    assert found == {"7": (None, None), "8": (None, 36.5), "9": (0, 0.0)}

"""The server changes what a terminal holds: DATA UPDATE, DATA DELETE, CLEAR (12.1, 12.2)."""

from __future__ import annotations

import attrs
import pytest
import pytest_twisted

from zkpush.handlers.attendance.tables import ATTLOG, ATTPHOTO
from zkpush.handlers.entries.tables import (
    ACCESS_GROUP,
    ADPIC,
    BLACKLIST,
    SHORTCUT_KEY,
    SMS,
    USER_SMS,
    WORKCODE,
)
from zkpush.handlers.logs.tables import IDCARD
from zkpush.handlers.people.tables import BIODATA, BIOPHOTO, FACE, FP, FVEIN, USER, USERPIC
from zkpush.protocol.versions import Version
from zkpush.simulator.biometrics import FINGERPRINT, VISIBLE_FACE
from zkpush.simulator.model import ATT, CLASSIC, OLD, PID, Model

from .asked import Asked
from .test_sections import PUNCH

FINGER = "DATA UPDATE FINGERTMP PIN=1\tFID=3\tSize=12\tValid=1\tTMP=aW52ZW50ZWQ="
FACE_LINE = "DATA UPDATE FACE PIN=1\tFID=0\tValid=1\tSize=32\tTMP=AAAAAAAAAAAAAAAAAAAAAGludmVudGVk"
VEIN = "DATA UPDATE FVEIN Pin=1\tFID=7\tIndex=2\tValid=1\tSize=12\tTmp=aW52ZW50ZWQ="
PALM = "DATA UPDATE BIODATA Pin=1\tNo=1\tType=8\tMajorVer=1\tMinorVer=0\tTmp=aW52ZW50ZWQ="
PHOTO = "DATA UPDATE USERPIC PIN=1\tSize=8\tContent=/9j/CgDZ"
COMPARISON = "DATA UPDATE BIOPHOTO PIN=1\tType=9\tSize=8\tContent=/9j/CgDZ"
EVERYTHING_OF_ONE = (FINGER, FACE_LINE, VEIN, PALM, PHOTO, COMPARISON)
MESSAGE = "DATA UPDATE SMS MSG={}\tTAG=254\tUID=1\tMIN=60\tStartTime=2026-03-01 12:00:00"

REFUSED = {
    "nobody's finger": (ATT, FINGER.replace("PIN=1", "PIN=9"), -10),
    "nobody's palm": (ATT, PALM.replace("Pin=1", "Pin=9"), -10),
    "nobody's photo": (ATT, PHOTO.replace("PIN=1", "PIN=9"), -10),
    "nobody's message": (ATT, "DATA UPDATE USER_SMS PIN=9\tUID=1", -10),
    "nobody's identity card": (PID, "DATA UPDATE IDCARD PIN=9\tIDNum=1", -10),
    "nobody deleted": (ATT, "DATA DELETE USERINFO PIN=9", -10),
    "nobody's finger deleted": (ATT, "DATA DELETE FINGERTMP PIN=9", -10),
    "size of a template": (ATT, FINGER.replace("Size=12", "Size=13"), -9),
    "size of a photo": (ATT, PHOTO.replace("Size=8", "Size=9"), -2),
    "size of a comparison photo": (ATT, COMPARISON.replace("Size=8", "Size=9"), -2),
    "size of a picture": (ATT, "DATA UPDATE ADPIC Index=1\tSize=9\tContent=/9j/CgDZ", -2),
    "a picture that is none": (ATT, "DATA UPDATE ADPIC Index=1\tSize=1\tContent=*", -1),
    "no PIN": (ATT, "DATA UPDATE USERINFO Name=Ann", -1),
    "no photo": (ATT, "DATA UPDATE USERPIC PIN=1", -1),
    "no such finger": (ATT, FINGER.replace("FID=3", "FID=10"), -1),
    "no number": (ATT, "DATA UPDATE AccGroup ID=one", -1),
    "no such message": (ATT, "DATA UPDATE USER_SMS PIN=1\tUID=7", -1),
    "a template that is no base64": (ATT, FINGER.replace("aW52ZW50ZWQ=", "*"), -11),
    "a palm that is no base64": (ATT, PALM.replace("aW52ZW50ZWQ=", "*"), -1),
    "a template without anything": (
        ATT,
        FINGER.replace("aW52ZW50ZWQ=", "=").replace("12", "1"),
        -12,
    ),
    "a message that is too long": (ATT, MESSAGE.format("x" * 321), -1006),
    "another algorithm": (ATT, PALM.replace("MajorVer=1", "MajorVer=2"), -1004),
    "another algorithm, 2.4.2": (
        attrs.evolve(ATT, version=Version(2, 4, 2)),
        PALM.replace("MajorVer=1", "MajorVer=2"),
        -30,
    ),
    "no such sensor": (ATT, PALM.replace("Type=8", "Type=4"), -1002),
    "no comparison photos of a type": (ATT, COMPARISON.replace("Type=9", "Type=2"), -1002),
    "no faces": (OLD, FACE_LINE, -1002),
    "no veins": (PID, VEIN, -1002),
    "no faces to delete": (OLD, "DATA DELETE FACE PIN=1", -1002),
    "not unified": (CLASSIC, PALM, -1002),
    "not unified, deleted": (CLASSIC, "DATA DELETE BIODATA Pin=1", -1002),
    "no identity cards": (ATT, "DATA UPDATE Blacklist IDNum=1", -1002),
    "a command of 2.4.2": (PID, "DATA UPDATE WHITELIST IDNum=1", -1002),
    "all users, before 2.4.2": (ATT, "CLEAR ALL USERINFO", -1002),
}


@pytest.mark.parametrize(("model", "text", "code"), REFUSED.values(), ids=list(REFUSED))
@pytest_twisted.ensureDeferred
async def test_what_is_wrong_is_refused_with_its_code(model: Model, text: str, code: int) -> None:
    """A terminal says what is wrong (Appendix 1), holds what it held, and goes on."""
    asked = Asked(model)
    assert await asked.codes(text, "DATA UPDATE WORKCODE CODE=10") == [code, 0]
    assert len(asked.terminal.outbox.held(USER)) in (0, 2)
    for table in (FP, FACE, FVEIN, BIODATA, USERPIC, BIOPHOTO, USER_SMS, BLACKLIST):
        assert asked.terminal.outbox.held(table) == []


@pytest_twisted.ensureDeferred
async def test_a_user_is_added_and_then_changed() -> None:
    """What a line says is changed, and what it does not say stays; spelling is in any case."""
    asked = Asked()
    assert await asked.codes(
        "DATA UPDATE USERINFO PIN=7\tName=Ann\tPri=14\tCard=[15CD5B07]",
        "DATA UPDATE USERINFO pin=7\tNAME=Anna",
        "DATA UPDATE USERINFO PIN=8\tName=Bo",
    ) == [0, 0, 0]
    users = asked.held(USER, "pin", "name", "privilege", "card")[2:]
    assert users == [("7", "Anna", 14, "123456789"), ("8", "Bo", None, None)]
    assert asked.terminal.holds == 4


@pytest_twisted.ensureDeferred
async def test_text_is_read_in_the_encoding_of_the_terminal() -> None:
    """Names are GB2312 on a terminal set to Chinese; identity cards are UTF-8 everywhere."""
    asked = Asked(PID)
    name = "王芳"
    user, card = (
        f"DATA UPDATE USERINFO PIN=7\tName={name}",
        f"DATA UPDATE IDCARD PIN=7\tName={name}",
    )
    assert await asked.codes(user.encode("gb18030"), card.encode()) == [0, 0]
    assert ("7", name) in asked.held(USER, "pin", "name")
    assert asked.held(IDCARD, "pin", "name") == [("7", name)]


@pytest_twisted.ensureDeferred
async def test_a_command_of_another_encoding_is_read_in_the_terminals_own() -> None:
    """Bytes that are no text there do not stop the command."""
    asked = Asked()
    assert await asked.codes("DATA UPDATE USERINFO PIN=7\tName=王".encode("gb18030")) == [0]
    assert ("7",) in asked.held(USER, "pin")


@pytest_twisted.ensureDeferred
async def test_a_deleted_user_takes_templates_and_photos_along() -> None:
    """Deleting a user deletes all that is of that user (12.1.2.1), and nothing of others."""
    asked = Asked()
    assert set(await asked.codes(*EVERYTHING_OF_ONE)) == {0}
    assert await asked.codes(FINGER.replace("PIN=1", "PIN=2")) == [0]
    assert asked.terminal.options()["MultiBioDataCount"] == "0:2:1:0:0:0:0:1:1:1"
    assert await asked.codes("DATA DELETE USERINFO PIN=1") == [0]
    assert asked.held(USER, "pin") == [("2",)]
    assert asked.held(FP, "pin") == [("2",)]
    for table in (FACE, FVEIN, BIODATA, USERPIC, BIOPHOTO):
        assert asked.terminal.outbox.held(table) == []
    assert asked.terminal.holds == 1


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("DATA DELETE FINGERTMP PIN=1", {FACE, FVEIN, BIODATA, USERPIC, BIOPHOTO}),
        ("DATA DELETE FINGERTMP PIN=1\tFID=4", {FP, FACE, FVEIN, BIODATA, USERPIC, BIOPHOTO}),
        ("DATA DELETE FACE PIN=1", {FP, FVEIN, BIODATA, USERPIC, BIOPHOTO}),
        ("DATA DELETE FVEIN Pin=1\tFID=7", {FP, FACE, BIODATA, USERPIC, BIOPHOTO}),
        ("DATA DELETE BIODATA Pin=1", {USERPIC, BIOPHOTO}),
        ("DATA DELETE BIODATA Pin=1\tType=1", {FACE, FVEIN, BIODATA, USERPIC, BIOPHOTO}),
        ("DATA DELETE BIODATA Pin=1\tType=1\tNo=4", {FP, FACE, FVEIN, BIODATA, USERPIC, BIOPHOTO}),
        ("DATA DELETE USERPIC PIN=1", {FP, FACE, FVEIN, BIODATA, BIOPHOTO}),
        ("DATA DELETE BIOPHOTO PIN=1", {FP, FACE, FVEIN, BIODATA, USERPIC}),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_part_of_a_user_is_deleted(text: str, left: set[object]) -> None:
    """One finger, one type, all templates, a photo: what is named goes, what is not stays."""
    asked = Asked()
    assert set(await asked.codes(*EVERYTHING_OF_ONE, text)) == {0}
    tables = (FP, FACE, FVEIN, BIODATA, USERPIC, BIOPHOTO)
    assert {table.name for table in tables if asked.terminal.outbox.held(table)} == {
        table.name for table in left
    }


@pytest_twisted.ensureDeferred
async def test_a_unified_fingerprint_is_the_same_fingerprint() -> None:
    """A template that comes as BIODATA replaces the one that came as FINGERTMP (3.1)."""
    asked = Asked()
    unified = "DATA UPDATE BIODATA Pin=1\tNo=3\tDuress=1\tType=1\tMajorVer=10\tTmp=b3RoZXI="
    assert await asked.codes(FINGER, unified) == [0, 0]
    assert asked.held(FP, "number", "valid", "template") == [(3, 3, b"b3RoZXI=")]
    assert asked.terminal.outbox.held(BIODATA) == []


@pytest_twisted.ensureDeferred
async def test_everything_else_is_held_by_its_number() -> None:
    """Messages, codes, keys, groups, lists and pictures: added, changed, deleted."""
    asked = Asked(attrs.evolve(ATT, identity_cards=True))
    lines = [
        MESSAGE.format("Hi"),
        MESSAGE.format("Ho"),
        "DATA UPDATE USER_SMS PIN=1\tUID=1",
        "DATA UPDATE WORKCODE PIN=1\tCODE=10\tNAME=A",
        "DATA UPDATE WORKCODE PIN=2\tCODE=20\tNAME=B",
        "DATA UPDATE ShortcutKey KeyID=1\tKeyFun=2",
        "DATA UPDATE ShortcutKey KeyID=1\tKeyFun=3",
        "DATA UPDATE ShortcutKey KeyID=2\tKeyFun=3",
        "DATA UPDATE AccGroup ID=1\tVerify=1",
        "DATA UPDATE AccTimeZone UID=1\tSunStart=0800",
        "DATA UPDATE AccHoliday UID=1\tHolidayName=Harvest",
        "DATA UPDATE AccUnLockComb UID=1\tGroup1=1",
        "DATA UPDATE Blacklist IDNum=77",
        "DATA UPDATE ADPIC Index=1\tSize=8\tExtension=jpg\tContent=/9j/CgDZ",
        "DATA UPDATE IDCARD PIN=0\tIDNum=5",
        "DATA UPDATE IDCARD PIN=0\tIDNum=6",
    ]
    assert set(await asked.codes(*lines)) == {0}
    assert asked.held(SMS, "number", "message") == [("1", "Ho")]
    assert asked.held(USER_SMS, "pin", "number") == [("1", "1")]
    assert asked.held(WORKCODE, "code", "name") == [("10", "A"), ("20", "B")]
    assert asked.held(SHORTCUT_KEY, "KeyID", "KeyFun") == [(1, 3), (2, 3)]
    assert asked.held(ACCESS_GROUP, "ID", "Verify") == [(1, 1)]
    assert asked.held(BLACKLIST, "id_number") == [("77",)]
    assert asked.held(IDCARD, "pin", "id_number") == [("0", "5"), ("0", "6")]
    gone = ["DATA DELETE SMS UID=1", "DATA DELETE WORKCODE CODE=10", "DATA DELETE ADPIC Index=1"]
    assert await asked.codes(*gone) == [0, 0, 0]
    assert (asked.held(SMS), asked.held(ADPIC)) == ([], [])
    assert asked.held(WORKCODE, "code") == [("20",)]


@pytest_twisted.ensureDeferred
async def test_what_the_server_gave_is_not_sent_back() -> None:
    """Nothing waits to be sent, until the server asks for everything again (5)."""
    asked = Asked()
    await asked.codes("DATA UPDATE USERINFO PIN=7\tName=Ann", *EVERYTHING_OF_ONE)
    assert (asked.terminal.waiting, asked.script.uploads) == (0, [])
    assert not asked.terminal.outbox.acknowledged
    asked.script.say("exchange", b"GET OPTION FROM: SIM1\nOPERLOGStamp=0\n")
    await asked.codes("CHECK")
    assert b"USER PIN=7\tName=Ann\n" in b"".join(asked.script.uploads)
    assert asked.terminal.outbox.acknowledged["USER"] == 3


@pytest_twisted.ensureDeferred
async def test_what_does_not_fit_is_refused() -> None:
    """A full terminal takes no new user, template or photo (-1001), and changes what it has."""
    finger, face = attrs.evolve(FINGERPRINT, capacity=1), attrs.evolve(VISIBLE_FACE, capacity=1)
    asked = Asked(attrs.evolve(ATT, users=3, algorithms=(finger, face)))
    assert await asked.codes(
        "DATA UPDATE USERINFO PIN=7",
        "DATA UPDATE USERINFO PIN=8",
        "DATA UPDATE USERINFO PIN=7\tName=Ann",
        FINGER,
        FINGER.replace("FID=3", "FID=4"),
        FINGER,
        COMPARISON,
        COMPARISON.replace("PIN=1", "PIN=2"),
        COMPARISON,
    ) == [0, -1001, 0, 0, -1001, 0, 0, -1001, 0]


@pytest_twisted.ensureDeferred
async def test_a_comparison_photo_becomes_a_template() -> None:
    """The terminal makes a template of it, and sends that if it is told to (12.1.1.8)."""
    asked = Asked()
    assert await asked.codes(COMPARISON) == [0]
    assert (asked.held(BIODATA, "pin", "type"), asked.script.uploads) == ([("1", 9)], [])
    assert await asked.codes(f"{COMPARISON}\tPostBackTmpFlag=1") == [0]
    (upload,) = asked.script.uploads
    assert upload.startswith(b"BIODATA Pin=1\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\t")


@pytest_twisted.ensureDeferred
async def test_a_photo_may_be_somewhere_else() -> None:
    """With Format=1 the terminal fetches it; what it cannot fetch it says so of (-1008)."""
    asked = Asked(files={"file/1/a.jpg": b"\xff\xd8\xff\n\0\xd9"})
    url = "DATA UPDATE USERPIC PIN=1\tFormat=1\tUrl=file/1/{}.jpg"
    assert await asked.codes(url.format("a"), url.format("b")) == [0, -1008]
    assert asked.held(USERPIC, "size", "content") == [(8, b"/9j/CgDZ")]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CLEAR LOG", {"ATTPHOTO", "USER", "FP", "USERPIC"}),
        ("CLEAR PHOTO", {"ATTLOG", "USER", "FP", "USERPIC"}),
        ("CLEAR BIODATA", {"ATTLOG", "ATTPHOTO", "USER", "USERPIC"}),
        ("CLEAR ALL USERINFO", {"ATTLOG", "ATTPHOTO"}),
        ("CLEAR DATA", set()),
    ],
)
@pytest_twisted.ensureDeferred
async def test_all_of_a_kind_is_cleared(text: str, left: set[str]) -> None:
    """What is cleared is gone, and is not sent, though it was not sent before."""
    asked = Asked(attrs.evolve(ATT, version=Version(2, 4, 2)))
    for _ in range(2):
        asked.terminal.punch()
    asked.terminal.keep(PUNCH.photo(b"\xff\xd8\xff"))
    assert await asked.codes(FINGER, PHOTO, text) == [0, 0, 0]
    outbox = asked.terminal.outbox
    tables = (ATTLOG, ATTPHOTO, USER, FP, USERPIC)
    assert {table.name for table in tables if outbox.count(table) or outbox.count(table, 1)} == left
    assert asked.terminal.holds == (2 if "USER" in left else 0)
    assert asked.terminal.waiting == 2 * ("ATTLOG" in left) + ("ATTPHOTO" in left)


@pytest_twisted.ensureDeferred
async def test_what_was_sent_before_it_was_cleared_counts() -> None:
    """Clearing the log does not undo what the server has; new records go on from there."""
    asked = Asked()
    terminal = asked.terminal
    await terminal.exchange()
    terminal.punch()
    await terminal.upload()
    terminal.punch()
    assert await asked.codes("CLEAR LOG") == [0]
    assert (terminal.sent, terminal.outbox.made(ATTLOG), terminal.outbox.count(ATTLOG)) == (1, 1, 0)
    terminal.punch()
    await terminal.upload()
    assert (terminal.sent, terminal.outbox.made(ATTLOG)) == (2, 2)
    assert asked.script.uris[-1].endswith(b"Stamp=3")

"""Every kind of upload, byte for byte as its section of the specification has it."""

from __future__ import annotations

import datetime

import attrs
import pytest
import pytest_twisted
from twisted.internet.task import Clock

from zkpush.handlers.entries.tables import SMS, WORKCODE
from zkpush.handlers.logs.tables import ERRORLOG, OPLOG
from zkpush.handlers.people.tables import BIODATA
from zkpush.protocol.codes import Gender, RecordType
from zkpush.protocol.exchange import STAMPS
from zkpush.protocol.packets import expand
from zkpush.simulator.attendance import SimulatedPunch
from zkpush.simulator.biometrics import (
    FINGER_VEIN,
    FINGERPRINT,
    INFRARED_FACE,
    PALM,
    VISIBLE_FACE,
    Algorithm,
    SimulatedTemplate,
)
from zkpush.simulator.model import ATT, CLASSIC, OLD, PID, Model
from zkpush.simulator.people import SimulatedPerson
from zkpush.simulator.record import Record, RecordForm
from zkpush.simulator.upload import PACK_FROM

from .network import Network
from .script import OPTIONS, Script

NOON = datetime.datetime(2026, 3, 1, 12)
NEWEST = OPTIONS + b"PushProtVer=2.4.1\n"
ADA = SimulatedPerson(
    pin="14",
    name="Zoë Dvořák",
    chinese_name="王芳",
    gender=Gender.FEMALE,
    birthday="19900305",
    id_number="999999199003050021",
    password="0815",
    card=123456789,
    vice_card=0,
    privilege=14,
    timezones="0001000100000000",
    picture=b"\xff\xd8\xff\n\0\xd9",
    seed=1,
)
PUNCH = SimulatedPunch("14", NOON, 0, 15)
IDENTIFIED = attrs.evolve(PUNCH, status=2, verify=3, id_number=ADA.id_number)
BLACKLISTED = attrs.evolve(IDENTIFIED, type=RecordType.VERIFICATION)
SALT = bytes(16)
OPERATION = {
    "code": 6,
    "operator": "1",
    "time": "2026-03-01 12:00:00",
    "value_1": "14",
    "value_2": 6,
    "value_3": 664,
    "value_4": 0,
}
OPERLOG = "cdata?SN=SIM1&table=OPERLOG&Stamp=1"


def template(algorithm: Algorithm, *, duress: bool = False) -> Record:
    """The template of a person."""
    made = SimulatedTemplate(algorithm, "14", algorithm.number, b"invented", SALT, duress)
    return Record(made.own, type=algorithm.type, unified=made.unified)


CASES = {
    "11.2 attendance": (
        ATT,
        PUNCH.record(),
        "cdata?SN=SIM1&table=ATTLOG&Stamp=1",
        b"14\t2026-03-01 12:00:00\t0\t15\t0\t0\t0\n",
    ),
    "11.3 photo, cdata": (
        ATT,
        PUNCH.photo(ADA.picture),
        "cdata?SN=SIM1&table=ATTPHOTO&Stamp=1",
        b"PIN=20260301120000-14.jpg\nSN=SIM1\nsize=6\nCMD=uploadphoto\0\xff\xd8\xff\n\0\xd9",
    ),
    "11.3 photo, fdata": (
        CLASSIC,
        PUNCH.photo(ADA.picture),
        "fdata?SN=SIM1&table=ATTPHOTO&Stamp=1",
        b"PIN=20260301120000-14.jpg\nSN=SIM1\nsize=6\nCMD=uploadphoto\0\xff\xd8\xff\n\0\xd9",
    ),
    "11.3 photo, old": (
        OLD,
        PUNCH.photo(ADA.picture),
        "fdata?SN=SIM1&PIN=20260301120000-14.jpg&PhotoStamp=1",
        ADA.picture,
    ),
    "11.4 operation": (
        ATT,
        Record(RecordForm(OPLOG, OPERATION)),
        OPERLOG,
        b"OPLOG 6\t1\t2026-03-01 12:00:00\t14\t6\t664\t0\n",
    ),
    "11.4 operation, old": (
        OLD,
        Record(RecordForm(OPLOG, {**OPERATION, "time": 289515406})),
        "cdata?SN=SIM1&table=OPERLOG&OpStamp=1",
        b"OPLOG 6\t1\t289515406\t14\t6\t664\t0\n",
    ),
    "11.5 user": (
        ATT,
        Record(ADA.user(card_bytes=False)),
        OPERLOG,
        "USER PIN=14\tName=Zoë Dvořák\tPri=14\tPasswd=0815\tCard=123456789\tGrp=1\t"
        "TZ=0001000100000000\tVerify=-1\tViceCard=\n".encode(),
    ),
    "11.5 user, Chinese": (
        PID,
        Record(attrs.evolve(ADA, name=ADA.chinese_name).user(card_bytes=True)),
        OPERLOG,
        b"USER PIN=14\tName=\xcd\xf5\xb7\xbc\tPri=14\tPasswd=0815\tCard=[15CD5B07]\tGrp=1\t"
        b"TZ=0001000100000000\tVerify=-1\tViceCard=\n",
    ),
    "11.7 identity card attendance": (
        PID,
        IDENTIFIED.record(),
        "cdata?SN=SIM1&table=ATTLOG&Stamp=1",
        b"14\t2026-03-01 12:00:00\t2\t3\t0\t0\t0\t999999199003050021\t0\n",
    ),
    "11.7 identity card verification": (
        PID,
        BLACKLISTED.record(),
        "cdata?SN=SIM1&table=ATTLOG&Stamp=1",
        b"14\t2026-03-01 12:00:00\t2\t3\t0\t0\t0\t999999199003050021\t1\n",
    ),
    "11.8 identity card photo": (
        PID,
        BLACKLISTED.photo(ADA.picture),
        "fdata?SN=SIM1&table=ATTPHOTO&Stamp=1",
        b"PIN=20260301120000-2-14-999999199003050021.jpg\nSN=SIM1\nsize=6\nCMD=uploadphoto\0"
        b"\xff\xd8\xff\n\0\xd9",
    ),
    "11.9 fingerprint": (
        ATT,
        template(FINGERPRINT),
        OPERLOG,
        b"FP PIN=14\tFID=6\tSize=12\tValid=1\tTMP=aW52ZW50ZWQ=\n",
    ),
    "11.9 fingerprint under duress": (
        ATT,
        template(FINGERPRINT, duress=True),
        OPERLOG,
        b"FP PIN=14\tFID=6\tSize=12\tValid=3\tTMP=aW52ZW50ZWQ=\n",
    ),
    "11.10 face": (
        ATT,
        template(INFRARED_FACE),
        OPERLOG,
        b"FACE PIN=14\tFID=0\tSIZE=32\tVALID=1\tTMP=AAAAAAAAAAAAAAAAAAAAAGludmVudGVk\n",
    ),
    "11.11 finger vein": (
        ATT,
        template(FINGER_VEIN),
        OPERLOG,
        b"FVEIN Pin=14\tFID=7\tIndex=0\tSize=12\tValid=1\tTmp=aW52ZW50ZWQ=\n",
    ),
    "11.12 visible light face": (
        ATT,
        template(VISIBLE_FACE),
        "cdata?SN=SIM1&table=BIODATA&Stamp=1",
        b"BIODATA Pin=14\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\tMajorVer=58\tMinorVer=12\t"
        b"Format=0\tTmp=aW52ZW50ZWQ=\n",
    ),
    "11.12 palm": (
        ATT,
        template(PALM),
        "cdata?SN=SIM1&table=BIODATA&Stamp=1",
        b"BIODATA Pin=14\tNo=1\tIndex=0\tValid=1\tDuress=0\tType=8\tMajorVer=1\tMinorVer=0\t"
        b"Format=0\tTmp=aW52ZW50ZWQ=\n",
    ),
    "11.13 user photo": (
        ATT,
        Record(ADA.user_photo()),
        OPERLOG,
        b"USERPIC PIN=14\tFileName=14.jpg\tSize=8\tContent=/9j/CgDZ\n",
    ),
    "11.15 comparison photo": (
        ATT,
        Record(ADA.comparison_photo(VISIBLE_FACE), type=VISIBLE_FACE.type),
        OPERLOG,
        b"BIOPHOTO PIN=14\tFileName=14.jpg\tType=9\tSize=8\tContent=/9j/CgDZ\n",
    ),
    "11.16 error": (
        ATT,
        Record(
            RecordForm(
                ERRORLOG,
                {
                    "code": "D01E0001",
                    "message": "",
                    "origin": "cmd",
                    "command_id": "123",
                    "additional": "",
                },
            )
        ),
        "cdata?SN=SIM1&table=ERRORLOG&Stamp=1",
        b"ERRORLOG ErrCode=D01E0001\tErrMsg=\tDataOrigin=cmd\tCmdId=123\tAdditional=\n",
    ),
    "12.1.1.9 message": (
        ATT,
        Record(
            RecordForm(
                SMS,
                {
                    "message": "Fire drill",
                    "tag": 253,
                    "number": 1,
                    "minutes": 60,
                    "start_time": "2026-03-01 12:00:00",
                },
            )
        ),
        OPERLOG,
        b"SMS MSG=Fire drill\tTAG=253\tUID=1\tMIN=60\tStartTime=2026-03-01 12:00:00\n",
    ),
    "12.1.1.12 work code": (
        ATT,
        Record(RecordForm(WORKCODE, {"index": 1, "code": "10", "name": "Assembly"})),
        OPERLOG,
        b"WORKCODE PIN=1\tCODE=10\tNAME=Assembly\n",
    ),
}


async def sent(model: Model, told: bytes, *records: Record) -> list[tuple[bytes, bytes]]:
    """What a terminal sends of these records: paths with arguments, and bodies."""
    script = Script(exchange=told)
    terminal = Network(script.site).terminal(Clock(), model=model)
    await terminal.exchange()
    for record in records:
        # Cases are used again: each time as records that nobody has.
        terminal.keep(attrs.evolve(record, sent=False, stamp=0, gone=False))
    await terminal.upload()
    assert terminal.waiting == 0
    uploads = zip(script.uris[1:], script.asked[1:], strict=True)
    return [(uri.removeprefix(b"/iclock/"), body) for uri, (_, body) in uploads]


@pytest.mark.parametrize(("model", "record", "uri", "body"), CASES.values(), ids=list(CASES))
@pytest_twisted.ensureDeferred
async def test_a_record_is_sent_as_its_section_says(
    model: Model, record: Record, uri: str, body: bytes
) -> None:
    """Path, arguments, separators and the spelling of each field are those of the section."""
    assert await sent(model, NEWEST, record) == [(uri.encode(), body)]


@pytest_twisted.ensureDeferred
async def test_an_identity_card_has_all_fields_in_utf_8() -> None:
    """An identity card (11.6) is UTF-8 on a terminal set to Chinese, too; no field is left out."""
    ((uri, body),) = await sent(PID, NEWEST, Record(ADA.identity_card()))
    assert uri == b"cdata?SN=SIM1&table=IDCARD&Stamp=1"
    keyword, _, fields = body.decode("utf-8").rstrip("\n").partition(" ")
    values = dict(field.split("=", 1) for field in fields.split("\t"))
    assert keyword == "IDCARD"
    assert " ".join(values) == (
        "PIN SNNum IDNum DNNum Name Gender Nation Birthday ValidInfo Address AdditionalInfo Issuer "
        "Photo FPTemplate1 FPTemplate2 Reserve Notice"
    )
    assert values["PIN"] == "14"
    assert values["IDNum"] == "999999199003050021"
    assert (values["Name"], values["Gender"], values["Nation"]) == ("王芳", "2", "1")
    assert (values["Birthday"], values["ValidInfo"]) == ("19900305", "2020030520400305")


@pytest_twisted.ensureDeferred
async def test_a_photo_is_in_base64_if_the_server_says_so() -> None:
    """With ATTPHOTOBase64=1 the content is base64; the size stays that of the original."""
    told = NEWEST + b"ATTPHOTOBase64=1\n"
    ((_, body),) = await sent(ATT, told, PUNCH.photo(ADA.picture))
    assert body == (b"PIN=20260301120000-14.jpg\nSN=SIM1\nsize=6\nCMD=uploadphoto\0" + b"/9j/CgDZ")


@pytest_twisted.ensureDeferred
async def test_each_photo_goes_alone() -> None:
    """Several photos are several uploads (11.3)."""
    photos = [attrs.evolve(PUNCH, pin=pin).photo(ADA.picture) for pin in ("1", "2")]
    assert [uri for uri, _ in await sent(ATT, NEWEST, *photos)] == [
        b"cdata?SN=SIM1&table=ATTPHOTO&Stamp=1",
        b"cdata?SN=SIM1&table=ATTPHOTO&Stamp=2",
    ]


@pytest_twisted.ensureDeferred
async def test_one_body_mixes_record_types_as_they_happened() -> None:
    """Operations, users, templates and photos are in one body, in the order of the events."""
    operation = Record(RecordForm(OPLOG, OPERATION))
    user = Record(ADA.user(card_bytes=False))
    records = (operation, user, template(FINGERPRINT), Record(ADA.user_photo()), operation)
    ((uri, body),) = await sent(ATT, NEWEST, *records)
    assert uri == b"cdata?SN=SIM1&table=OPERLOG&Stamp=5"
    words = [line.partition(b" ")[0] for line in body.splitlines()]
    assert words == [b"OPLOG", b"USER", b"FP", b"USERPIC", b"OPLOG"]


@pytest_twisted.ensureDeferred
async def test_much_is_packed() -> None:
    """A packet (11.14) is a tgz of the lines that would have been the body, without a stamp."""
    operation = Record(RecordForm(OPLOG, OPERATION))
    ((uri, body),) = await sent(ATT, NEWEST, *[operation] * PACK_FROM)
    assert uri == b"cdata?SN=SIM1&table=OPERLOG&ContentType=tgz"
    (member,) = expand(body)
    assert member.data == b"OPLOG 6\t1\t2026-03-01 12:00:00\t14\t6\t664\t0\n" * PACK_FROM
    ((uri, body),) = await sent(PID, NEWEST, *[operation] * PACK_FROM)
    assert uri == b"cdata?SN=SIM1&table=OPERLOG&Stamp=20"
    assert body == member.data


@pytest_twisted.ensureDeferred
async def test_both_sides_support_a_type_so_it_is_sent_unified() -> None:
    """After the hybrid negotiation (3.1) a fingerprint is BIODATA; what is not shared stays."""
    told = NEWEST + b"MultiBioDataSupport=0:1:0:0:0:0:0:0:0:0\nMultiBioPhotoSupport=0:1\n"
    uploads = await sent(
        ATT,
        told,
        template(FINGERPRINT, duress=True),
        template(INFRARED_FACE),
        template(FINGER_VEIN),
    )
    (_, lines), (uri, unified) = uploads
    assert [line.partition(b" ")[0] for line in lines.splitlines()] == [b"FACE", b"FVEIN"]
    assert uri == b"cdata?SN=SIM1&table=BIODATA&Stamp=1"
    assert unified == (
        b"BIODATA Pin=14\tNo=6\tIndex=0\tValid=1\tDuress=1\tType=1\tMajorVer=10\tMinorVer=0\t"
        b"Format=0\tTmp=aW52ZW50ZWQ=\n"
    )


def test_records_name_a_data_type_that_has_a_stamp() -> None:
    """Every kind of upload belongs to one of the stamps of the exchange (5)."""
    names = {name for name, _, _ in STAMPS}
    assert {record.own.data_type for _, record, _, _ in CASES.values()} | {"IDCARD"} == names
    assert RecordForm(BIODATA, {}).data_type == "BIODATA"

"""What a terminal makes of what it is told."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from zkpush.handlers.attendance.tables import ATTLOG, ATTPHOTO
from zkpush.handlers.logs.tables import ERRORLOG, OPLOG
from zkpush.handlers.people.tables import BIODATA, BIOPHOTO, FACE, FP, FVEIN, USER
from zkpush.protocol.exchange import TRANSFER_DIGITS, TRANSFER_NAMES
from zkpush.protocol.handshake import decode_transfer_flag, transfer_flag
from zkpush.simulator.biometrics import (
    FINGER_VEIN,
    FINGERPRINT,
    INFRARED_FACE,
    VISIBLE_FACE,
    Algorithm,
)
from zkpush.simulator.link import LinkError
from zkpush.simulator.model import ATT, OLD, Model
from zkpush.simulator.orders import Orders
from zkpush.simulator.record import Record, RecordForm

from ..declared import RECORD_TABLES
from .network import Network
from .script import OPTIONS, Script

OPTIONS_OF_ATT = {
    "MultiBioDataSupport": "0:1:1:0:0:0:0:1:1:1",
    "MultiBioPhotoSupport": "0:0:0:0:0:0:0:0:0:1",
}
NEWEST = {"PushProtVer": "2.4.1"}
ALL = transfer_flag(TRANSFER_NAMES, RECORD_TABLES)


def enrolled(algorithm: Algorithm) -> Record:
    """A template without anything in it."""
    own, unified = RecordForm(algorithm.table, {}), RecordForm(BIODATA, {})
    return Record(own, algorithm.transfer[:1], type=algorithm.type, unified=unified)


RECORDS = {
    "punch": Record(RecordForm(ATTLOG, {}), ATTLOG.transfer),
    "photo": Record(RecordForm(ATTPHOTO, {}), ATTPHOTO.transfer),
    "operation": Record(RecordForm(OPLOG, {}), OPLOG.transfer),
    "new user": Record(RecordForm(USER, {}), USER.transfer[:1]),
    "changed user": Record(RecordForm(USER, {}), USER.transfer[-1:]),
    "fingerprint": enrolled(FINGERPRINT),
    "face": enrolled(INFRARED_FACE),
    "vein": enrolled(FINGER_VEIN),
    "visible face": enrolled(VISIBLE_FACE),
    "comparison photo": Record(RecordForm(BIOPHOTO, {}), BIOPHOTO.transfer, type=VISIBLE_FACE.type),
    "error": Record(RecordForm(ERRORLOG, {})),
}


def chosen(told: dict[str, str], model: Model = ATT) -> dict[str, str]:
    """The tables of what is sent, by what it is."""
    orders = Orders(told, model, OPTIONS_OF_ATT if model is ATT else {})
    forms = {name: orders.choose(record) for name, record in RECORDS.items()}
    return {name: form.table.name for name, form in forms.items() if form is not None}


@pytest.mark.parametrize("setting", [TRANSFER_NAMES, TRANSFER_DIGITS])
def test_the_flag_is_read_as_it_is_written(setting: str) -> None:
    """Both formats of TransFlag ask for the words of the tables that they were written for."""
    for tables in (RECORD_TABLES, (ATTLOG, USER, FP), (ATTPHOTO,)):
        words = {word for table in tables for word in table.transfer}
        assert decode_transfer_flag(transfer_flag(setting, tables)) == words


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("0000000000", {"AttPhoto"}),
        ("1111000000", {"AttLog", "OpLog", "AttPhoto", "EnrollFP"}),
        ("TransData AttLog OpLog", {"AttLog", "OpLog"}),
        ("TransData ", set()),
        ("", {"AttPhoto"}),
    ],
)
def test_every_value_of_the_flag_means_something(flag: str, words: set[str]) -> None:
    """Zeros ask for attendance photos only (5); blanks may stand for TABs."""
    assert decode_transfer_flag(flag) == words


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        (ALL, set(RECORDS)),
        ("111111111111", set(RECORDS)),
        ("TransData AttLog", {"punch", "vein", "error"}),
        ("TransData ChgUser\tFACE", {"changed user", "face", "visible face", "vein", "error"}),
        ("1000100000", {"punch", "new user", "vein", "error"}),
        ("000000000000", {"photo"}),
        ("TransData AttPhoto", {"photo"}),
    ],
)
def test_only_what_the_flag_asks_for_is_sent(flag: str, expected: set[str]) -> None:
    """What has a word is sent if it is asked for; what has none, if anything but photos is."""
    assert set(chosen({**NEWEST, "TransFlag": flag})) == expected


def test_errors_are_sent_to_servers_that_know_them() -> None:
    """The error log (11.16) is sent if the server speaks 2.4.1, and the terminal, too."""
    assert "error" in chosen(NEWEST)
    assert "error" not in chosen({"PushProtVer": "2.3.0"})
    assert "error" not in chosen({})
    assert "error" not in chosen(NEWEST, OLD)


def test_without_the_hybrid_protocol_templates_have_their_own_tables() -> None:
    """A server that names no types gets FP, FACE and FVEIN, and BIODATA for new types (11.12)."""
    sent = chosen(NEWEST)
    assert (sent["fingerprint"], sent["face"], sent["vein"]) == (FP.name, FACE.name, FVEIN.name)
    assert (sent["visible face"], sent["comparison photo"]) == (BIODATA.name, BIOPHOTO.name)


def test_the_types_of_both_sides_are_unified() -> None:
    """What both sides support is BIODATA; what only the terminal does is not, or not sent (3.1)."""
    sent = chosen({**NEWEST, "MultiBioDataSupport": "0:1:0:0:0:0:0:0:0:0"})
    assert (sent["fingerprint"], sent["face"], sent["vein"]) == ("BIODATA", "FACE", "FVEIN")
    assert "visible face" not in sent
    assert "comparison photo" not in sent
    told = {"MultiBioDataSupport": "0:1:1:1:1:1:1:1:1:1", "MultiBioPhotoSupport": "0:" * 9 + "1"}
    sent = chosen({**NEWEST, **told})
    unified = [sent[name] for name in ("fingerprint", "face", "vein", "visible face")]
    assert unified == ["BIODATA"] * 4
    assert sent["comparison photo"] == "BIOPHOTO"
    assert chosen({**NEWEST, **told}, OLD)["fingerprint"] == "FP"


@pytest_twisted.ensureDeferred
async def test_what_is_not_asked_for_is_kept_until_it_is() -> None:
    """A terminal that is told to send operations later sends those that it made before."""
    told = [OPTIONS + b"TransFlag=TransData AttLog\n", OPTIONS + b"TransFlag=1100000000\n"]
    script = Script(exchange=told)
    terminal = Network(script.site).terminal(Clock())
    await terminal.exchange()
    terminal.keep(
        Record(RecordForm(OPLOG, {"code": 4, "time": "2026-03-01 12:00:00"}), OPLOG.transfer)
    )
    await terminal.upload()
    assert (terminal.waiting, script.uris[1:]) == (0, [])
    await terminal.exchange()
    assert terminal.waiting == 1
    await terminal.upload()
    assert script.asked[-1] == ("upload", b"OPLOG 4\t\t2026-03-01 12:00:00\t\t\t\t\n")


@pytest.mark.parametrize("line", [b"Delay=x\n", b"ErrorDelay=\n", b"TimeZone=CET\n"])
@pytest_twisted.ensureDeferred
async def test_numbers_that_are_none_make_no_exchange(line: bytes) -> None:
    """An option reply that cannot be understood is an error, and the exchange is not made."""
    terminal = Network(Script(exchange=OPTIONS + line).site).terminal(Clock())
    with pytest.raises(LinkError):
        await terminal.exchange()
    assert terminal.told == {}

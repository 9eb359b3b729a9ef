"""Records that are kept: until they are acknowledged, and to be sent again."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from zkpush.handlers.attendance.tables import ATTLOG
from zkpush.handlers.logs.tables import OPLOG
from zkpush.handlers.people.tables import BIODATA, FP, USER
from zkpush.protocol.exchange import STAMPS
from zkpush.simulator.biometrics import FINGERPRINT, VISIBLE_FACE
from zkpush.simulator.link import LinkError
from zkpush.simulator.model import OLD
from zkpush.simulator.outbox import Outbox
from zkpush.simulator.record import Record, RecordForm
from zkpush.simulator.terminal import SimulatedTerminal

from .network import Network
from .script import LOST, Script
from .test_sections import ADA, CASES

GREETING = b"GET OPTION FROM: SIM1\nPushProtVer=2.4.1\n"
STAMPED = GREETING + b"".join(b"%s=7\n" % name.encode() for _, name, _ in STAMPS)
ONE_EACH = [
    CASES[name][1].own
    for name in (
        "11.2 attendance",
        "11.4 operation",
        "11.3 photo, cdata",
        "11.12 palm",
        "11.16 error",
    )
] + [ADA.identity_card()]
"""A record of each data type."""


def user(pin: str, name: str = "") -> Record:
    """A user."""
    return Record(RecordForm(USER, {"pin": pin, "name": name}))


def fingerprint(pin: str) -> Record:
    """A fingerprint of a user."""
    return Record(RecordForm(FP, {"pin": pin, "number": 6}), type=FINGERPRINT.type)


def fill(terminal: SimulatedTerminal) -> None:
    """Let a terminal have a record of each data type."""
    for form in ONE_EACH:
        terminal.keep(Record(form, picture=b"\xff\xd8\xff"))


def tables(script: Script) -> list[bytes]:
    """What was uploaded, by the arguments."""
    uploads = [
        uri for uri, (name, _) in zip(script.uris, script.asked, strict=True) if name == "upload"
    ]
    return [uri.partition(b"table=")[2].partition(b"&")[0] for uri in uploads]


@pytest_twisted.ensureDeferred
async def test_what_is_acknowledged_is_not_sent_again() -> None:
    """Each record is sent once, though the exchange is made again."""
    script = Script(exchange=STAMPED)
    terminal = Network(script.site).terminal(Clock())
    await terminal.exchange()
    fill(terminal)
    assert terminal.waiting == len(STAMPS)
    await terminal.upload()
    assert sorted(tables(script)) == sorted(name.encode() for name, _, _ in STAMPS)
    await terminal.upload()
    await terminal.exchange()
    await terminal.upload()
    assert len(tables(script)) == len(STAMPS)


@pytest.mark.parametrize("name", [name for name, _, _ in STAMPS])
@pytest_twisted.ensureDeferred
async def test_a_stamp_of_0_is_for_its_own_data_type(name: str) -> None:
    """A stamp of 0 makes a terminal send all it has of one data type, and nothing else."""
    again = STAMPED.replace(b"%sStamp=7" % name.encode(), b"%sStamp=0" % name.encode())
    script = Script(exchange=[STAMPED, again])
    terminal = Network(script.site).terminal(Clock())
    await terminal.exchange()
    fill(terminal)
    await terminal.upload()
    await terminal.exchange()
    await terminal.upload()
    assert tables(script)[len(STAMPS) :] == [name.encode()]


@pytest_twisted.ensureDeferred
async def test_old_firmware_reads_the_old_names() -> None:
    """Firmware from before 2.2.14 reads Stamp and OpStamp, and sends under these names."""
    told = b"GET OPTION FROM: SIM1\nStamp=7\nOpStamp=0\nPhotoStamp=7\n"
    script = Script(exchange=[told])
    terminal = Network(script.site).terminal(Clock(), model=OLD)
    for _ in range(2):
        await terminal.exchange()
        if not terminal.outbox.count(OPLOG):
            terminal.punch()
            terminal.keep(Record(CASES["11.4 operation, old"][1].own))
        await terminal.upload()
    assert script.uris == [
        b"/iclock/cdata?SN=SIM1&options=all",
        b"/iclock/cdata?SN=SIM1&table=ATTLOG&Stamp=1",
        b"/iclock/cdata?SN=SIM1&table=OPERLOG&OpStamp=1",
        b"/iclock/cdata?SN=SIM1&options=all",
        b"/iclock/cdata?SN=SIM1&table=OPERLOG&OpStamp=1",
    ]


@pytest.mark.parametrize("answer", [LOST, 503, b"busy"])
@pytest_twisted.ensureDeferred
async def test_nothing_is_lost_when_a_reply_is_lost(answer: int | bytes) -> None:
    """A body whose reply is lost, or is none, is sent again as it was; the others wait."""
    script = Script(exchange=STAMPED, upload=[answer, b"OK"])
    terminal = Network(script.site).terminal(Clock())
    await terminal.exchange()
    fill(terminal)
    with pytest.raises(LinkError):
        await terminal.upload()
    assert terminal.waiting == len(STAMPS)
    await terminal.upload()
    assert terminal.waiting == 0
    first, *others = [body for name, body in script.asked if name == "upload"]
    assert first == others[0]
    assert len(others) == len(STAMPS)


@pytest_twisted.ensureDeferred
async def test_what_is_made_meanwhile_is_not_taken_for_acknowledged() -> None:
    """A reply acknowledges what was in the body, and nothing that was made since."""
    outbox = Outbox()
    for pin in ("1", "2"):
        outbox.add(user(pin))
    part = outbox.part("OPERLOG", 100)
    outbox.add(user("3"))
    outbox.acknowledge(part)
    (waiting,) = outbox.part("OPERLOG", 100)
    assert (waiting.own.values["pin"], waiting.stamp, outbox.waiting) == ("3", 3, 1)
    assert outbox.acknowledged == {"USER": 2}


def test_everything_is_what_the_terminal_has() -> None:
    """What was replaced, and what is of a deleted user, is not sent again."""
    outbox = Outbox()
    operation = Record(RecordForm(OPLOG, {"code": 9, "value_1": "2"}))
    for record in (user("1", "Ada"), user("2"), fingerprint("2"), user("1", "Zoë"), operation):
        outbox.add(record)
    assert (outbox.count(USER), outbox.count(FP, FINGERPRINT.type)) == (2, 1)
    outbox.forget("2")
    assert (outbox.count(USER), outbox.count(FP, FINGERPRINT.type)) == (1, 0)
    assert outbox.waiting == 5  # all that happened is told once, in its order
    outbox.acknowledge(outbox.part("OPERLOG", 100))
    outbox.again("OPERLOG")
    again = outbox.part("OPERLOG", 100)
    assert [record.own.table for record in again] == [USER, OPLOG]
    assert again[0].own.values["name"] == "Zoë"


@pytest_twisted.ensureDeferred
async def test_counts_are_pushed_when_they_change() -> None:
    """How many users and templates there are is pushed after they were sent (3.1), and no more."""
    script = Script(exchange=STAMPED + b"PushOptionsFlag=1\n")
    terminal = Network(script.site).terminal(Clock(), users=5)
    await terminal.exchange()
    terminal.keep(user("1"))
    terminal.keep(Record(RecordForm(BIODATA, {"template": b""}), type=VISIBLE_FACE.type))
    terminal.punch()
    await terminal.upload()
    asked = zip(script.uris, script.asked, strict=True)
    pushed = [body for uri, (_, body) in asked if uri.endswith(b"table=options")]
    assert len(pushed) == 2
    assert pushed[-1] == b"UserCount=1,MultiBioDataCount=0:0:0:0:0:0:0:0:0:1"
    requests = len(script.asked)
    await terminal.upload()
    assert len(script.asked) == requests
    assert terminal.outbox.count(ATTLOG) == 1

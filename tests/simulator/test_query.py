"""The server asks a terminal for what it has, or how much (12.1.3, 12.3.3)."""

from __future__ import annotations

import datetime

import attrs
import pytest
import pytest_twisted

from zkpush.simulator.attendance import SimulatedPunch
from zkpush.simulator.model import CLASSIC, OLD, PID

from ..rig import Rig
from .asked import Asked
from .network import Network
from .test_data import FACE_LINE, FINGER, PALM

PERIOD = "StartTime=2026-03-01 08:00:00\tEndTime=2026-03-01 09:00:00"
FIRST, LAST = datetime.datetime(2026, 3, 1, 8), datetime.datetime(2026, 3, 1, 9)
SECOND = datetime.timedelta(seconds=1)
TIMES = (FIRST - SECOND, FIRST, LAST, LAST + SECOND)
BIODATA_PALM = (
    b"BIODATA Pin=1\tNo=1\tIndex=0\tValid=1\tDuress=0\tType=8\tMajorVer=1\tMinorVer=0\t"
    b"Format=0\tTmp=aW52ZW50ZWQ=\n"
)
FP_LINE = b"FP PIN=1\tFID=3\tSize=12\tValid=1\tTMP=aW52ZW50ZWQ=\n"


async def punched(asked: Asked) -> None:
    """Let somebody punch, and be photographed, around the period; the server has it all."""
    await asked.terminal.exchange()
    for time in TIMES:
        punch = SimulatedPunch("1", time, 0, 1)
        asked.terminal.keep(punch.record())
        asked.terminal.keep(punch.photo(b"\xff\xd8\xff"))
    await asked.terminal.upload()


@pytest_twisted.ensureDeferred
async def test_the_records_of_a_time_are_sent_again_before_the_answer() -> None:
    """Both ends of the period belong to it; the stamp is that of all that was sent."""
    asked = Asked()
    await punched(asked)
    sent = asked.terminal.sent
    uploads = len(asked.script.uploads)
    assert await asked.codes(f"DATA QUERY ATTLOG {PERIOD}") == [0]
    assert asked.script.uploads[uploads:] == [
        b"1\t2026-03-01 08:00:00\t0\t1\t0\t0\t0\n1\t2026-03-01 09:00:00\t0\t1\t0\t0\t0\n"
    ]
    assert [name for name, _ in asked.script.asked[-2:]] == ["upload", "devicecmd"]
    assert asked.script.uris[-2].endswith(b"table=ATTLOG&Stamp=4")
    assert (asked.terminal.sent, asked.terminal.waiting) == (sent, 0)


@pytest_twisted.ensureDeferred
async def test_the_photos_of_a_time_are_sent_one_by_one() -> None:
    """The time of a photo is in its name."""
    asked = Asked()
    await punched(asked)
    uploads = len(asked.script.uploads)
    assert await asked.codes(f"DATA QUERY ATTPHOTO {PERIOD}") == [0]
    names = [body.partition(b"\n")[0] for body in asked.script.uploads[uploads:]]
    assert names == [b"PIN=20260301080000-1.jpg", b"PIN=20260301090000-1.jpg"]


@pytest_twisted.ensureDeferred
async def test_a_stamp_is_not_ahead_of_what_waits() -> None:
    """What is sent because it was asked for does not make the server miss what waits."""
    asked = Asked()
    await punched(asked)
    asked.terminal.punch()
    await asked.codes(f"DATA QUERY ATTLOG {PERIOD}")
    assert asked.script.uris[-2].endswith(b"Stamp=4")
    await asked.terminal.upload()
    assert asked.script.uris[-1].endswith(b"Stamp=5")


@pytest.mark.parametrize(
    ("text", "uploads"),
    [
        ("DATA QUERY FINGERTMP PIN=1", [FP_LINE]),
        ("DATA QUERY FINGERTMP PIN=1\tFingerID=3", [FP_LINE]),
        ("DATA QUERY FINGERTMP PIN=1\tFingerID=4", []),
        ("DATA QUERY FINGERTMP PIN=2", []),
        ("DATA QUERY BIODATA Type=8", [BIODATA_PALM]),
        ("DATA QUERY BIODATA Type=8\tPIN=1", [BIODATA_PALM]),
        ("DATA QUERY BIODATA Type=8\tPIN=1\tNo=1", [BIODATA_PALM]),
        ("DATA QUERY BIODATA Type=8\tPIN=1\tNo=0", []),
        ("DATA QUERY BIODATA Type=9", []),
    ],
)
@pytest_twisted.ensureDeferred
async def test_templates_are_sent_that_were_asked_for(text: str, uploads: list[bytes]) -> None:
    """All of a user, one finger, all of a type; where there is nothing, nothing is sent."""
    asked = Asked(exchange=b"GET OPTION FROM: SIM1\nPushProtVer=2.4.1\n")
    assert await asked.codes(FINGER, FACE_LINE, PALM, text) == [0, 0, 0, 0]
    assert asked.script.uploads == uploads


@pytest_twisted.ensureDeferred
async def test_a_fingerprint_is_unified_where_both_sides_agreed() -> None:
    """After the negotiation a fingerprint is sent as BIODATA (3.1), and can be asked for so."""
    asked = Asked()
    texts = ("DATA QUERY FINGERTMP PIN=1", "DATA QUERY BIODATA Type=1")
    assert await asked.codes(FINGER, *texts) == [0, 0, 0]
    first, second = asked.script.uploads
    assert first == second
    assert first.startswith(b"BIODATA Pin=1\tNo=3\t")


@pytest_twisted.ensureDeferred
async def test_what_was_not_to_be_sent_is_sent_when_asked_for() -> None:
    """TransFlag does not keep a terminal from answering a query."""
    asked = Asked(exchange=b"GET OPTION FROM: SIM1\nTransFlag=TransData AttLog\n")
    assert await asked.codes("DATA QUERY USERINFO PIN=1") == [0]
    (upload,) = asked.script.uploads
    assert upload.startswith(b"USER PIN=1\tName=")


@pytest_twisted.ensureDeferred
async def test_a_query_of_all_users_sends_as_many_as_the_terminal_counts() -> None:
    """Also where nobody was enrolled: the people around it are its users."""
    asked = Asked()
    assert asked.terminal.holds > 0
    assert await asked.codes("DATA QUERY USERINFO") == [0]
    lines = b"".join(asked.script.uploads).splitlines()
    assert len(lines) == asked.terminal.holds
    assert all(line.startswith(b"USER PIN=") for line in lines)


@pytest_twisted.ensureDeferred
async def test_some_firmware_answers_first() -> None:
    """Old firmware answers a query, and sends what was asked for after that."""
    asked = Asked(OLD)
    assert await asked.codes("DATA QUERY USERINFO PIN=1") == [0]
    assert [name for name, _ in asked.script.asked[-2:]] == ["devicecmd", "upload"]


@pytest.mark.parametrize(
    ("asked", "text", "code"),
    [
        (Asked(), "DATA QUERY USERINFO PIN=9", -10),
        (Asked(), "DATA QUERY FINGERTMP PIN=9", -10),
        (Asked(), "DATA QUERY BIODATA Type=8\tPIN=9", -10),
        (Asked(), "DATA QUERY BIODATA PIN=1", -1),
        (Asked(), "DATA QUERY ATTLOG StartTime=2026-03-01 08:00:00", -1),
        (Asked(), "DATA QUERY ATTLOG StartTime=today\tEndTime=2026-03-01 08:00:00", -1),
        (Asked(PID), "DATA QUERY BIODATA Type=8", -1002),
        (Asked(CLASSIC), "DATA QUERY BIODATA Type=1", -1002),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_query_that_cannot_be_answered(asked: Asked, text: str, code: int) -> None:
    """Nobody, no period, no such type: the code says which, and nothing is sent."""
    assert await asked.codes(text) == [code]
    assert asked.script.uploads == []


@pytest_twisted.ensureDeferred
async def test_the_records_of_a_time_are_counted() -> None:
    """The sum is that of the terminal's own records, whatever the server has."""
    asked = Asked()
    await punched(asked)
    (answer,) = await asked.ask(f"VERIFY SUM ATTLOG {PERIOD}")
    assert answer == (
        b"ID=1&Return=0&CMD=VERIFY SUM&StartTime=2026-03-01 08:00:00&EndTime=2026-03-01 09:00:00&"
        b"AttlogSum=2\n"
    )
    assert await asked.codes("CLEAR LOG") == [0]
    (answer,) = await asked.ask(f"VERIFY SUM ATTLOG {PERIOD}")
    assert answer.endswith(b"AttlogSum=0\n")
    assert await asked.codes("VERIFY SUM ATTLOG") == [-1]


@pytest.mark.parametrize("model", [OLD, attrs.evolve(OLD, answers_first=False)])
@pytest_twisted.ensureDeferred
async def test_the_server_counts_what_comes_before_the_answer_or_after_it(rig: Rig, model) -> None:
    """Either way a query is done with how many of its records have come."""
    terminal = Network(rig.terminals).terminal(rig.clock, model=model)
    await terminal.exchange()
    body = {"command": "DATA QUERY USERINFO", "params": {"PIN": "1"}}
    command_id = (await rig.api("POST", "/devices/SIM1/commands", body)).json["id"]
    await terminal.poll()
    await terminal.poll()
    shown = (await rig.api("GET", f"/commands/{command_id}")).json
    assert (shown["state"], shown["result"]) == ("done", {"records": "1"})
    assert [user["pin"] for user in await rig.items("/users")] == ["1"]

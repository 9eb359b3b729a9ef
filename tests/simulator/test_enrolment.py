"""The server asks for an enrolment, and somebody comes to the terminal (12.6)."""

from __future__ import annotations

import attrs
import pytest
import pytest_twisted

from zkpush.handlers.people.tables import BIODATA, FP, USER
from zkpush.simulator.biometrics import FINGERPRINT
from zkpush.simulator.faults import Faults
from zkpush.simulator.model import ATT, CLASSIC, OLD

from .asked import Asked


@pytest_twisted.ensureDeferred
async def test_a_finger_is_enrolled_and_sent_before_the_answer() -> None:
    """The operation and the template are uploaded, then the command is answered."""
    asked = Asked()
    assert await asked.ask("ENROLL_FP PIN=1\tFID=3\tRETRY=3\tOVERWRITE=0") == [
        b"ID=1&Return=0&CMD=ENROLL_FP\n"
    ]
    operation, template = asked.script.uploads
    assert operation == b"OPLOG 6\t1\t1970-01-01 00:00:00\t1\t3\t664\t0\n"
    assert template.startswith(
        b"BIODATA Pin=1\tNo=3\tIndex=0\tValid=1\tDuress=0\tType=1\tMajorVer=10\t"
    )
    assert asked.script.asked[-1][0] == "devicecmd"
    assert asked.terminal.waiting == 0


@pytest_twisted.ensureDeferred
async def test_a_finger_is_overwritten_only_if_the_server_says_so() -> None:
    """What is enrolled already is an error (2), unless OVERWRITE=1."""
    asked = Asked()
    again = "ENROLL_FP PIN=1\tFID=3"
    assert await asked.codes(again, again, f"{again}\tOVERWRITE=0") == [0, 2, 2]
    before = asked.held(FP, "template")
    assert await asked.codes(f"{again}\tOVERWRITE=1") == [0]
    (after,) = asked.held(FP, "template")
    assert [after] != before


@pytest_twisted.ensureDeferred
async def test_a_card_is_laid_on_the_terminal() -> None:
    """The user has that card, and the server is told of it."""
    asked = Asked()
    before = asked.terminal
    before.settle()
    (old,) = [values for values in asked.held(USER, "pin", "card", "name") if values[0] == "1"]
    assert await asked.ask("ENROLL_MF PIN=1\tRETRY=3") == [b"ID=1&Return=0&CMD=ENROLL_MF\n"]
    (new,) = [values for values in asked.held(USER, "pin", "card", "name") if values[0] == "1"]
    assert new[1] != old[1]
    assert new[2] == old[2]
    (upload,) = asked.script.uploads
    assert upload.startswith(b"OPLOG 15\t1\t1970-01-01 00:00:00\t1\t0\t0\t0\nUSER PIN=1\t")
    assert f"\tCard={new[1]}\t".encode() in upload


@pytest_twisted.ensureDeferred
async def test_any_sensor_that_is_there_enrols() -> None:
    """ENROLL_BIO makes a template of the type, and gives the card that comes with it."""
    asked = Asked()
    enrol = "ENROLL_BIO TYPE=8\tPIN=1\tCardNo=7\tRETRY=1\tOVERWRITE={}"
    assert await asked.codes(enrol.format(0), enrol.format(0), enrol.format(1)) == [0, 2, 0]
    assert asked.held(BIODATA, "pin", "type", "number") == [("1", 8, 1)]
    assert ("1", "7") in asked.held(USER, "pin", "card")
    assert await asked.codes("ENROLL_BIO TYPE=8\tPIN=2") == [0]
    assert ("2", "7") not in asked.held(USER, "pin", "card")


@pytest.mark.parametrize(
    ("model", "text", "code"),
    [
        (ATT, "ENROLL_FP PIN=9\tFID=1", -10),
        (ATT, "ENROLL_MF PIN=9", -10),
        (ATT, "ENROLL_BIO TYPE=8\tPIN=9", -10),
        (ATT, "ENROLL_FP PIN=1", -1),
        (ATT, "ENROLL_FP PIN=1\tFID=10", -1),
        (ATT, "ENROLL_BIO TYPE=4\tPIN=1", -1002),
        (CLASSIC, "ENROLL_BIO TYPE=1\tPIN=1", -1002),
        (attrs.evolve(OLD, algorithms=()), "ENROLL_FP PIN=1\tFID=1", -1002),
        (
            attrs.evolve(ATT, algorithms=(attrs.evolve(FINGERPRINT, capacity=0),)),
            "ENROLL_FP PIN=1\tFID=1",
            -1001,
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_enrolled(model, text: str, code: int) -> None:
    """Nobody, no such finger, no such sensor, no room: nothing is made, and nothing sent."""
    asked = Asked(model)
    assert await asked.codes(text) == [code]
    assert (asked.script.uploads, asked.terminal.waiting) == ([], 0)


@pytest.mark.parametrize("code", [2, 4, 5, 6, 7])
@pytest_twisted.ensureDeferred
async def test_an_enrolment_fails_as_a_test_wishes(code: int) -> None:
    """What goes wrong with people is asked for; other commands do not fail with these codes."""
    asked = Asked(faults=Faults(refuse={code: 1.0}))
    texts = ("ENROLL_FP PIN=1\tFID=3", "ENROLL_MF PIN=1", "ENROLL_BIO TYPE=8\tPIN=1", "LOG")
    assert await asked.codes(*texts) == [code, code, code, 0]
    assert asked.terminal.outbox.held(FP, BIODATA) == []

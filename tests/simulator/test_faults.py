"""What goes wrong on purpose, and that nothing is lost by it."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from zkpush.handlers.entries.tables import WORKCODE
from zkpush.simulator.faults import Faults, parse_faults

from .asked import Asked
from .network import until
from .test_fleet import SIM, Started

CODE = "DATA UPDATE WORKCODE CODE=10"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("lose-answers=0.1", Faults(lose_answers=0.1)),
        (
            "lose-answers=0.1,double-answers=1,lose-polls=0",
            Faults(lose_answers=0.1, double_answers=1.0),
        ),
        ("slow=90", Faults(slow=90.0)),
        ("refuse=-1005:0.05, refuse=4:1", Faults(refuse={-1005: 0.05, 4: 1.0})),
    ],
)
def test_faults_are_asked_for_by_name(text: str, faults: Faults) -> None:
    """Several stand between commas, and a refusal says its code."""
    assert parse_faults(text) == faults


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            "",
            "'' is not a fault; faults are double-answers, hide-punches, lose-answers, lose-polls",
        ),
        ("fire=1", "'fire=1' is not a fault"),
        ("slow", "'slow' is not a fault"),
        ("lose-answers=2", "'lose-answers=2' needs a number from 0 to 1"),
        ("lose-answers=-1", "'lose-answers=-1' needs a number from 0 to 1"),
        ("lose-answers=nan", "'lose-answers=nan' needs a number from 0 to 1"),
        ("slow=soon", "'slow=soon' needs a number from 0 to 3600"),
        ("refuse=-1005", "'refuse=-1005' needs a number from 0 to 1"),
        ("refuse=busy:1", "'busy' is not a return code"),
        ("refuse=0:1", "the return code 0 refuses nothing"),
    ],
)
def test_what_is_no_fault_is_a_mistake(text: str, mistake: str) -> None:
    """The message says what there is."""
    with pytest.raises(ValueError, match=mistake):
        parse_faults(text)


@pytest_twisted.ensureDeferred
async def test_a_lost_answer_is_not_heard_of() -> None:
    """The command is executed; when it comes again, it is executed again."""
    asked = Asked(faults=Faults(lose_answers=1.0))
    assert await asked.ask(CODE, CODE) == []
    assert asked.terminal.executed == [CODE.encode()] * 2
    assert asked.held(WORKCODE, "code") == [("10",)]


@pytest_twisted.ensureDeferred
async def test_a_doubled_answer_comes_twice() -> None:
    """The same bytes are sent again."""
    asked = Asked(faults=Faults(double_answers=1.0))
    assert await asked.ask("LOG") == [b"ID=1&Return=0&CMD=LOG\n"] * 2


@pytest_twisted.ensureDeferred
async def test_the_reply_to_a_poll_is_lost() -> None:
    """What was in it is not executed."""
    asked = Asked(faults=Faults(lose_polls=1.0))
    assert await asked.ask("LOG") == []
    assert asked.terminal.executed == []


@pytest_twisted.ensureDeferred
async def test_every_command_is_refused_with_a_code() -> None:
    """Nothing is done by a command that is refused."""
    asked = Asked(faults=Faults(refuse={-1005: 1.0}))
    assert await asked.codes(CODE, "LOG", "ENROLL_MF PIN=1") == [-1005] * 3
    assert asked.terminal.outbox.held(WORKCODE) == []


@pytest_twisted.ensureDeferred
async def test_a_slow_terminal_takes_its_time() -> None:
    """Each command takes so many seconds."""
    asked = Asked(faults=Faults(slow=5.0))
    await asked.terminal.exchange()
    asking = Deferred.fromCoroutine(asked.ask(CODE, "LOG"))
    await until(lambda: bool(asked.terminal.executed))
    assert asked.script.answers == []
    asked.clock.advance(5)
    await until(lambda: len(asked.terminal.executed) == 2)
    assert len(asked.script.answers) == 1
    asked.clock.advance(5)
    assert len(await asking) == 2


@pytest.mark.long
@pytest.mark.parametrize("encrypt", [False, True], ids=["plain", "encrypted"])
@pytest_twisted.ensureDeferred
async def test_no_command_is_lost_with_its_answers(make_rig, encrypt: bool) -> None:
    """With answers lost and doubled, and polls lost, every command is done in the end."""
    rig = await make_rig(commands={"lease_seconds": 5, "attempts": 50})
    faults = parse_faults("lose-answers=0.4,double-answers=0.4,lose-polls=0.3")
    plan = {"rate": 0.1, "duration": 400.0, "faults": faults, "encrypt": encrypt}
    started = Started(rig.terminals, rig.clock, **plan)
    await started.seconds(1)
    queued = []
    for number in range(12):
        body = {"command": "DATA UPDATE USERINFO", "params": {"PIN": str(100 + number)}}
        queued.append((await rig.api("POST", f"/devices/{SIM}/commands", body)).json["id"])
    result = await started.end()
    shown = [(await rig.api("GET", f"/commands/{command_id}")).json for command_id in queued]
    assert {command["state"] for command in shown} == {"done"}
    assert max(command["attempts"] for command in shown) > 1
    assert result.commands > len(queued)
    assert result.failures == 0
    assert started.fleet.terminals[0].holds == 50 + 12

"""A job over 100 simulated terminals, beside what each of them says that it executed."""

from __future__ import annotations

import pathlib
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence

import attrs
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from zkpush.handlers.jobs.runner import JobRunner
from zkpush.simulator.faults import Faults, Mischief
from zkpush.simulator.link import Link
from zkpush.simulator.terminal import SimulatedTerminal
from zkpush.testing.network import SERVER, Network

from ..rig import Rig

pytestmark = pytest.mark.usefixtures("no_cover")

TERMINALS, AT_ONCE, WAVE = 100, 20, 50
LEASE, ATTEMPTS = 300, 3
ROUNDS = 3 * ATTEMPTS
"""Maximum number of rounds of polls: each wave ends after one for each attempt, and one more."""
FAULTS = Faults(lose_answers=0.2, double_answers=0.1, lose_polls=0.15, refuse={-1005: 0.1})
REPEATABLE, ONCE, RESTARTS = "DATA UPDATE USERINFO", "CLEAR LOG", "REBOOT"
COMMANDS = [
    {"command": REPEATABLE, "params": {"PIN": "7", "Name": "Ann"}},
    {"command": ONCE},
    {"command": RESTARTS},
]
"""Commands of the job; each terminal has each of them once."""


@attrs.define
class Execution:
    """What a terminal did with a command that it received."""

    is_refused: bool
    is_answered: bool = False


class Diary(Mischief):
    """Faults of a terminal, which notes what becomes of each command."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(FAULTS, chance)
        self.executions: defaultdict[str, list[Execution]] = defaultdict(list)
        self._last = Execution(is_refused=False)

    def refusal(self, name: str) -> int | None:
        """Note a command, and whether it is refused."""
        code = super().refusal(name)
        self._last = Execution(code is not None)
        self.executions[name].append(self._last)
        return code

    def loses_answer(self) -> bool:
        """Note whether the answer is sent."""
        is_lost = super().loses_answer()
        self._last.is_answered = not is_lost
        return is_lost

    def outcome(self, name: str) -> str:
        """State of a command that follows from what the terminal did."""
        done = self.executions[name]
        answered = next((one for one in done if one.is_answered), None)
        if answered is not None:
            return "failed" if answered.is_refused else "done"
        if name == RESTARTS and done and not done[0].is_refused:
            return "done"  # the terminal began a new session
        return "expired" if name == REPEATABLE else "unknown"


async def in_groups(actions: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """Perform actions, some at a time."""
    for start in range(0, len(actions), AT_ONCE):
        some = [Deferred.fromCoroutine(one()) for one in actions[start : start + AT_ONCE]]
        await gatherResults(some)


def runner(rig: Rig) -> JobRunner:
    """The runner of a daemon."""
    (found,) = (job for job in rig.daemon.jobs if isinstance(job, JobRunner))
    return found


async def poll(terminal: SimulatedTerminal) -> None:
    """Poll until there is nothing to do, or a reply is lost."""
    while await terminal.poll():
        pass


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_the_counts_of_a_job_are_what_the_terminals_did(
    make_rig: Callable[..., Awaitable[Rig]], tmp_path: pathlib.Path
) -> None:
    """Answers and polls get lost, commands are refused, and the daemon restarts in between."""

    async def start() -> Rig:
        return await make_rig(
            database=f"sqlite:///{tmp_path / 'store.sqlite'}",
            commands={"attempts": ATTEMPTS, "lease_seconds": LEASE},
            limits={"unknown_per_minute": 10_000, "requests_per_minute": 10_000},
        )

    rig = await start()
    network = Network(rig.terminals)
    diaries: dict[str, Diary] = {}
    terminals: list[SimulatedTerminal] = []
    for number in range(TERMINALS):
        sn = f"S{number}"
        chance = random.Random(sn)
        diaries[sn] = Diary(chance)
        link = Link(network.agent, SERVER, sn, rig.clock, None)
        terminals.append(SimulatedTerminal(sn, 1, link, rig.clock, chance, mischief=diaries[sn]))
    for place in range(0, TERMINALS, AT_ONCE):
        rig.clock.advance(1)  # new terminals are recorded at a pace
        await in_groups([one.exchange for one in terminals[place : place + AT_ONCE]])
    body = {
        "devices": [*diaries],
        "commands": COMMANDS,
        "wave": WAVE,
        "stop_after": len(COMMANDS) * TERMINALS,
        "expires_in": 30 * 24 * 3600,
    }
    job = (await rig.api("POST", "/commands", body)).json
    for number in range(ROUNDS):
        await runner(rig).work()
        await in_groups([lambda one=one: poll(one) for one in terminals[::2]])
        if number in (0, ATTEMPTS):
            now = rig.clock.seconds()
            await rig.stop()
            rig = await start()
            rig.clock.advance(now - rig.clock.seconds())
            network.server = rig.terminals
            await runner(rig).work()
        await in_groups([lambda one=one: poll(one) for one in terminals[1::2]])
        rig.clock.advance(LEASE + 1)
        await rig.daemon.queue.end_overdue()
        job = (await rig.api("GET", f"/jobs/{job['id']}")).json
        if job["state"] == "finished":
            break
    expected = Counter(
        diary.outcome(one["command"]) for diary in diaries.values() for one in COMMANDS
    )
    assert set(expected) == {"done", "failed", "expired", "unknown"}
    assert {name: count for name, count in job["counts"].items() if count} == expected
    for name in (ONCE, RESTARTS):
        assert max(len(diary.executions[name]) for diary in diaries.values()) == 1
    items = await rig.items(f"/commands?job={job['id']}&limit=1000")
    assert len(items) == len(COMMANDS) * TERMINALS
    for one in items:
        diary = diaries[one["device"]]
        assert one["state"] == diary.outcome(one["command"]), (one, diary.executions)

"""The promises of a command's life, held against a model: queue, terminal, and a lossy network.

The model below knows nothing of the code: it is the table of docs/command-life.md once more, as a
terminal and its operator see it. Hypothesis lets them act in any order, with requests and replies
that get lost, and compares what each of them sees.
"""

from __future__ import annotations

import datetime
import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest_twisted
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    multiple,
    rule,
    run_state_machine_as_test,
)
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred

from zkpush.handlers.commands.model import CommandFilter
from zkpush.handlers.commands.store import CommandList
from zkpush.model import Page

from ..rig import Rig

LEASE, ATTEMPTS, LIFETIME = 300, 2, 24 * 3600
ONCE = {"AC_UNLOCK": (60, 8), "REBOOT": (24 * 3600, 0)}
"""What must not be executed twice, with how long it waits and its priority."""
UPDATE, DELETE = "DATA UPDATE USERINFO", "DATA DELETE USERINFO"
ANSWERS = ("ID={id}&Return={code}&CMD=X", "id={id}\treturn={code}", "Return={code}\r\nID={id}\r\n")


@dataclass(eq=False)
class Told:
    """A command, as the model knows it."""

    id: str
    seq: int
    name: str
    params: dict[str, str]
    begins: float
    deadline: float
    priority: int
    state: str = "queued"
    sent: int = 0
    sent_at: float = 0
    lease: float = 0
    replaced: bool = False
    restarted: bool = False
    code: int | None = None
    line: bytes | None = None
    executed: int = 0
    answers: list[int] = field(default_factory=list)
    """Those that the terminal has sent, and the server has not acknowledged."""

    @property
    def person(self) -> str | None:
        return self.params.get("PIN")

    @property
    def is_open(self) -> bool:
        return self.state in ("queued", "sent")


def instant(seconds: float) -> str:
    """An instant as the API takes it."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC).isoformat()


class Machine(RuleBasedStateMachine):
    """An operator, a terminal, and the network between it and the server."""

    rig: Rig
    numbers = itertools.count(1)
    commands: Any = Bundle("commands")
    waiting: Any = Bundle("waiting")

    def __init__(self) -> None:
        super().__init__()
        self.sn = f"M{next(self.numbers)}"
        self.told: list[Told] = []
        self.rig.clock.advance(1)  # new terminals are recorded at a pace
        self.run(self.rig.exchange(self.sn))

    def run(self, action: Any) -> Any:
        return threads.blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(action))

    @property
    def now(self) -> float:
        return self.rig.clock.seconds()

    # What the model says

    def look(self, *, at_poll: bool) -> list[Told]:
        """Let the server look at its commands; those that a poll takes, in their order."""
        taken = []
        behind = [one for one in self.told if at_poll and self.stays_behind(one)]
        for one in sorted(self.told, key=lambda each: (-each.priority, each.seq)):
            if one in behind:
                continue
            is_late = self.now > one.deadline
            if one.state == "queued":
                if is_late and (not at_poll or one.begins <= self.now):
                    one.state = "expired"
                elif one.begins <= self.now:
                    taken.append(one)
            elif one.state == "sent" and one.lease <= self.now:
                if one.name in ONCE:
                    one.state = "unknown"
                elif one.replaced:
                    one.state = "cancelled"
                elif one.sent >= ATTEMPTS or is_late:
                    one.state = "expired"
                elif at_poll and self.is_overtaken(one):
                    one.state = "unknown"
                elif at_poll:
                    taken.append(one)
        ends = next((i for i, one in enumerate(taken) if one.name == "REBOOT"), len(taken))
        return taken[: ends + 1]

    def stays_behind(self, late: Told) -> bool:
        """While the terminal may get an earlier command of the same person again."""
        return any(
            one.state == "sent" and one.lease > self.now and not one.replaced
            for one in self.told[: late.seq]
            if one.person == late.person is not None
        )

    def is_overtaken(self, early: Told) -> bool:
        """Repeated, it would undo what the terminal has done since."""
        return any(
            one.code is not None and one.state != "failed" and one.sent_at >= early.sent_at
            for one in self.told[early.seq + 1 :]
            if one.person == early.person is not None
        )

    def replace(self, new: Told) -> None:
        """A new command of a person replaces those before it that set nothing else."""
        own = [one for one in self.told if one.is_open and one.person == new.person is not None]
        while own:
            old = own[-1]
            if (
                new.name != UPDATE
                or old.name != new.name
                or not set(old.params) <= set(new.params)
                or new.begins > old.begins
                or old.deadline > new.deadline
                or old.priority > new.priority
            ):
                break
            own.pop()
            if old.state == "queued":
                old.state = "cancelled"
            old.replaced = True
        for one in own:
            if one.is_open:
                one.priority = max(one.priority, new.priority)

    # What happens

    @rule(
        target=commands,
        name=st.sampled_from(["LOG", "AC_UNLOCK", "REBOOT", DELETE, UPDATE, UPDATE]),
        pin=st.sampled_from("12"),
        extra=st.sampled_from([{}, {"Name": "Ann"}, {"Name": "Bob"}, {"Card": "77"}]),
        priority=st.none() | st.sampled_from([0, 5]),
        expires=st.none() | st.sampled_from([30, 400, 3000]),
        wait=st.sampled_from([0, 0, 0, 100]),
    )
    def queue(
        self,
        name: str,
        pin: str,
        extra: dict[str, str],
        priority: int | None,
        expires: int | None,
        wait: int,
    ) -> Told:
        """An operator queues a command."""
        params = {UPDATE: {"PIN": pin, **extra}, DELETE: {"PIN": pin}}.get(name, {})
        body = {"command": name, "params": params, "priority": priority, "expires_in": expires}
        body["not_before"] = instant(self.now + wait) if wait else None
        reply = self.run(self.rig.api("POST", f"/devices/{self.sn}/commands", body))
        assert reply.status == 202, reply.raw
        usual, urgent = ONCE.get(name, (LIFETIME, 0))
        begins = int(self.now) + wait if wait else 0
        new = Told(
            id=reply.json["id"],
            seq=len(self.told),
            name=name,
            params=params,
            begins=begins,
            deadline=max(self.now, begins) + (expires or usual),
            priority=urgent if priority is None else priority,
        )
        self.replace(new)
        self.told.append(new)
        return new

    @rule(command=commands)
    def cancel(self, command: Told) -> None:
        """An operator cancels a command; one that has ended stays as it is."""
        reply = self.run(self.rig.api("DELETE", f"/commands/{command.id}"))
        assert (reply.status == 204) == command.is_open
        if command.is_open:
            command.state = "cancelled"

    @rule(target=waiting, is_lost=st.booleans())
    def poll(self, is_lost: bool) -> Any:
        """The terminal polls; what it gets, it executes at once. The reply may be lost."""
        expected = self.look(at_poll=True)
        body = self.run(self.rig.get(f"getrequest?SN={self.sn}")).body
        lines = [] if body == b"OK" else body.splitlines()
        assert [line.split(b":")[1].decode() for line in lines] == [one.id for one in expected]
        for one, line in zip(expected, lines, strict=True):
            assert one.begins <= self.now <= one.deadline
            assert one.line in (None, line)
            one.line = line
            one.state, one.sent, one.lease = "sent", one.sent + 1, self.now + LEASE
            one.sent_at = self.now
            if not is_lost:
                one.executed += 1
                assert one.executed == 1 or one.name not in ONCE
        return multiple(*([] if is_lost else expected))

    @rule(
        command=consumes(waiting),
        code=st.sampled_from([0, 0, -1]),
        form=st.sampled_from(ANSWERS),
        in_query=st.booleans(),
        fate=st.sampled_from(["arrives", "arrives", "lost", "twice"]),
    )
    def answer(self, command: Told, code: int, form: str, in_query: bool, fate: str) -> None:
        """The terminal answers, in some form; the answer is lost, or the terminal repeats it."""
        for _ in range({"arrives": 1, "lost": 0, "twice": 2}[fate]):
            if in_query:
                path = f"devicecmd?SN={self.sn}&ID={command.id}&Return={code}"
                reply = self.run(self.rig.get(path))
            else:
                body = form.format(id=command.id, code=code).encode()
                reply = self.run(self.rig.post(f"devicecmd?SN={self.sn}", body))
            assert reply.body == b"OK"
            is_over = command.state in ("done", "failed") and not command.restarted
            if command.code is None and not is_over:
                command.code, command.restarted = code, False
                if command.state not in ("cancelled", "expired"):
                    command.state = "done" if code == 0 else "failed"

    @rule()
    def restart(self) -> None:
        """The terminal restarts: it begins a new session, which answers a REBOOT."""
        self.run(self.rig.exchange(self.sn))
        for one in self.told:
            if one.name == "REBOOT" and one.state == "sent":
                one.state, one.restarted = "done", True

    @rule(seconds=st.sampled_from([1, 31, 61, 150, 301, 900]))
    def pass_time(self, seconds: int) -> None:
        """Time passes."""
        self.rig.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        """The server ends what is over without a poll, and then all states are as they should."""
        self.run(self.rig.daemon.queue.end_overdue())
        self.look(at_poll=False)
        self.compare()

    def compare(self) -> None:
        found = self.run(
            self.rig.store.read(
                lambda tx: tx[CommandList].page(Page(1000), CommandFilter(device=self.sn))
            )
        )
        stored = {command.id: command for _, command in found}
        assert len(stored) == len(self.told)
        for one in self.told:
            command = stored[one.id]
            assert (command.state, command.return_code) == (one.state, one.code), one
            assert (command.reason is None) == one.is_open, one
            assert command.attempts == one.sent

    def teardown(self) -> None:
        """However it went, what the server knows is what happened."""
        self.compare()


@pytest_twisted.ensureDeferred
async def test_commands_live_by_their_table(make_rig: Any) -> None:
    """Whatever is lost, nothing unrepeatable is executed twice, no answer is unrecorded, and
    nothing is sent after its deadline."""
    rig = await make_rig(
        commands={"attempts": ATTEMPTS, "lifetime_days": 1},
        # Each example is a new terminal.
        limits={"unknown_per_minute": 10_000, "requests_per_minute": 10_000},
    )

    class Run(Machine):
        """On this daemon."""

    Run.rig = rig
    few = settings(
        max_examples=60,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    await threads.deferToThread(run_state_machine_as_test, Run, settings=few)

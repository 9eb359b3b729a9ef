"""State machine of operators, two terminals and two nodes, with a network that loses messages.

Hypothesis lets them act in any order, and compares what each of them sees with the model.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
)
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred, gatherResults

from zkpush.handlers.commands.model import CommandFilter
from zkpush.handlers.commands.store import CommandList
from zkpush.model import Page

from ..rig import Response, Rig
from .command_model import (
    ATTEMPTS,
    DELETE,
    END_OF,
    LEASE,
    LIFETIME,
    ONCE,
    UPDATE,
    Broken,
    ModelCommand,
    ModelTerminal,
    Promise,
)

SEEDS = (*range(10), 12, 24)
"""Seeds of the examples, the same in every run, with and without a planted bug; among them are
those that find the bugs first."""
SETTINGS = settings(
    # The simplest example twice, and a random one. Further ones would be variations of that.
    max_examples=3,
    stateful_step_count=30,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
LONGEST_WAIT = 100
"""Seconds until the `not_before` of a command."""
ANSWERED = ("once", "twice", "stray")
"""Ways in which an answer arrives: once, twice, or after one of another terminal."""
NODES = st.sampled_from([0, 1])
PLACES = st.sampled_from([0, 0, 0, 0, 1])
SECONDS = st.sampled_from([0, 0, 0, 1, 31, 61, 150, 301, 301, 900])
ANSWERS = {
    "code": st.sampled_from([0, 0, -1]),
    "form": st.sampled_from(
        [
            "ID={id}&Return={code}&CMD=X",
            "id={id}\treturn={code}",
            "Return={code}\r\nID={id}\r\n",
            "&ID={id}&Return={code}",  # in the query string
        ]
    ),
}
QUEUE = st.fixed_dictionaries(
    {
        "action": st.just("queue"),
        "node": NODES,
        "place": PLACES,
        "name": st.sampled_from(["LOG", "AC_UNLOCK", "REBOOT", DELETE, UPDATE, UPDATE]),
        "pin": st.sampled_from("112"),
        "extra": st.sampled_from([{}, {"Name": "Ann"}, {"Name": "Bob"}, {"Card": "77"}]),
        "priority": st.sampled_from([None, 0, 5]),
        "expires": st.sampled_from([None, None, None, 30, 400, 3000]),
        "wait": st.sampled_from([0, 0, 0, 0, LONGEST_WAIT]),
    }
)
POLL = st.fixed_dictionaries(
    {
        "action": st.just("poll"),
        "seconds": SECONDS,
        "way": st.sampled_from(["first", "second", "first twice", "second twice", "both"]),
        "place": PLACES,
        "fate": st.sampled_from(["lost", "not answered", "not answered", *ANSWERED]),
        **ANSWERS,
    }
)
EVENT = st.fixed_dictionaries(
    {
        "action": st.just("happen"),
        "seconds": SECONDS,
        "node": NODES,
        "which": st.integers(0, 3),
        "event": st.sampled_from(["cancel", "end of leases", "new session", "restart of a node"]),
        "is_answered": st.booleans(),
        **ANSWERS,
    }
)
ACTIONS = st.one_of(EVENT, QUEUE, QUEUE, POLL, POLL)
"""Actions, each with its arguments. One rule performs all of them: Hypothesis leaves out some rules
in each example, and most bugs show only if all kinds of actions meet."""


class Nodes:
    """Two nodes on one database."""

    def __init__(self, make_rig: Callable[..., Awaitable[Rig]], database: str) -> None:
        self._make_rig = make_rig
        self._database = database
        self.rigs: list[Rig] = []
        self._stale: set[int] = set()
        """Nodes that have not read the last changes of the other."""

    async def start(self) -> None:
        """Start both nodes."""
        self.rigs = [await self._make(), await self._make()]

    async def restart(self, place: int) -> None:
        """Stop a node, and start another process in its place."""
        old = self.rigs[place]
        await old.stop()
        self.rigs[place] = await self._make()
        self.rigs[place].clock.advance(old.clock.seconds() - self.rigs[place].clock.seconds())

    def at(self, place: int) -> Rig:
        """Return a node, which is about to change commands."""
        self._stale.add(1 - place)
        return self.rigs[place]

    async def follow(self, place: int) -> None:
        """Let a node read the changes of the other, as it does each second."""
        if place in self._stale:
            self._stale.discard(place)
            await self.rigs[place].registry.follow()

    async def pass_time(self, seconds: float) -> None:
        """Advance the time of both nodes."""
        if seconds:
            for rig in self.rigs:
                rig.clock.advance(seconds)

    async def _make(self) -> Rig:
        return await self._make_rig(
            database=self._database,
            commands={"attempts": ATTEMPTS, "lifetime_days": 1},
            # Each example has two new terminals.
            limits={"unknown_per_minute": 10_000, "requests_per_minute": 10_000},
        )


def instant(seconds: float) -> str:
    """An instant as the API takes it."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC).isoformat()


def ids_of(reply: Response) -> list[str]:
    """The IDs of the commands in the reply to a poll, in order."""
    return [] if reply.body == b"OK" else [line.split(b":")[1].decode() for line in lines_of(reply)]


def lines_of(reply: Response) -> list[bytes]:
    """The lines of the reply to a poll."""
    return [] if reply.body == b"OK" else reply.body.splitlines()


class CommandMachine(RuleBasedStateMachine):
    """Operators, two terminals, and the network between them and the nodes."""

    nodes: Nodes
    numbers = itertools.count(1)
    is_broken = False

    @initialize()
    def begin(self) -> None:
        """Two new terminals start."""
        self.commands: list[ModelCommand] = []
        self.terminals = [ModelTerminal(f"M{next(self.numbers)}") for _ in range(2)]
        self.run(self.nodes.pass_time(1))  # new terminals are recorded at a pace
        for terminal in self.terminals:
            self.run(self.nodes.at(0).exchange(terminal.sn))

    def run(self, action: Coroutine[Any, Any, Any]) -> Any:
        return threads.blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(action))

    @property
    def now(self) -> float:
        return self.nodes.rigs[0].clock.seconds()

    @rule(arguments=ACTIONS)
    def act(self, arguments: dict[str, Any]) -> None:
        """Let an operator, a terminal or a node act."""
        action: Callable[..., None] = getattr(self, arguments["action"])
        action(**{name: value for name, value in arguments.items() if name != "action"})

    def queue(
        self,
        node: int,
        place: int,
        name: str,
        pin: str,
        extra: dict[str, str],
        priority: int | None,
        expires: int | None,
        wait: int,
    ) -> None:
        """An operator queues a command."""
        terminal = self.terminals[place]
        params = {UPDATE: {"PIN": pin, **extra}, DELETE: {"PIN": pin}}.get(name, {})
        body = {"command": name, "params": params, "priority": priority, "expires_in": expires}
        body["not_before"] = instant(self.now + wait) if wait else None
        path = f"/devices/{terminal.sn}/commands"
        reply = self.run(self.nodes.at(node).api("POST", path, body))
        assert reply.status == 202, reply.raw
        usual, urgent = ONCE.get(name, (LIFETIME, 0))
        begins = int(self.now) + wait if wait else 0
        new = ModelCommand(
            terminal=terminal,
            id=reply.json["id"],
            seq=len(terminal.commands),
            name=name,
            params=params,
            begins=begins,
            deadline=max(self.now, begins) + (expires or usual),
            priority=urgent if priority is None else priority,
        )
        terminal.queue(new)
        self.commands.append(new)

    def cancel(self, node: int, command: ModelCommand) -> None:
        """Cancel a command; an ended one stays as it is."""
        reply = self.run(self.nodes.at(node).api("DELETE", f"/commands/{command.id}"))
        self.hold(Promise.WITHDRAWN, (reply.status == 204) == command.is_open, command)
        command.cancel()

    def poll(self, seconds: int, way: str, place: int, fate: str, form: str, code: int) -> None:
        """A terminal polls after a time, executes at once what it receives, and perhaps answers.

        It polls one node, perhaps twice, or a proxy passes one poll to both nodes.
        """
        self.run(self.nodes.pass_time(seconds))
        terminal = self.terminals[place]
        if way == "both":
            received = self.poll_both(terminal)
        else:
            node, count = int(way.startswith("second")), 1 + way.endswith("twice")
            received = [one for _ in range(count) for one in self.poll_once(node, terminal)]
        if fate != "lost":
            self.execute(received)
        if fate in ANSWERED:
            for one in dict.fromkeys(received):
                self.answer(0, one, code, form, fate)

    def poll_once(self, node: int, terminal: ModelTerminal) -> list[ModelCommand]:
        """Poll; returns the sent commands."""
        self.run(self.nodes.follow(node))
        reply = self.run(self.nodes.at(node).get(f"getrequest?SN={terminal.sn}"))
        return self.judge(terminal, reply)

    def poll_both(self, terminal: ModelTerminal) -> list[ModelCommand]:
        """Poll both nodes at once; no command is in both replies."""
        path = f"getrequest?SN={terminal.sn}"
        for node in range(2):
            self.run(self.nodes.follow(node))
        polls = [Deferred.fromCoroutine(self.nodes.at(node).get(path)) for node in range(2)]
        replies = threads.blockingCallFromThread(reactor, lambda: gatherResults(polls))
        order = [one.id for one in terminal.in_order()]
        replies.sort(key=lambda reply: min(map(order.index, ids_of(reply)), default=len(order)))
        return [one for reply in replies for one in self.judge(terminal, reply)]

    def judge(self, terminal: ModelTerminal, reply: Response) -> list[ModelCommand]:
        """Compare the reply to a poll with the model; returns the sent commands."""
        known = {one.id: one for one in terminal.commands}
        for line, one in zip(lines_of(reply), map(known.get, ids_of(reply)), strict=True):
            self.hold(Promise.IN_TURN, one is not None, line)
            assert one is not None
            self.hold(Promise.ONCE, one.name not in ONCE or not one.sent, one)
            self.hold(Promise.IN_TIME, one.begins <= self.now <= one.deadline, one)
            self.hold(Promise.WITHDRAWN, one.state != "cancelled" and not one.replaced, one)
            self.hold(Promise.IN_TURN, one.line in (None, line), one)
            one.line = line
        expected = terminal.take(self.now)
        self.hold(Promise.IN_TURN, ids_of(reply) == [one.id for one in expected], expected)
        return expected

    def execute(self, received: list[ModelCommand]) -> None:
        """Execute commands, the unrepeatable ones at most once."""
        for one in received:
            one.executed += 1
            self.hold(Promise.ONCE, one.executed == 1 or one.name not in ONCE, one)

    def answer(self, node: int, command: ModelCommand, code: int, form: str, fate: str) -> None:
        """Answer in some form; an answer comes twice, or another terminal answers first."""
        sn = command.terminal.sn
        (other,) = (one.sn for one in self.terminals if one is not command.terminal)
        said = {
            "once": [(sn, code)],
            "twice": [(sn, code), (sn, -1 - code)],
            "stray": [(other, -1 - code), (sn, code)],
        }
        for sender, value in said[fate]:
            path, text = f"devicecmd?SN={sender}", form.format(id=command.id, code=value)
            rig = self.nodes.at(node)
            asked = rig.get(path + text) if text[0] == "&" else rig.post(path, text.encode())
            reply = self.run(asked)
            assert reply.body == b"OK"
            if sender == sn:
                command.answer(value)

    def happen(
        self,
        seconds: int,
        node: int,
        which: int,
        event: str,
        is_answered: bool,
        form: str,
        code: int,
    ) -> None:
        """Something happens after a time to one of the latest commands or to a node.

        Then the terminal perhaps answers the command, if it has executed it.
        """
        self.run(self.nodes.pass_time(seconds))
        if event == "restart of a node":
            self.run(self.nodes.restart(node))
        if not self.commands:
            return
        owed = [one for one in self.commands if one.executed and one.code is None]
        among = owed if is_answered and owed else self.commands
        command = among[-1 - which % len(among)]
        if event == "cancel":
            self.cancel(node, command)
        elif event == "new session":
            self.restart(node, command.terminal)
        elif event == "end of leases":
            self.run(self.nodes.pass_time(LEASE + 1))
            self.sweep(node)
        if command.executed and is_answered:
            self.answer(node, command, code, form, "once")

    def restart(self, node: int, terminal: ModelTerminal) -> None:
        """Begin a new session of a terminal."""
        self.run(self.nodes.at(node).exchange(terminal.sn))
        terminal.start_session()

    def sweep(self, node: int) -> None:
        """End what is over without a poll."""
        self.run(self.nodes.at(node).daemon.queue.end_overdue())
        for terminal in self.terminals:
            terminal.sweep(self.now)

    def compare(self) -> None:
        """Compare what the server knows of all commands with what happened."""
        for terminal in (one for one in self.terminals if one.commands):
            which = CommandFilter(device=terminal.sn)
            found = self.run(
                self.nodes.rigs[0].store.read(
                    lambda tx, which=which: tx[CommandList].page(Page(1000), which)
                )
            )
            stored = {command.id: command for _, command in found}
            self.hold(Promise.RECORDED, stored.keys() == {one.id for one in terminal.commands}, "")
            for one in terminal.commands:
                command = stored[one.id]
                promise = END_OF.get(one.state) or END_OF.get(command.state, Promise.IN_TURN)
                self.hold(promise, command.state == one.state, (one, command))
                self.hold(Promise.RECORDED, command.return_code == one.code, (one, command))
                self.hold(promise, (command.reason is None) == one.is_open, (one, command))
                self.hold(promise, command.attempts == one.sent, (one, command))

    def hold(self, promise: Promise, is_held: bool, detail: object) -> None:
        """Fail if a promise is broken."""
        if not is_held:
            self.is_broken = True
            raise Broken(promise, detail)

    def teardown(self) -> None:
        """After the deadlines and leases of all commands, each has ended as the model says."""
        if not self.is_broken:
            self.run(self.nodes.pass_time(LIFETIME + LONGEST_WAIT + LEASE + 1))
            self.sweep(0)
            self.compare()

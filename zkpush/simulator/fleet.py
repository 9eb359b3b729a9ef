"""Many simulated terminals at once."""

from __future__ import annotations

import functools
import itertools
import random
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ..crypto.terminal import TerminalCipher
from ..handlers.attendance.tables import ATTLOG
from .errors import LinkError
from .faults import Faults, Mischief
from .happenings import Happenings
from .link import Link
from .model import ATT, MODELS
from .people import People
from .terminal import ExchangeWanted, SimulatedTerminal

if TYPE_CHECKING:
    from twisted.web.iweb import IAgent

TICK = 0.1
"""Seconds between two looks at what has to happen."""
AFTER_COMMAND = 1.0
"""Seconds to the next poll after a command was executed."""
PACKETS = "packets"
"""How the result calls packets (11.14)."""
UNREACHED_SECONDS = 30
"""How long terminals without an end of their own try to reach a server that never replied."""
LAST_TRIES = 20
"""How often what is left is sent at the end, before it counts as a failure."""


@attrs.frozen
class FleetPlan:
    """What the terminals are to do."""

    server: str
    """URL of the server, without /iclock."""
    devices: int = 1
    users: int = 50
    rate: float = 1.0
    """Punches a second, of all terminals together."""
    seed: int = 0
    duration: float | None = None
    """Seconds; None for no end."""
    punches: int | None = None
    """Stop after so many; None for no end."""
    models: tuple[str, ...] = (ATT.name,)
    """The models that the terminals are of, in turn."""
    everything: bool = False
    """Whether there is more to send than punches: everything that the models have."""
    faults: Faults = attrs.field(factory=Faults)
    """What goes wrong on purpose."""
    strict: bool = False
    """Whether terminals stop at what the protocol does not allow, and real firmware lives with."""
    encrypt: bool = False
    """Whether terminals encrypt their sessions, if they are of a version that can."""


@attrs.define
class FleetResult:
    """What the terminals did."""

    punches: int = 0
    acknowledged: int = 0
    polls: int = 0
    commands: int = 0
    failures: int = 0
    """Requests that were not answered as they should be."""
    others: dict[str, int] = attrs.field(factory=dict)
    """Other records that were acknowledged, by their table, and packets."""
    waiting: int = 0
    """Records that were not, although they were asked for."""
    is_reached: bool = True
    """Whether the server has ever replied."""


class Fleet:
    """Runs terminals against a server until the plan is fulfilled."""

    def __init__(
        self,
        plan: FleetPlan,
        agent: IAgent,
        clock: IReactorTime,
        report: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._report = report
        self._chance = random.Random(plan.seed)  # noqa: S311 - a simulation
        self._started = clock.seconds()
        self._ended = False
        self.result = FleetResult()
        self.people = People(random.Random(f"{plan.seed} people"))  # noqa: S311 - a simulation
        models = itertools.cycle(MODELS[name] for name in plan.models)
        serials = [f"SIM{plan.seed:03d}{number:05d}" for number in range(1, plan.devices + 1)]
        self._links = [
            Link(agent, plan.server, sn, clock, TerminalCipher(sn) if plan.encrypt else None)
            for sn in serials
        ]
        self.terminals = [
            SimulatedTerminal(
                sn,
                plan.users,
                link,
                clock,
                random.Random(f"{plan.seed} {number}"),  # noqa: S311 - a simulation
                model=model,
                warn=None if plan.strict else functools.partial(self._warn, sn),
                people=self.people,
                mischief=Mischief(
                    plan.faults,
                    random.Random(f"{plan.seed} {number} faults"),  # noqa: S311 - a simulation
                ),
            )
            for number, (sn, link, model) in enumerate(
                zip(serials, self._links, models, strict=False), 1
            )
        ]
        self._happenings = {
            terminal.sn: Happenings(
                terminal,
                self.people,
                random.Random(f"{plan.seed} {terminal.sn}"),  # noqa: S311 - a simulation
            )
            for terminal in (self.terminals if plan.everything else ())
        }

    async def run(self) -> FleetResult:
        """Run, and count."""
        lives = [Deferred.fromCoroutine(self._live(terminal)) for terminal in self.terminals]
        await self._punch()
        self._ended = True
        await gatherResults(lives, consumeErrors=True)
        self._count_punches()  # again: a terminal that connected late has made more
        sent = Counter({PACKETS: sum(terminal.packets for terminal in self.terminals)})
        for terminal in self.terminals:
            sent += terminal.outbox.acknowledged
        self.result.acknowledged = sent.pop(ATTLOG.name, 0)
        self.result.others = dict(sorted(sent.items()))
        self.result.waiting = sum(terminal.waiting for terminal in self.terminals)
        self.result.polls = sum(terminal.polls for terminal in self.terminals)
        self.result.commands = sum(len(terminal.executed) for terminal in self.terminals)
        return self.result

    async def _punch(self) -> None:
        """Make punches at the planned rate, on terminals that are connected."""
        plan, made = self._plan, 0
        while plan.punches is None or made < plan.punches:
            elapsed = self._clock.seconds() - self._started
            if plan.duration is not None and elapsed >= plan.duration:
                return
            if plan.duration is None and elapsed >= UNREACHED_SECONDS and not self._is_reached:
                return
            connected = [terminal for terminal in self.terminals if terminal.told]
            due = int(elapsed * plan.rate) - made if connected else 0
            if plan.punches is not None:
                due = min(due, plan.punches - made)
            for _ in range(due):
                terminal = self._chance.choice(connected)
                punch = terminal.punch()
                if terminal.sn in self._happenings:
                    self._happenings[terminal.sn].now_and_then(punch)
            made += due
            self._count_punches()
            await deferLater(self._clock, TICK)

    def _warn(self, sn: str, text: str) -> None:
        self._report(f"{sn}: {text}")

    @property
    def _is_reached(self) -> bool:
        return any(link.is_reached for link in self._links)

    def _count_punches(self) -> None:
        self.result.is_reached = self._is_reached
        self.result.punches = sum(t.outbox.made(ATTLOG) for t in self.terminals)

    async def _live(self, terminal: SimulatedTerminal) -> None:
        """One terminal's life: exchange, then records as they are made, and polls."""
        last_tries, next_poll = LAST_TRIES, 0.0
        while not self._ended or (terminal.waiting and last_tries):
            if self._ended:
                last_tries -= 1
            try:
                if not terminal.told:
                    await terminal.exchange()
                    self._report(f"{terminal.sn} is connected")
                    happenings = self._happenings.get(terminal.sn)
                    if happenings is not None and not happenings.begun:
                        happenings.begin()
                if terminal.due or self._ended:
                    await terminal.upload()
                now = self._clock.seconds()
                if now >= next_poll:
                    busy = await terminal.poll()
                    next_poll = now + (AFTER_COMMAND if busy else terminal.delay)
            except ExchangeWanted:
                terminal.told = {}
            except LinkError as error:
                self.result.failures += 1
                self._report(f"{terminal.sn}: {error}")
                if not self._ended:
                    await deferLater(self._clock, self._patience(terminal))
            await deferLater(self._clock, TICK)

    def _patience(self, terminal: SimulatedTerminal) -> float:
        """Seconds until a terminal tries again: ErrorDelay, but no longer than the plan lasts."""
        left = float("inf")
        if self._plan.duration is not None:
            left = self._started + self._plan.duration - self._clock.seconds()
        return max(0.0, min(terminal.orders.error_delay, left))


async def run_fleet(
    reactor: IReactorTime, plan: FleetPlan, report: Callable[[str], None]
) -> FleetResult:
    """Run terminals against a server: a connection for each request, as most terminals do."""
    from twisted.web.client import Agent, HTTPConnectionPool

    pool = HTTPConnectionPool(reactor, persistent=False)
    agent = Agent(reactor, connectTimeout=10, pool=pool)
    return await Fleet(plan, agent, reactor, report).run()

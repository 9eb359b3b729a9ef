"""Many simulated terminals at once."""

from __future__ import annotations

import functools
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import attrs
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ..crypto.terminal import TerminalCipher
from ..handlers.attendance.tables import ATTLOG
from .errors import LinkError, WrongServer
from .faults import Faults, Mischief
from .happenings import Happenings
from .link import Link
from .model import ATT, MODELS
from .people import People
from .terminal import ExchangeWanted, SimulatedTerminal
from .wrongserver import needs_tls, speaks_tls

if TYPE_CHECKING:
    from twisted.web.iweb import IAgent, IPolicyForHTTPS

TICK = 0.1
"""Seconds between two steps of the simulation."""
AFTER_COMMAND = 1.0
"""Seconds until the next poll after a command."""
PACKETS = "packets"
"""Name of packets in the result (11.14)."""
UNREACHED_SECONDS = 30
"""Seconds after which terminals without a time limit give up a server that has never replied."""
LAST_TRIES = 20
"""Number of final attempts to send the remaining records before they count as failures."""


@attrs.frozen
class FleetPlan:
    """Configuration of a simulation."""

    server: str
    """URL of the server, without /iclock."""
    devices: int = 1
    users: int = 50
    rate: float = 1.0
    """Punches per second, of all terminals together."""
    seed: int = 0
    duration: float | None = None
    """Seconds; None for no limit."""
    punches: int | None = None
    """Number of punches after which to stop; None for no limit."""
    models: tuple[str, ...] = (ATT.name,)
    """Models of the terminals, assigned in rotation."""
    everything: bool = False
    """Whether to send all record types of the models, not only punches."""
    faults: Faults = attrs.field(factory=Faults)
    """Injected faults."""
    strict: bool = False
    """Whether terminals reject protocol errors that real firmware tolerates."""
    encrypt: bool = False
    """Whether terminals encrypt their sessions, if their version can."""


@attrs.define
class FleetResult:
    """Result of a simulation."""

    punches: int = 0
    acknowledged: int = 0
    polls: int = 0
    commands: int = 0
    failures: int = 0
    """Requests without the expected reply."""
    others: dict[str, int] = attrs.field(factory=dict)
    """Acknowledged records other than punches, by table; and packets."""
    waiting: int = 0
    """Requested records that were not acknowledged."""
    is_reached: bool = True
    """Whether the server has ever replied."""
    fault: str | None = None
    """What is wrong with the URL of the server, and how to correct it; None if nothing is."""


Probe = Callable[[], Awaitable[bool]]


class Fleet:
    """Runs terminals against a server until the plan is complete."""

    def __init__(
        self,
        plan: FleetPlan,
        agent: IAgent,
        clock: IReactorTime,
        report: Callable[[str], None],
        probe: Probe | None = None,
    ) -> None:
        """`probe` tells whether a server that does not answer HTTP speaks TLS."""
        self._probe = probe
        self._plan = plan
        self._clock = clock
        self._report = report
        self._chance = random.Random(plan.seed)  # noqa: S311 - a simulation
        self._started = clock.seconds()
        self._ended = False
        self.result = FleetResult()
        chance = random.Random(f"{plan.seed} people")  # noqa: S311 - a simulation
        self.people = People(chance, plan.users)
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
        """Run the simulation, and count."""
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
        """Make punches at the planned rate, on connected terminals."""
        plan, made = self._plan, 0
        while plan.punches is None or made < plan.punches:
            elapsed = self._clock.seconds() - self._started
            if self.result.fault is not None:
                return
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
        """Run one terminal: exchange, then uploads and polls."""
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
            except WrongServer as error:
                self.result.fault = str(error)
                return
            except LinkError as error:
                if not self._is_reached and await self._needs_tls():
                    self.result.fault = str(needs_tls(self._plan.server))
                    return
                self.result.failures += 1
                self._report(f"{terminal.sn}: {error}")
                if not self._ended:
                    await deferLater(self._clock, self._patience(terminal))
            await deferLater(self._clock, TICK)

    async def _needs_tls(self) -> bool:
        """Whether the server speaks TLS and the plan says HTTP; asked once."""
        probe, self._probe = self._probe, None
        return probe is not None and await probe()

    def _patience(self, terminal: SimulatedTerminal) -> float:
        """Return the seconds until a retry: ErrorDelay, or the remaining time if that is less."""
        left = float("inf")
        if self._plan.duration is not None:
            left = self._started + self._plan.duration - self._clock.seconds()
        return max(0.0, min(terminal.orders.error_delay, left))


async def run_fleet(
    reactor: IReactorTime,
    plan: FleetPlan,
    report: Callable[[str], None],
    trust: IPolicyForHTTPS | None = None,
) -> FleetResult:
    """Run terminals against a server; each request uses a new connection, as on most devices.

    `trust` decides about the certificate of a server with TLS; without it, this machine's CAs do.
    """
    from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool

    pool = HTTPConnectionPool(reactor, persistent=False)
    agent = Agent(reactor, trust or BrowserLikePolicyForHTTPS(), connectTimeout=10, pool=pool)
    probe = None
    if plan.server.startswith("http://"):
        probe = functools.partial(speaks_tls, agent, plan.server)
    return await Fleet(plan, agent, reactor, report, probe).run()

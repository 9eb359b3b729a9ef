"""Areas with people and terminals, and a model of its own: who must be on which terminal.

The model knows nothing of the code: areas have people and terminals, and that is who must be
where. Hypothesis lets an operator and terminals of four kinds act in any order, with answers and
commands that get lost, and then looks at the terminals.
"""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred

from zkpush.handlers.areas.places import PlaceStore
from zkpush.handlers.areas.reconciler import Reconciler
from zkpush.simulator.faults import Faults
from zkpush.simulator.model import ATT, CLASSIC, OLD, PID

from ..rig import Rig
from ..server.test_distribution import enrol, fingers, held

MODELS = (ATT, CLASSIC, OLD, PID)
AREAS = ("North", "South", "Loose")
"""The last one does not distribute."""
LEASE = 310
FINGERS = (1, 6)
ROUNDS = 30
PEOPLE = st.sampled_from("123456")
TERMINALS = st.integers(0, len(MODELS) - 1)
SOME_AREAS = st.sets(st.sampled_from(AREAS))
MEMBERSHIPS = st.sets(st.sampled_from(AREAS[:2]), min_size=1)
SOME = st.lists(MEMBERSHIPS, min_size=3, max_size=3).filter(lambda some: some[0] != some[1])
"""The areas of three people. Hypothesis always begins with the simplest example, in which all are
alike and little happens; it is no example, and the rest need not repeat its effects."""


class AreaMachine(RuleBasedStateMachine):
    """An operator and four terminals; the model is `people`, `fingers` and `area`."""

    rig: Rig
    numbers: itertools.count[int]
    """Numbers of examples. What is lost depends on the serial numbers, which contain them."""
    faults: list[AssertionError]
    """What was found. What is lost is not repeated, so that to repeat it would show nothing."""
    is_filled = False

    def __init__(self) -> None:
        super().__init__()
        self.number = next(self.numbers)
        self.people: dict[str, tuple[str, set[str]]] = {}
        """Names and areas."""
        self.fingers: dict[str, set[int]] = {}
        self.removed: set[str] = set()
        self.area = {place: AREAS[place % 2] for place in range(len(MODELS))}

    def run(self, action: Any) -> Any:
        if self.faults:
            action.close()
            raise self.faults[0]
        try:
            return threads.blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(action))
        except AssertionError as fault:
            self.faults.append(fault)
            raise

    def name_of(self, area: str) -> str:
        return f"{area}{self.number}"

    def pin_of(self, pin: str) -> str:
        return f"{self.number}{pin}"

    async def begin(self) -> None:
        """Four terminals that have joined, in two areas that distribute."""
        faults = Faults(lose_answers=0.15, lose_polls=0.1)
        self.terminals = [
            self.rig.terminal(f"F{self.number}{model.name}", users=0, model=model, faults=faults)
            for model in MODELS
        ]
        for place, terminal in enumerate(self.terminals):
            self.rig.clock.advance(1)  # new terminals are recorded at a pace
            await terminal.exchange()
            await self.join(place, self.area[place])
        for area in AREAS[:2]:
            await self.api("PUT", f"/areas/{self.name_of(area)}", {"distributes": True})

    async def api(self, method: str, path: str, body: object = None) -> Any:
        reply = await self.rig.api(method, path, body)
        assert reply.status < 300, (method, path, reply.raw)
        return reply.json if reply.body else None

    async def join(self, place: int, area: str) -> None:
        body = {"state": "approved", "area": self.name_of(area)}
        await self.api("PATCH", f"/devices/{self.terminals[place].sn}", body)

    async def look(self, seconds: float) -> None:
        self.rig.clock.advance(seconds)
        (job,) = (job for job in self.rig.daemon.jobs if isinstance(job, Reconciler))
        await job.work()

    @initialize(some=SOME)
    def fill(self, some: list[set[str]]) -> None:
        """There are people, who are where they must be."""
        self.run(self.begin())
        self.is_filled = True
        for pin, areas in zip("123", some, strict=True):
            self.put(pin, areas, "Ann")
        self.run(self.look(3))
        for terminal in self.terminals:
            self.run(terminal.poll())

    @rule(pin=PEOPLE, areas=SOME_AREAS, name=st.sampled_from(["Ann", "Bob"]))
    def put(self, pin: str, areas: set[str], name: str) -> None:
        """An operator adds or changes a person."""
        body = {"name": name, "areas": sorted(map(self.name_of, areas))}
        self.run(self.api("PUT", f"/users/{self.pin_of(pin)}", body))
        self.people[pin] = (name, areas)
        self.removed.discard(pin)

    @rule(pin=PEOPLE)
    def delete(self, pin: str) -> None:
        """An operator removes a person."""
        if pin in self.people:
            self.run(self.api("DELETE", f"/users/{self.pin_of(pin)}"))
            del self.people[pin]
            self.fingers.pop(pin, None)
            self.removed.add(pin)

    @rule(pin=PEOPLE, place=TERMINALS)
    def enrol(self, pin: str, place: int) -> None:
        """A person is enrolled with two fingers at a terminal, under the name that is known."""
        name, _ = self.people.get(pin, ("Cid", set()))
        terminal = self.terminals[place]
        for finger in FINGERS:
            self.run(enrol(terminal, self.pin_of(pin), name, finger))
        if pin in self.removed:
            return
        if pin not in self.people:
            self.people[pin] = (name, {self.area[place]})
        self.fingers[pin] = {*FINGERS}

    @rule(pin=PEOPLE, place=TERMINALS)
    def contradict(self, pin: str, place: int) -> None:
        """A terminal that has a person states another name, and the operator keeps the stored.

        At every other terminal it is one person, under a wrong name.
        """
        real = self.pin_of(pin)
        if pin not in self.people or real not in held(self.terminals[place]):
            return
        self.run(enrol(self.terminals[place], real, "Eve", None))
        self.run(self.settle(one_person=place % 2 == 0))
        stored = self.run(self.api("GET", f"/users/{real}"))
        self.people[pin] = (stored["name"], self.people[pin][1])

    @rule(place=TERMINALS, area=st.sampled_from(AREAS))
    def move(self, place: int, area: str) -> None:
        """A terminal comes to another area."""
        self.area[place] = area
        self.run(self.join(place, area))

    @rule(place=TERMINALS)
    def reset(self, place: int) -> None:
        """A terminal that has counted its users is reset to its factory state, and polls."""
        terminal = self.terminals[place]
        self.run(terminal.poll())
        shown = self.run(self.api("GET", f"/devices/{terminal.sn}"))
        if held(terminal) and not shown["counts"].get("users"):
            return  # a fall to zero cannot be seen
        self.run(self.look(3))
        terminal.outbox.erase(terminal.outbox.everything())
        self.run(terminal.poll())
        self.run(self.look(3))

    @rule(some=st.sets(TERMINALS), seconds=st.sampled_from([1, 3, LEASE]))
    def poll(self, some: set[int], seconds: float) -> None:
        """Time goes on, and some terminals poll."""
        self.run(self.look(seconds))
        for place in some:
            self.run(self.terminals[place].poll())

    async def settle(self, *, one_person: bool = False) -> None:
        """Keep what is stored, wherever a terminal contradicts."""
        body = {"keep": "stored", "one_person": one_person}
        for conflict in await self.rig.items("/conflicts"):
            await self.api("POST", f"/conflicts/{conflict['id']}", body)

    async def confirm(self) -> None:
        """Confirm deletions that wait."""
        if await self.rig.store.read(lambda tx: tx[PlaceStore].all_guarded()):
            for area in AREAS[:2]:
                path = f"/areas/{self.name_of(area)}"
                effect = await self.api("GET", f"{path}/distribution")
                if effect["deletions"]:
                    await self.api("PUT", f"{path}?confirm={effect['deletions']}", {})

    async def converge(self) -> None:
        """Let everything end: polls, leases, conflicts, and deletions that wait."""
        quiet = 0
        for _ in range(ROUNDS):
            await self.look(LEASE)
            await self.settle()
            await self.confirm()
            busy = [await terminal.poll() for terminal in self.terminals]
            quiet = 0 if any(busy) else quiet + 1
            if quiet == 4:
                return
        raise AssertionError("the fleet does not come to rest")

    def teardown(self) -> None:
        """However it went, everybody is where they must be."""
        if not self.is_filled:
            return
        self.run(self.converge())
        for place, terminal in enumerate(self.terminals):
            area = self.area[place]
            if area not in AREAS[:2]:
                continue
            members = [pin for pin, (_, areas) in self.people.items() if area in areas]
            names = {self.pin_of(pin): self.people[pin][0] for pin in members}
            assert held(terminal) == names, (terminal.sn, area)
            wanted = {
                (self.pin_of(pin), finger)
                for pin in members
                for finger in self.fingers.get(pin, ())
            }
            assert fingers(terminal) == wanted, (terminal.sn, area)
            shown = self.run(self.rig.items(f"/devices/{terminal.sn}/users"))
            states = {one["pin"]: one["state"] for one in shown}
            assert states == dict.fromkeys(names, "there"), (terminal.sn, shown)


async def play(
    make_rig: Any, machine: type[AreaMachine], number: int, examples: int, steps: int, **more: Any
) -> None:
    """Run a machine with a seed on a daemon of its own."""
    rig = await make_rig(
        limits={"unknown_per_minute": 10_000, "requests_per_minute": 100_000},
        commands={"attempts": 50},
        **more,
    )
    faults: list[AssertionError] = []
    own = {"rig": rig, "numbers": itertools.count(1), "faults": faults}
    few = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        # What is lost depends on the serial number, so that no example can be made smaller.
        phases=[Phase.generate],
    )
    run = seed(number)(type("Run", (machine,), own))
    try:
        await threads.deferToThread(run_state_machine_as_test, run, settings=few)
    except Flaky:
        if not faults:
            raise
    if faults:
        raise faults[0]

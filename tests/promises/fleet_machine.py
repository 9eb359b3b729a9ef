"""A fleet of terminals of four kinds in three areas, against a model of who must be where.

The model knows nothing of the code: areas have people and terminals, and that is who must be where.
Hypothesis lets an operator and the terminals act in any order, with answers and commands that get
lost, and then looks at all terminals. The fleet lives on from one example to the next: setting up
terminals costs more than an example, and what one example leaves behind is where the next one
begins. Only terminals with commands poll, and in the end each of them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred

from zkpush.handlers.areas.driftstore import DriftStore
from zkpush.handlers.areas.places import PlaceStore
from zkpush.handlers.areas.reconciler import Reconciler
from zkpush.handlers.people.tables import USER
from zkpush.persist.commandschedule import CommandSchedule
from zkpush.persist.devices import DeviceStore
from zkpush.persist.transaction import Transaction
from zkpush.simulator.faults import Faults
from zkpush.simulator.model import ATT, CLASSIC, OLD, PID
from zkpush.simulator.record import Record, RecordForm

from ..rig import Rig
from ..server.test_distribution import enrol, fingers, held

MODELS = (ATT, CLASSIC, OLD, PID)
SIZE = 50
"""Number of terminals, at the most."""
AREAS = ("North", "South", "Loose")
"""The last one does not distribute."""
LEASE = 310
LONG = 1200
"""Seconds to the next look while no terminal has anything to do but wait to be asked."""
FINGERS = (1, 6)
SEED, EXAMPLES, STEPS = 1, 1, 14
"""The example that finds all planted bugs, and nothing in the code as it is."""
ROUNDS = 45
PINS = "1234567"
PEOPLE = st.sampled_from(PINS)
TERMINALS = st.integers(0, SIZE - 1)
"""Places in the fleet; a smaller one is counted through again."""
MEMBERSHIPS = st.sets(st.sampled_from(AREAS[:2]), min_size=1)
SOME = st.lists(MEMBERSHIPS, min_size=3, max_size=3).filter(lambda some: some[0] != some[1])
"""The areas of three people. Hypothesis always begins with the simplest example, in which all are
alike and little happens; it is no example, and the rest need not repeat its effects."""
SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    # The fleet lives on, so that no example can be repeated or made smaller.
    phases=[Phase.generate],
)


class Fleet:
    """The daemon, the terminals, and the model of who must be where."""

    def __init__(self, rig: Rig, size: int) -> None:
        self.rig = rig
        faults = Faults(lose_answers=0.1, lose_polls=0.05)
        self.terminals = [
            rig.terminal(f"F{place:02}", users=0, model=MODELS[place % 4], faults=faults)
            for place in range(size)
        ]
        self.area = {place: AREAS[(place // 4) % 5 // 2] for place in range(size)}
        self.people: dict[str, tuple[str, set[str]]] = {}
        """Names and areas."""
        self.fingers: dict[str, set[int]] = {}
        self.removed: set[str] = set()
        self.drifted: dict[int, int] = {}
        """How often terminals lost or gained somebody since the last convergence."""
        self.strangers = 0
        self.fault: AssertionError | None = None
        """What was found. The fleet lives on, so that to repeat the example would show nothing."""

    async def begin(self) -> None:
        """Let all terminals join, and two areas distribute."""
        for place, terminal in enumerate(self.terminals):
            self.rig.clock.advance(1)  # new terminals are recorded at a pace
            await terminal.exchange()
            await self.join(place)
        for area in AREAS[:2]:
            await self.api("PUT", f"/areas/{area}", {"distributes": True})

    async def api(self, method: str, path: str, body: object = None) -> Any:
        """Send a request that succeeds."""
        reply = await self.rig.api(method, path, body)
        assert reply.status < 300, (method, path, reply.raw)
        return reply.json if reply.body else None

    async def join(self, place: int) -> None:
        """Put a terminal into its area."""
        body = {"state": "approved", "area": self.area[place]}
        await self.api("PATCH", f"/devices/{self.terminals[place].sn}", body)

    async def look(self, seconds: float) -> None:
        """Let time pass, and the reconciler look."""
        self.rig.clock.advance(seconds)
        (job,) = (job for job in self.rig.daemon.jobs if isinstance(job, Reconciler))
        await job.work()

    async def busy(self) -> list[int]:
        """The terminals with commands, and those whose counts are to be compared."""

        def read_thd(tx: Transaction) -> set[str]:
            keys = {*tx[CommandSchedule].all_due()}
            return {device.sn for device in devices_of(tx, keys)}

        serials = await self.rig.store.read(read_thd)
        return [place for place, one in enumerate(self.terminals) if one.sn in serials]

    async def poll(self, places: Collection[int]) -> bool:
        """Let terminals poll; returns whether there were commands."""
        return any([await self.terminals[place].poll() for place in places])

    async def settle(self) -> None:
        """Keep what is stored, wherever a terminal contradicts."""
        for conflict in await self.rig.items("/conflicts"):
            await self.api("POST", f"/conflicts/{conflict['id']}", {"keep": "stored"})

    async def confirm(self) -> None:
        """Confirm deletions that wait."""
        if await self.rig.store.read(lambda tx: tx[PlaceStore].all_guarded()):
            for area in AREAS[:2]:
                effect = await self.api("GET", f"/areas/{area}/distribution")
                if effect["deletions"]:
                    await self.api("PUT", f"/areas/{area}?confirm={effect['deletions']}", {})

    async def converge(self) -> None:
        """Let everything end: polls, leases, conflicts, deletions that wait, and drift."""
        for place, count in self.drifted.items():
            # A count that is as before does not show a loss and a gain.
            if count > 1 and self.area[place] in AREAS[:2]:
                await self.api("POST", f"/devices/{self.terminals[place].sn}/repair")
        polled = {*self.drifted}
        self.drifted = {}
        seconds, are_counted = LEASE, False
        for _ in range(ROUNDS):
            await self.look(seconds)
            await self.settle()
            await self.confirm()
            places = {*await self.busy(), *polled}
            polled = set()
            seconds = LEASE
            if await self.poll(places) or places:
                are_counted = False
            elif not await self.is_at_rest():
                are_counted, seconds = False, LONG
            elif are_counted:
                return
            else:  # a count that is older than the last command can hide a loss
                are_counted = not await self.poll(range(len(self.terminals)))
        raise AssertionError("the fleet does not come to rest")

    async def is_at_rest(self) -> bool:
        """Whether no terminal is being asked, or is about to be, because its counts differ."""
        drifts = await self.rig.store.read(lambda tx: tx[DriftStore].all())
        return not any(
            one.command or one.due_at is not None or one.differs != one.settled
            for one in drifts.values()
        )

    async def check(self) -> None:
        """Compare all terminals with the model, and what the server says about them."""
        real = await self.rig.store.read(_states_thd)
        for place, terminal in enumerate(self.terminals):
            area = self.area[place]
            if area not in AREAS[:2]:
                continue
            members = [pin for pin, (_, areas) in self.people.items() if area in areas]
            names = {pin: self.people[pin][0] for pin in members}
            assert held(terminal) == names, (terminal.sn, area)
            wanted = {(pin, finger) for pin in members for finger in self.fingers.get(pin, ())}
            assert fingers(terminal) == wanted, (terminal.sn, area)
            states = real.get(terminal.sn, {})
            assert states == {pin: {"there"} for pin in members}, (terminal.sn, states)


def devices_of(tx: Transaction, keys: Collection[int]) -> Any:
    """The terminals with these keys."""
    return tx[DeviceStore].with_keys(keys)


def _states_thd(tx: Transaction) -> dict[str, dict[str, set[str]]]:
    """The states of the parts of people on terminals, by serial number and user ID."""
    keys = {
        key for (key,) in tx.connection.exec_driver_sql("SELECT DISTINCT device_id FROM places")
    }
    serials = {device.id: device.sn for device in devices_of(tx, keys)}
    found: dict[str, dict[str, set[str]]] = {}
    rows = tx.connection.exec_driver_sql("SELECT DISTINCT device_id, pin, state FROM places")
    for key, pin, state in rows:
        found.setdefault(serials[key], {}).setdefault(pin, set()).add(state)
    return found


class FleetMachine(RuleBasedStateMachine):
    """An operator and the terminals of a fleet."""

    fleet: Fleet
    is_filled = False

    def run(self, action: Any) -> Any:
        """Run a coroutine in the reactor, unless a fault was found."""
        fleet = self.fleet
        if fleet.fault is not None:
            action.close()
            raise fleet.fault
        try:
            return threads.blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(action))
        except AssertionError as fault:
            fleet.fault = fault
            raise

    def place(self, number: int) -> int:
        """Return a place of this fleet."""
        return number % len(self.fleet.terminals)

    @initialize(some=SOME)
    def fill(self, some: list[set[str]]) -> None:
        """There are people on the terminals, one with fingerprints; one is lost, one reset."""
        fleet, self.is_filled = self.fleet, True
        for pin, areas in zip(PINS, some, strict=False):
            self.put(pin, areas, "Ann")
        place = next(key for key, area in fleet.area.items() if area in some[0])
        self.enrol(PINS[0], place)
        for _ in range(2):
            self.run(fleet.look(3))
            self.run(fleet.poll(self.run(fleet.busy())))
        self.lose_somebody()
        others = [key for key, area in fleet.area.items() if area in some[0] and key != place]
        self.reset(others[-1])

    @rule(
        pin=PEOPLE,
        areas=st.sets(st.sampled_from(AREAS)),
        name=st.sampled_from(["Ann", "Bob"]),
    )
    def put(self, pin: str, areas: set[str], name: str) -> None:
        """An operator adds or changes a person."""
        fleet = self.fleet
        body = {"name": name, "areas": sorted(areas)}
        self.run(fleet.api("PUT", f"/users/{pin}", body))
        fleet.people[pin] = (name, areas)
        fleet.removed.discard(pin)

    @rule(pin=PEOPLE)
    def delete(self, pin: str) -> None:
        """An operator removes a person."""
        fleet = self.fleet
        if pin in fleet.people:
            self.run(fleet.api("DELETE", f"/users/{pin}"))
            del fleet.people[pin]
            fleet.fingers.pop(pin, None)
            fleet.removed.add(pin)

    @rule(pin=PEOPLE, place=TERMINALS)
    def enrol(self, pin: str, place: int) -> None:
        """A person is enrolled with two fingers at a terminal, under the name that is known."""
        fleet, place = self.fleet, self.place(place)
        name, _ = fleet.people.get(pin, ("Cid", set()))
        for finger in FINGERS:
            self.run(enrol(fleet.terminals[place], pin, name, finger))
        if pin in fleet.removed:
            return
        if pin not in fleet.people:
            fleet.people[pin] = (name, {fleet.area[place]})
        fleet.fingers[pin] = {*FINGERS}

    @rule(pin=PEOPLE, place=TERMINALS)
    def contradict(self, pin: str, place: int) -> None:
        """A terminal that has a person states another name, and the operator keeps the stored."""
        fleet, place = self.fleet, self.place(place)
        if pin not in fleet.people or pin not in held(fleet.terminals[place]):
            return
        self.run(enrol(fleet.terminals[place], pin, "Eve", None))
        self.run(fleet.settle())
        stored = self.run(fleet.api("GET", f"/users/{pin}"))
        fleet.people[pin] = (stored["name"], fleet.people[pin][1])

    @rule(place=TERMINALS, area=st.sampled_from(AREAS))
    def move(self, place: int, area: str) -> None:
        """A terminal comes to another area."""
        place = self.place(place)
        self.fleet.area[place] = area
        self.run(self.fleet.join(place))

    @rule(place=TERMINALS)
    def reset(self, place: int) -> None:
        """A terminal that has counted its users is reset to its factory state, and polls."""
        fleet, terminal = self.fleet, self.fleet.terminals[self.place(place)]
        self.run(terminal.poll())
        shown = self.run(fleet.api("GET", f"/devices/{terminal.sn}"))
        if held(terminal) and not shown["counts"].get("users"):
            return  # a fall to zero cannot be seen
        self.run(fleet.look(3))
        terminal.outbox.erase(terminal.outbox.everything())
        self.run(terminal.poll())
        self.run(fleet.look(3))

    @rule(pin=PEOPLE, place=TERMINALS)
    def lose(self, pin: str, place: int) -> None:
        """A terminal loses a person, and does not say so."""
        fleet, place = self.fleet, self.place(place)
        terminal = fleet.terminals[place]
        if pin in held(terminal) and not terminal.waiting:
            terminal.outbox.forget(pin)
            fleet.drifted[place] = fleet.drifted.get(place, 0) + 1

    @rule(place=TERMINALS)
    def gain(self, place: int) -> None:
        """A terminal of an area that distributes gets an unknown person, and does not say so."""
        fleet, place = self.fleet, self.place(place)
        area = fleet.area[place]
        if area not in AREAS[:2] or fleet.strangers >= 3:
            return
        fleet.strangers += 1
        pin, terminal = f"9{fleet.strangers}", fleet.terminals[place]
        user = terminal.people.person(pin).user(card_bytes=terminal.model.old)
        values = {**user.values, "name": "Fay", "privilege": 0}
        terminal.keep(Record(RecordForm(USER, values), USER.transfer[-1:], sent=True, given=True))
        fleet.drifted[place] = fleet.drifted.get(place, 0) + 1
        self.run(fleet.converge())
        fleet.people[pin] = ("Fay", {area})

    @rule(seconds=st.sampled_from([1, 3, LEASE]), some=st.sets(TERMINALS, max_size=20))
    def poll(self, seconds: float, some: set[int]) -> None:
        """Time goes on, and some terminals poll."""
        fleet = self.fleet
        self.run(fleet.look(seconds))
        places = {self.place(place) for place in some}
        self.run(fleet.poll(places & {*self.run(fleet.busy())}))

    def teardown(self) -> None:
        """However it went, everybody is where they must be, even if one is lost at the end."""
        if not self.is_filled:
            return
        self.run(self.fleet.converge())
        self.run(self.fleet.check())
        if len(self.fleet.terminals) < SIZE:  # more terminals would only take longer
            self.lose_somebody()
            self.run(self.fleet.converge())
            self.run(self.fleet.check())

    def lose_somebody(self) -> None:
        """The first terminal that distributes and has people loses one of them."""
        fleet = self.fleet
        for place, terminal in enumerate(fleet.terminals):
            if held(terminal) and fleet.area[place] in AREAS[:2]:
                self.lose(min(held(terminal)), place)
                return

"""The promise of areas, with erasures, CLEAR DATA and decisions about conflicts.

As `area_machine`, whose model and rules it goes on with: an operator also erases people, has
terminals cleared, and decides conflicts for a terminal that has another person under the user ID.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import pytest_twisted
from hypothesis import strategies as st
from hypothesis.stateful import rule

from zkpush.handlers.people.returns import ErasedReturns
from zkpush.handlers.people.strangers import StrangerStore
from zkpush.persist.devices import DeviceStore

from ..server.test_distribution import enrol, held
from .area_machine import AREAS, FINGERS, LEASE, PEOPLE, TERMINALS, AreaMachine, play

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("no_cover")]
SEED, EXAMPLES, STEPS = 4, 6, 15
OTHER_FINGER = 7
ENDED = ("done", "failed", "expired", "cancelled", "unknown")


class ErasureMachine(AreaMachine):
    """Those rules, and erasures, CLEAR DATA and decisions."""

    def __init__(self) -> None:
        super().__init__()
        self.erased: set[str] = set()
        self.is_undecided = False
        """Whether it is not known if a terminal was cleared."""

    async def look(self, seconds: float) -> None:
        await super().look(seconds)
        for job in self.rig.daemon.jobs:
            if isinstance(job, ErasedReturns):
                await job.work()

    async def settle(self, *, one_person: bool = False) -> None:
        """Keep what is stored; one decision may end several conflicts."""
        body = {"keep": "stored", "one_person": one_person}
        for conflict in await self.rig.items("/conflicts"):
            reply = await self.rig.api("POST", f"/conflicts/{conflict['id']}", body)
            assert reply.status in (200, 404), reply.raw

    async def is_stranger(self, pin: str, place: int) -> bool:
        """Whether a terminal has another person under a user ID."""
        real, sn = self.pin_of(pin), self.terminals[place].sn
        return await self.rig.store.read(
            lambda tx: real in tx[StrangerStore].at(tx[DeviceStore].find(sn).id, [real])
        )

    @rule(pin=PEOPLE, areas=st.sets(st.sampled_from(AREAS)), name=st.sampled_from(["Ann", "Bob"]))
    def put(self, pin: str, areas: set[str], name: str) -> None:
        """An operator adds or changes a person.

        Who is added again is the same person: fingers that are not deleted yet would stay.
        """
        if pin in self.removed:
            self.run(self.converge())
        super().put(pin, areas, name)
        self.erased.discard(pin)

    @rule(pin=PEOPLE)
    def erase(self, pin: str) -> None:
        """An operator erases a person."""
        if pin in self.people:
            self.run(self.api("DELETE", f"/users/{self.pin_of(pin)}?erase=true"))
            del self.people[pin]
            self.fingers.pop(pin, None)
            self.removed.add(pin)
            self.erased.add(pin)

    @rule(pin=PEOPLE, place=TERMINALS)
    def enrol(self, pin: str, place: int) -> None:
        """A person is enrolled; fingers of a stranger are not those of the person."""
        was_stranger = self.run(self.is_stranger(pin, place))
        name, _ = self.people.get(pin, ("Cid", set()))
        for finger in FINGERS:
            self.run(enrol(self.terminals[place], self.pin_of(pin), name, finger))
        if pin in self.removed:
            return
        if pin not in self.people:
            self.people[pin] = (name, {self.area[place]})
        if not was_stranger and not self.run(self.is_stranger(pin, place)):
            self.fingers[pin] = {*self.fingers.get(pin, ()), *FINGERS}

    @rule(pin=PEOPLE, place=TERMINALS, keep=st.sampled_from(["stored", "terminal"]))
    def confuse(self, pin: str, place: int, keep: str) -> None:
        """Another person is enrolled under a user ID, and an operator decides for one of them."""
        real = self.pin_of(pin)
        if pin not in self.people or real not in held(self.terminals[place]):
            return
        self.run(enrol(self.terminals[place], real, "Eve", OTHER_FINGER))
        self.run(self.decide(real, keep))
        stored = self.run(self.api("GET", f"/users/{real}"))
        templates = self.run(self.rig.items(f"/users/{real}/templates"))
        self.people[pin] = (stored["name"], self.people[pin][1])
        self.fingers[pin] = {one["number"] for one in templates}

    async def decide(self, real: str, keep: str) -> None:
        """Decide about the name of a person, and keep what is stored of all else."""
        for one in await self.rig.items("/conflicts"):
            is_name = "name" in one["fields"] and one["pin"] == real
            side = keep if is_name else "stored"
            await self.rig.api("POST", f"/conflicts/{one['id']}", {"keep": side})

    @rule(place=TERMINALS)
    def clear(self, place: int) -> None:
        """An operator has a terminal cleared, which may lose the command or the answer."""
        self.run(self.send_clear(place))

    async def send_clear(self, place: int) -> None:
        terminal = self.terminals[place]
        path, body = f"/devices/{terminal.sn}/commands", {"command": "CLEAR DATA"}
        reply = await self.rig.api("POST", path, body)
        if reply.status == 409:
            asked = re.search(r"delete (\d+)", reply.json["detail"])
            assert asked is not None
            reply = await self.rig.api("POST", f"{path}?confirm={asked[1]}", body)
        assert reply.status == 202, reply.raw
        for _ in range(8):
            self.rig.clock.advance(1)
            await terminal.poll()
            shown = await self.api("GET", f"/commands/{reply.json['id']}")
            if shown["state"] in ENDED:
                break
            self.rig.clock.advance(LEASE)
            await self.rig.daemon.queue.end_overdue()
        self.rig.clock.advance(1)
        self.is_undecided = self.is_undecided or shown["state"] != "done"

    def teardown(self) -> None:
        """Everybody is where they must be, and no terminal has anybody who was erased."""
        if self.is_undecided or not self.is_filled:
            return
        super().teardown()
        for terminal in self.terminals:
            assert not {self.pin_of(pin) for pin in self.erased} & {*held(terminal)}, terminal.sn


@pytest_twisted.ensureDeferred
async def test_everybody_is_where_they_must_be(make_rig: Any) -> None:
    """After any erasures, CLEAR DATA and decisions, with losses."""
    await play(make_rig, ErasureMachine, SEED, EXAMPLES, STEPS)


@pytest_twisted.ensureDeferred
async def test_everybody_is_where_they_must_be_on_postgresql(
    make_rig: Any, postgres_url: str
) -> None:
    """As on SQLite."""
    await play(make_rig, ErasureMachine, SEED, EXAMPLES, STEPS, database=postgres_url)

"""Erasing a person: nothing about them stays in the outbox, and everybody else's events arrive."""

from __future__ import annotations

from typing import Any

import pytest_twisted
from sqlalchemy import select

from zkpush.handlers.forward.schema import forward_batches, forward_dead, forward_documents
from zkpush.handlers.forward.store import erase_person
from zkpush.persist.erasing import PersonErasure
from zkpush.persist.events import EventStore
from zkpush.values.forwarding import Delivered, ForwardBatch, Outcome

from ..rig import Rig
from .receivers import Memory, add, down, engine_of, punch, takes, turn, turns


async def erase(rig: Rig, pin: str, *, with_attendance: bool) -> int:
    """Call the hook as an engine does."""

    def unit(tx: Any) -> int:
        return erase_person(
            PersonErasure(tx=tx, pin=pin, now=tx.now(), with_attendance=with_attendance)
        )

    found: int = await rig.store.write(unit)
    return found


async def stored(rig: Rig) -> str:
    """Everything in the outbox."""

    def query(tx: Any) -> str:
        tables = forward_batches.c.events, forward_dead.c.event
        return "".join(
            text for column in tables for text in tx.connection.execute(select(column)).scalars()
        )

    found: str = await rig.store.read(query)
    return found


async def filled(make_rig: Any, memory: Memory, **rules: Any) -> Rig:
    """Two punches and two changes of people, in a batch that was not delivered."""
    rig: Rig = await make_rig(plugins=[memory])
    await rig.exchange()
    events = ["attendance", "user"]
    await add(rig, events=events, rules={"since": "2026-01-01", **rules})
    await punch(rig, [771, 772])

    def unit(tx: Any) -> None:
        for pin in ("771", "772"):
            tx[EventStore].add("user", {"pin": pin, "what": "name", "device": "T1"})

    await rig.store.write(unit)
    await turn(rig)
    return rig


@pytest_twisted.ensureDeferred
async def test_a_pending_batch_loses_the_person_and_gets_a_new_id(make_rig) -> None:
    """The worker that has read it sends what is left, under ids of events that stay."""
    memory = Memory(down)
    rig = await filled(make_rig, memory)
    (before,) = memory.batches
    assert await erase(rig, "771", with_attendance=True) == 1
    assert "771" not in await stored(rig)
    memory.answer = takes
    await turns(rig, 5)
    (after,) = memory.taken
    assert after.id != before.id
    kept = [one for one in before.events if one.data["pin"] == "772"]
    assert after.events == tuple(kept)
    assert len(kept) == 2


@pytest_twisted.ensureDeferred
async def test_punches_stay_unless_they_are_erased_too(make_rig) -> None:
    """Under their user ID, for the wage of somebody who has left."""
    memory = Memory(down)
    rig = await filled(make_rig, memory)
    await erase(rig, "771", with_attendance=False)
    memory.answer = takes
    await turns(rig, 5)
    found = [(one.type, one.data["pin"]) for batch in memory.taken for one in batch.events]
    assert sorted(found) == [("attendance", "771"), ("attendance", "772"), ("user", "772")]


@pytest_twisted.ensureDeferred
async def test_dead_letters_lose_the_person(make_rig) -> None:
    """Also where the data has other names, and no user ID."""

    def parks(batch: ForwardBatch) -> Outcome:
        return Delivered("", {one.id: "unknown" for one in batch.events})

    memory = Memory(parks)
    rig = await filled(make_rig, memory, fields={"who": "{pin}"})
    assert (await stored(rig)).count("771") == 2
    assert await erase(rig, "771", with_attendance=True) == 2
    assert "771" not in await stored(rig)
    assert len(await rig.items("/forwarders/1/dead")) == 2


@pytest_twisted.ensureDeferred
async def test_names_of_documents_go_with_the_punches(make_rig) -> None:
    """Those of other people stay."""
    memory = Memory()
    rig = await filled(make_rig, memory)
    documents = memory.targets[0].documents
    for number in (1, 2):
        await documents.keep(f"rec_{number}", f"CHECKIN-{number}")
    query = select(forward_documents.c.name)
    await erase(rig, "771", with_attendance=True)
    found = await rig.store.read(lambda tx: tx.connection.execute(query).scalars().all())
    assert found == ["CHECKIN-2"]
    assert not engine_of(rig).is_delivering

"""Distribution to terminals that are nearly full, and its remaining time."""

from __future__ import annotations

from typing import Any

import pytest_twisted

from zkpush.persist.devices import DeviceStore
from zkpush.persist.transaction import Transaction

from ..console.browser import signed_in, text_of
from ..rig import Rig
from .test_distribution import distribute, look, person, wired
from .test_queue import answer


async def counted(rig: Rig, users: int) -> None:
    """Terminal A1 counts its users, and has room for 100."""
    await rig.post("cdata?SN=A1&table=options", f"~MaxUserCount=1,UserCount={users}".encode())
    await look(rig)


async def fetched(rig: Rig, seconds: float = 0) -> list[str]:
    """The commands of a poll, each answered after some seconds."""
    lines = (await rig.get("getrequest?SN=A1")).body.decode().splitlines()
    found = [line.split(":", 2)[1:] for line in lines if line != "OK"]
    for key, _ in found:
        rig.clock.advance(seconds)
        await answer(rig, key, 0, "A1")
    await look(rig)
    return [text for _, text in found]


async def place(rig: Rig, pin: str) -> Any:
    """Where a person is on the only terminal."""
    (found,) = await rig.items(f"/users/{pin}/places")
    return found


@pytest_twisted.ensureDeferred
async def test_people_beyond_the_capacity_do_not_fit_until_there_is_room(rig: Rig) -> None:
    """The reason is in words, and a fall of the count makes room for the next one."""
    await wired(rig)
    await counted(rig, 99)
    await distribute(rig)
    await person(rig, "1", name="Ann")
    await person(rig, "2", name="Bob")
    await look(rig)
    assert [text.partition("\t")[0] for text in await fetched(rig)] == [
        "DATA UPDATE USERINFO PIN=1"
    ]
    assert (await place(rig, "1"))["state"] == "there"
    misfit = await place(rig, "2")
    assert misfit["state"] == "does_not_fit"
    assert misfit["meaning"] == "The terminal is full: it holds at most 100 users."
    assert any(one["detail"].endswith("of user 2") for one in await rig.items("/problems"))
    await counted(rig, 100)
    await person(rig, "1", name="Anne")  # a change needs no room
    await look(rig)
    assert len(await fetched(rig)) == 1
    await counted(rig, 99)
    assert [text.partition("\t")[0] for text in await fetched(rig)] == [
        "DATA UPDATE USERINFO PIN=2"
    ]
    assert (await place(rig, "2"))["state"] == "there"


async def heard(rig: Rig, at: int) -> None:
    """The last request of terminal A1 came at an instant (ms)."""

    def note(tx: Transaction) -> None:
        device = tx[DeviceStore].find("A1")
        assert device is not None
        tx[DeviceStore].change(device.id, {"last_seen_at": at})

    await rig.store.write(note)


@pytest_twisted.ensureDeferred
async def test_the_remaining_time_leaves_out_terminals_that_are_not_connected(rig: Rig) -> None:
    """Their parts are counted apart from the others, also on the page of the area."""
    await wired(rig)
    await distribute(rig)
    for pin in ("1", "2", "3", "4"):
        await person(rig, pin, name="Ann")
    await look(rig)
    await heard(rig, rig.daemon.registry.now())
    shown = (await rig.api("GET", "/areas/North/distribution")).json
    assert (shown["seconds_left"], shown["for_unconnected"]) == (None, 0)
    rig.clock.advance(3600)
    shown = (await rig.api("GET", "/areas/North/distribution")).json
    assert (shown["seconds_left"], shown["for_unconnected"]) == (0, 4)
    page = text_of(await (await signed_in(rig)).get("/areas/North"))
    assert "4 parts wait for terminals that are not connected." in page


@pytest_twisted.ensureDeferred
async def test_the_remaining_time_follows_the_pace(rig: Rig) -> None:
    """Of the last ten minutes; without a pace it is unknown, and 0 at the end."""

    async def left() -> Any:
        await heard(rig, rig.daemon.registry.now())
        return (await rig.api("GET", "/areas/North/distribution")).json["seconds_left"]

    await wired(rig)
    await distribute(rig)
    assert await left() == 0
    for pin in ("1", "2", "3", "4"):
        await person(rig, pin, name="Ann")
    await look(rig)
    assert await left() is None
    await fetched(rig, seconds=30)
    assert await left() == 0
    for pin in ("5", "6"):
        await person(rig, pin, name="Ann")
    await look(rig)
    # The first of four commands ended 90 s before the last one, and three looks took 3 s each.
    found = await left()
    assert 45 <= found <= 60, found
    rig.clock.advance(700)
    assert await left() is None

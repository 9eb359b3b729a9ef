"""Events for listeners who are limited to areas: what was of their areas when it happened."""

from __future__ import annotations

from typing import Any

import pytest_twisted

from ..rig import Rig
from ..server.sse import Listening
from .limited import Planted, plant, shown

KINDS = "?kinds=user,access_data"


async def told(rig: Rig, planted: Planted) -> list[dict[str, Any]]:
    """What a limited listener was told of the changes here, until the end of the feed."""
    token = planted.headers[0].rpartition(" ")[2]
    listener = await Listening(rig, f"{KINDS}&last_event_id=0.0", token=token).begun()
    last = await Listening(rig, KINDS).begun()
    await rig.api("PUT", "/users/8", {"name": "Last", "areas": ["North"]})
    await last.hear(1)
    await listener.hear(1)
    while not any(data.get("pin") == "8" for _, _, data in listener.told):
        rig.clock.advance(1)
        await rig.store.read(lambda tx: None)
    assert shown(listener.text.encode()) == []
    assert "(areas)" not in listener.text + last.text
    for one in (listener, last):
        one.hang_up()
    return [data for _, _, data in listener.told]


@pytest_twisted.ensureDeferred
async def test_the_removal_of_a_person_is_told_to_the_areas_of_the_person(rig: Rig) -> None:
    """Whoever is removed or leaves was of the area; people of other areas are not named."""
    planted = await plant(rig)
    await rig.api("PUT", "/users/6", {"name": "Bea", "areas": ["North"]})
    for pin in ("6", "99177"):
        assert (await rig.api("DELETE", f"/users/{pin}")).status == 200
    await rig.api("PUT", "/users/5", {"areas": ["Southside"]})
    await rig.api("PUT", "/users/99178", {"areas": ["Elsewhere"]})
    found = [(one["pin"], one["what"]) for one in await told(rig, planted) if "pin" in one]
    assert ("6", "deleted") in found
    assert ("5", "areas") in found
    assert {pin for pin, _ in found} == {"1", "5", "6", "8"}


@pytest_twisted.ensureDeferred
async def test_changes_of_access_data_are_told_to_the_area(rig: Rig) -> None:
    """Each change of an entry is one event, without its content; other areas are not told."""
    planted = await plant(rig)
    for area in ("Southside", "North"):
        path = f"/areas/{area}/work-codes/10"
        for _ in range(2):
            await rig.api("PUT", path, {"name": "Welding"})
        await rig.api("DELETE", path)
    found = [one for one in await told(rig, planted) if "table" in one]
    assert [one["what"] for one in found] == ["added", "changed", "removed"]
    assert [(one["area"], one["table"], one["key"]) for one in found] == [
        ("North", "work-codes", "10")
    ] * 3
    assert all(one.keys() == {"at", "area", "table", "key", "what"} for one in found)

"""Areas by the API."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig


async def terminal(rig: Rig, sn: str, area: str | None = None) -> None:
    """Add an approved terminal, in an area."""
    await rig.exchange(sn)
    changed = await rig.api("PATCH", f"/devices/{sn}", {"state": "approved", "area": area})
    assert changed.status == 200, changed.raw


async def person(rig: Rig, pin: str, *areas: str) -> None:
    """Add a person to areas."""
    assert (await rig.api("PUT", f"/users/{pin}", {"areas": [*areas]})).status == 200


def area(name: str, devices: int = 0, users: int = 0, description: str | None = None):
    """An area as it is listed."""
    return {
        "name": name,
        "description": description,
        "distributes": False,
        "devices": devices,
        "users": users,
    }


@pytest_twisted.ensureDeferred
async def test_an_area_exists_by_its_terminals_its_people_or_its_description(rig: Rig) -> None:
    """All are listed by name, with their numbers; none distributes."""
    await terminal(rig, "T1", "North")
    await terminal(rig, "T2")
    await person(rig, "1", "North", "South")
    await person(rig, "2", "South")
    described = await rig.api("PUT", "/areas/East", {"description": "Empty yet"})
    assert described.json == {**area("East", description="Empty yet"), "consequences": None}
    expected = [
        area("East", description="Empty yet"),
        area("North", devices=1, users=1),
        area("South", users=2),
        area("default", devices=1),
    ]
    assert await rig.items("/areas") == expected
    assert (await rig.api("GET", "/areas/North")).json == expected[1]
    first = await rig.api("GET", "/areas?limit=3")
    assert first.json["items"] == expected[:3]
    following = await rig.api("GET", f"/areas?after={first.json['next']}")
    assert (following.json["items"], following.json["next"]) == (expected[3:], None)


@pytest_twisted.ensureDeferred
async def test_deleting_an_area_leaves_its_people(rig: Rig) -> None:
    """They lose this area only, however many they are, and history says by whom."""
    for number in range(103):
        await person(rig, str(number), "Old", *(["New"] if number == 7 else []))
    assert (await rig.api("DELETE", "/areas/Old")).status == 204
    assert await rig.items("/areas") == [area("New", users=1), area("default")]
    assert len(await rig.items("/users?limit=1000")) == 103
    history = await rig.items("/users/7/history")
    assert (history[0]["old"], history[0]["new"], history[0]["author"]) == (
        "New, Old",
        "New",
        "token admin",
    )


@pytest_twisted.ensureDeferred
async def test_an_area_with_terminals_is_not_deleted(rig: Rig) -> None:
    """Its terminals are moved first."""
    await terminal(rig, "T1", "North")
    refused = await rig.api("DELETE", "/areas/North")
    assert (refused.status, "1 terminal" in refused.json["detail"]) == (409, True)
    assert (await rig.api("GET", "/areas/North")).status == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/areas/%20North", {}, 400),
        (f"/areas/{'x' * 101}", {}, 400),
        ("/areas/a%09b", {}, 400),
        ("/areas/North", {"description": "x" * 1001}, 400),
        ("/areas/North", {"colour": "red"}, 400),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_area_is_refused(rig: Rig, path, body, status) -> None:
    """Nothing is stored."""
    assert (await rig.api("PUT", path, body)).status == status
    assert await rig.items("/areas") == [area("default")]


@pytest_twisted.ensureDeferred
async def test_an_unknown_area_is_not_found(rig: Rig) -> None:
    """It is shown as such, and cannot be deleted."""
    for method in ("GET", "DELETE"):
        assert (await rig.api(method, "/areas/Nowhere")).status == 404

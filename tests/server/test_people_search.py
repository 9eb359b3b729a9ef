"""Searches for people, by the API."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig

PEOPLE = {
    "5": {"name": "Ann Lee", "card": "77", "areas": ["North"]},
    "51": {"name": "Émile Leeds", "vice_card": "78", "areas": ["North", "South"]},
    "6": {"name": "Bob 100%", "privilege": 14},
    "7": {"name": "_Cid", "card": "5"},
}
PHOTO = b"USERPIC PIN=5\tFileName=5.jpg\tSize=8\tContent=/9j/2Q==\n"


async def fill(rig: Rig) -> None:
    """Four people of operators, and two of them at a terminal."""
    for pin, fields in PEOPLE.items():
        await rig.api("PUT", f"/users/{pin}", fields)
    await rig.exchange()
    rows = b"USER PIN=5\tName=Ann Lee\nUSER PIN=6\tName=Bob 100%\n"
    rows += b"FP PIN=5\tFID=1\tSize=4\tValid=1\tTMP=b25l\n" + PHOTO
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", rows)).status == 200


async def found(rig: Rig, query: str) -> list[str]:
    """The user IDs that a search returns."""
    return [user["pin"] for user in await rig.items(f"/users?{query}")]


@pytest.mark.parametrize(
    ("query", "pins"),
    [
        ("", ["5", "51", "6", "7"]),
        ("search=lee", ["5", "51"]),
        ("search=5", ["5", "51", "7"]),
        ("search=78", ["51"]),
        ("name=LEE%20ann", ["5"]),
        ("name=%C3%A9mile", ["51"]),
        ("name=LEEDS%20emile", ["51"]),
        ("search=emi", ["51"]),
        ("search=%C3%A1nn&name=E%CC%81E", ["5"]),
        ("name=100%25", ["6"]),
        ("name=1%250", []),
        ("name=_", ["7"]),
        ("card=77", ["5"]),
        ("card=78", ["51"]),
        ("card=7", []),
        ("area=North", ["5", "51"]),
        ("area=default", ["6", "7"]),
        ("area=North&name=ann", ["5"]),
        ("privilege=14", ["6"]),
        ("device=T1", ["5", "6"]),
        ("has_templates=true", ["5"]),
        ("has_templates=false", ["51", "6", "7"]),
        ("has_photo=true", ["5"]),
        ("has_photo=false&device=T1", ["6"]),
        ("order=desc&area=North&limit=1", ["51"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_searches(rig: Rig, query: str, pins: list[str]) -> None:
    """Every condition selects those whom it describes, and all conditions apply."""
    await fill(rig)
    assert await found(rig, query) == pins


@pytest_twisted.ensureDeferred
async def test_a_deleted_user_is_not_at_the_terminal(rig: Rig) -> None:
    """A terminal that has executed the deletion has the user no more."""
    await fill(rig)
    (command,) = (await rig.api("DELETE", "/devices/T1/users/6")).json["items"]
    await rig.get("getrequest?SN=T1")
    await rig.post("devicecmd?SN=T1", f"ID={command['id']}&Return=0&CMD=DATA\n".encode())
    assert await found(rig, "device=T1") == ["5"]


@pytest_twisted.ensureDeferred
async def test_mistakes_of_searches(rig: Rig) -> None:
    """A terminal that cannot be is a mistake, and no empty list."""
    await fill(rig)
    refused = await rig.api("GET", "/users?area=North&device=T9")
    assert refused.status == 400
    assert "There is no terminal 'T9'." in refused.json["detail"]
    assert (await rig.api("GET", "/users?has_photo=maybe")).status == 400

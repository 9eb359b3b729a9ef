"""Cards of people by the API: operators give each to one person only."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig
from .test_tokens import bearer

ELENA = {"name": "Elena García", "card": "12345678"}
TAKEN = "Card 12345678 belongs to user 701 (Elena García) already. Take it from that person first."


async def said(rig: Rig, body: str) -> None:
    """Let an approved terminal upload people."""
    await rig.api("PATCH", "/devices/T1", {"state": "approved"})
    await rig.exchange("T1")
    sent = await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", body.encode())
    assert sent.body.startswith(b"OK"), sent.raw


async def card_of(rig: Rig, pin: str) -> str | None:
    """The main card of a person."""
    return (await rig.api("GET", f"/users/{pin}")).json["card"]


@pytest.mark.parametrize("known", [False, True], ids=["new person", "known person"])
@pytest.mark.parametrize(
    "given",
    [
        {"card": "12345678"},
        {"vice_card": "12345678"},
        {"card": "0012345678"},
        {"card": "[4E61BC00]"},
    ],
    ids=["main card", "second card", "leading zeros", "bytes"],
)
@pytest_twisted.ensureDeferred
async def test_a_card_of_another_person_is_refused(rig: Rig, known, given) -> None:
    """The refusal names the other person, in any spelling of the number; nothing is stored."""
    await rig.api("PUT", "/users/701", ELENA)
    if known:
        await rig.api("PUT", "/users/702", {"name": "Luis"})
    refused = await rig.api("PUT", "/users/702", {"name": "Eva", **given})
    assert (refused.status, refused.json["detail"]) == (409, TAKEN)
    found = await rig.api("GET", "/users/702")
    kept = (200, "Luis", None) if known else (404, None, None)
    assert (found.status, found.json.get("name"), found.json.get("card")) == kept


@pytest_twisted.ensureDeferred
async def test_the_second_card_of_a_nameless_person_is_refused(rig: Rig) -> None:
    """A person without a name is named by the user ID; stored zeros change nothing."""
    await rig.api("PUT", "/users/701", {"vice_card": "0000000077"})
    refused = await rig.api("PUT", "/users/702", {"card": "77"})
    assert refused.status == 409
    assert refused.json["detail"].startswith("Card 77 belongs to user 701 already.")


@pytest_twisted.ensureDeferred
async def test_a_card_that_was_taken_away_is_free(rig: Rig) -> None:
    """Of people who lost it, and of removed ones."""
    await rig.api("PUT", "/users/701", ELENA)
    assert (await rig.api("PUT", "/users/701", {**ELENA, "group": 2})).status == 200
    await rig.api("PUT", "/users/701", {"card": None})
    assert (await rig.api("PUT", "/users/702", {"card": "12345678"})).status == 200
    assert (await rig.api("DELETE", "/users/702")).status == 200
    assert (await rig.api("PUT", "/users/703", {"card": "12345678"})).status == 200


@pytest_twisted.ensureDeferred
async def test_a_terminal_may_state_a_card_twice(rig: Rig) -> None:
    """Its word is stored; both people keep the card when they are changed, and it may move."""
    users = "".join(f"USER PIN={pin}\tName=N{pin}\tPri=0\tCard=77\n" for pin in (5, 6))
    await said(rig, users)
    assert [await card_of(rig, pin) for pin in ("5", "6")] == ["77", "77"]
    kept = await rig.api("PUT", "/users/6", {"card": "77", "name": "Bo"})
    assert (kept.status, kept.json["name"]) == (200, "Bo")
    moved = await rig.api("PUT", "/users/6", {"card": None, "vice_card": "77"})
    assert moved.status == 200
    assert (await rig.api("PUT", "/users/7", {"card": "77"})).status == 409


@pytest_twisted.ensureDeferred
async def test_a_settled_conflict_takes_the_card_of_the_terminal(rig: Rig) -> None:
    """The word of the terminal is taken though another person has the card; no other one is."""
    await rig.api("PUT", "/users/701", ELENA)
    await rig.api("PUT", "/users/702", {"name": "Eva", "card": "9"})
    await rig.api("PUT", "/users/703", {"card": "8"})
    await said(rig, "USER PIN=702\tName=Eva\tPri=0\tCard=12345678\n")
    (found,) = await rig.items("/conflicts")
    path = f"/conflicts/{found['id']}"
    assert (await rig.api("POST", path, {"fields": {"card": "8"}})).status == 409
    assert (await rig.api("POST", path, {"keep": "terminal"})).status == 200
    assert await card_of(rig, "702") == "12345678"


@pytest_twisted.ensureDeferred
async def test_bytes_of_a_card_are_stored_as_its_number(rig: Rig) -> None:
    """As terminals state it, so that searches find it."""
    entered = await rig.api("PUT", "/users/5", {"card": "[15CD5B07]"})
    assert entered.json["card"] == "123456789"
    assert len(await rig.items("/users?card=123456789")) == 1


@pytest_twisted.ensureDeferred
async def test_a_limited_caller_learns_nothing_about_people_of_other_areas(rig: Rig) -> None:
    """The card is refused without a name, unless the other person is in an area of the caller."""
    await rig.api("PUT", "/users/701", {**ELENA, "areas": ["South"]})
    body = {"name": "north", "scopes": ["read", "write"], "areas": ["North"]}
    await rig.api("PUT", "/areas/North", {})
    secret = (await rig.api("POST", "/tokens", body)).json["token"]
    headers = bearer(secret)
    refused = await rig.api("PUT", "/users/9", {"card": "12345678"}, headers=headers)
    detail = "Another person has this card already."
    assert (refused.status, refused.json["detail"]) == (409, detail)
    await rig.api("PUT", "/users/701", {"areas": ["North", "South"]})
    refused = await rig.api("PUT", "/users/9", {"card": "12345678"}, headers=headers)
    assert (refused.status, refused.json["detail"]) == (409, TAKEN)


@pytest_twisted.ensureDeferred
async def test_an_import_names_each_line_with_a_card_of_another_person(rig: Rig) -> None:
    """Also two lines with one card; the same card again is no mistake, nor one that was freed."""
    await rig.api("PUT", "/users/701", ELENA)
    await said(rig, "".join(f"USER PIN={pin}\tName=N\tPri=0\tCard=77\n" for pin in (5, 6)))
    text = "pin,card,vice_card\n5,77,\n6,77,\n7,12345678,\n8,,55\n9,55,\n701,1,\n10,12345678,\n"
    report = (await rig.api("POST", "/users/import", text.encode())).json
    assert report["stored"] is False
    wrong = {one["line"]: one["detail"] for one in report["lines"] if one["action"] == "error"}
    assert wrong == {4: TAKEN, 6: "Card 55 is in line 5 already, for user 8."}
    text = "pin,card\n701,1\n10,12345678\n"
    report = (await rig.api("POST", "/users/import", text.encode())).json
    assert (report["stored"], report["errors"]) == (True, 0)
    assert await card_of(rig, "10") == "12345678"

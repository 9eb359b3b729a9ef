"""One person who is sent to chosen terminals from the page of the places of the person."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.handlers.areas import sendingpages
from zkpush.simulator.model import CLASSIC

from ..rig import Rig
from ..server.test_distribution import (
    distribute,
    enrol,
    fetch,
    fingers,
    held,
    joined,
    look,
    person,
    places,
    wired,
)
from .browser import Browser, forms_of, location, signed_in, text_of

PAGE, SEND = "/people/5/places", "/people/5/send"


def offered(body: bytes) -> list[str]:
    """The serial numbers of the terminals that the form offers."""
    return [part.split('"')[0] for part in body.decode().split('name="device" value="')[1:]]


async def form(browser: Browser) -> list[str]:
    """The terminals that the page offers."""
    return offered((await browser.get(PAGE)).body)


@pytest_twisted.ensureDeferred
async def test_one_person_is_sent_to_the_ticked_terminals_and_nobody_else(rig: Rig) -> None:
    """With the finger; the page shows how far it is, and no area is switched."""
    first = await joined(rig, "A1", "South")
    second = await joined(rig, "B2", "North", CLASSIC)
    third = await joined(rig, "C3", "East")
    await rig.api("PATCH", "/devices/B2", {"alias": "Gate"})
    await enrol(first, "5", "Ann")
    await enrol(first, "6", "Bob")
    await enrol(second, "7", "Eve", finger=None)
    await fetch(rig, first, second, third)
    browser = await signed_in(rig)
    assert f'href="/console{PAGE}#send"' in (await browser.get("/people/5")).body.decode()
    assert sorted(await form(browser)) == ["B2", "C3"]

    done = await browser.send(PAGE, SEND, {"device": ["B2"]})
    assert location(done) == PAGE
    shown = text_of(await browser.get(PAGE))
    assert "The person is sent to 1 terminal." in shown
    assert "Gate B2 on its way" in shown
    assert await form(browser) == ["C3"]
    await fetch(rig, first, second, third)
    assert held(second) == {"5": "Ann", "7": "Eve"}
    assert fingers(second) == {("5", 1)}
    assert held(third) == {}
    assert "Gate B2 is there" in text_of(await browser.get(PAGE))
    assert {one["distributes"] for one in await rig.items("/areas")} == {False}
    (act,) = [one for one in await rig.items("/audit") if one["action"] == "send person"]
    assert act["subject"] == await rig.person("5")
    assert act["detail"].startswith("to terminal B2: 2 commands")


@pytest_twisted.ensureDeferred
async def test_the_person_is_sent_to_all_terminals_that_are_offered(rig: Rig) -> None:
    """Those that are blocked, or would delete the person again, are left out."""
    terminals = [await joined(rig, sn, "South") for sn in ("A1", "A2", "A3")]
    keeping = await joined(rig, "N1", "North")
    await rig.api("PATCH", "/devices/A3", {"state": "blocked"})
    await distribute(rig)
    await person(rig, "5", name="Ann", areas=["South"])
    browser = await signed_in(rig)
    shown = await browser.get(PAGE)
    assert offered(shown.body) == ["A1", "A2"]
    assert "1 terminal would delete the person again" in text_of(shown)
    missing = await browser.send(PAGE, SEND, {})
    assert missing.status == 422
    assert "Choose a terminal." in text_of(missing)
    assert location(await browser.send(PAGE, SEND, {"all": "true"})) == PAGE
    await fetch(rig, *terminals[:2], keeping)
    assert held(terminals[0]) == held(terminals[1]) == {"5": "Ann"}
    assert held(keeping) == {}
    assert await places(rig, "5") == {"A1": "there", "A2": "there"}
    refused = await browser.post(
        SEND,
        {**dict(forms_of(await browser.get("/people/5")))["/console/sign-out"], "device": "N1"},
    )
    assert refused.status == 422
    assert "Add the person to the area North." in text_of(refused)


@pytest_twisted.ensureDeferred
async def test_rights_and_a_password_are_asked_about_first(rig: Rig) -> None:
    """The question says which; nothing is sent before the answer."""
    terminal = await joined(rig, "A1")
    await person(rig, "5", name="Ann", privilege=14, password="1234")
    browser = await signed_in(rig)
    asked = text_of(await browser.send(PAGE, SEND, {"device": ["A1"]}))
    assert "Ann is sent to 1 terminal." in asked
    assert "The person has rights" in asked
    assert "The person has a password, which opens at these terminals." in asked
    assert await places(rig, "5") == {}
    assert location(await browser.confirm(PAGE, SEND, {"all": "true"})) == PAGE
    await fetch(rig, terminal)
    assert held(terminal) == {"5": "Ann"}


@pytest_twisted.ensureDeferred
async def test_rights_that_only_a_terminal_gave_are_not_asked_about(rig: Rig) -> None:
    """They stay at that terminal."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await enrol(first, "5", "Ann", finger=None)
    await rig.post("cdata?SN=A1&table=OPERLOG&Stamp=1", b"USER PIN=5\tName=Ann\tPri=14\tPasswd=\n")
    browser = await signed_in(rig)
    assert location(await browser.send(PAGE, SEND, {"device": ["A2"]})) == PAGE
    await look(rig)
    sent = (await rig.items("/devices/A2/commands"))[0]
    assert sent["params"].get("Pri") in (None, "0")
    assert second.executed == []


@pytest_twisted.ensureDeferred
async def test_what_does_not_fit_is_said(rig: Rig) -> None:
    """On the page, with the reason."""
    await wired(rig, "A1")
    await rig.post("cdata?SN=A1&table=options", b"~PIN2Width=3")
    page, action = "/people/12345/places", "/people/12345/send"
    await person(rig, "12345", name="Ann")
    browser = await signed_in(rig)
    refused = await browser.send(page, action, {"device": ["A1"]})
    assert refused.status == 422
    assert "the terminal takes at most 3." in text_of(refused)
    assert "does not fit" in text_of(await browser.get(page))


@pytest_twisted.ensureDeferred
async def test_a_limited_account_sends_to_terminals_of_its_areas_only(rig: Rig) -> None:
    """It sees no other ones, and people of other areas do not exist for it."""
    for sn, area in (("A1", "North"), ("B2", "South")):
        await joined(rig, sn, area)
    await person(rig, "5", name="Ann")
    await person(rig, "6", name="Bob", areas=["South"])
    browser = await signed_in(rig, "read", "write", name="ben", areas=["North"])
    shown = await browser.get(PAGE)
    assert offered(shown.body) == ["A1"]
    assert "B2" not in text_of(shown)
    other = await browser.send(PAGE, SEND, {"device": ["B2"]})
    assert other.status in (404, 422)
    assert "There is no terminal B2." in text_of(other)
    assert (await browser.get("/people/6/places")).status == 404
    assert location(await browser.send(PAGE, SEND, {"all": "true"})) == PAGE
    assert await places(rig, "5") == {"A1": "on_its_way"}


@pytest_twisted.ensureDeferred
async def test_who_may_only_see_is_offered_nothing(rig: Rig) -> None:
    """Neither the form nor the link to it."""
    await joined(rig, "A1")
    await person(rig, "5", name="Ann")
    browser = await signed_in(rig, "read", name="ben")
    assert await form(browser) == []
    assert "Send to terminals" not in text_of(await browser.get("/people/5"))


@pytest_twisted.ensureDeferred
async def test_many_terminals_are_typed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name or serial number; a wrong one is a mistake."""
    monkeypatch.setattr(sendingpages, "MOST_OPTIONS", 2)
    for number in (1, 7, 8):
        await rig.exchange(f"T{number}")
        await rig.api("PATCH", f"/devices/T{number}", {"state": "approved"})
    await rig.api("PATCH", "/devices/T7", {"alias": "Gate"})
    await person(rig, "5", name="Ann")
    browser = await signed_in(rig)
    shown = await browser.get(PAGE)
    assert offered(shown.body) == []
    assert "Send to all 3 terminals" in text_of(shown)
    wrong = await browser.send(PAGE, SEND, {"terminals": "T1, Gait"})
    assert wrong.status == 422
    assert "No terminal has the name or serial number Gait" in text_of(wrong)
    assert location(await browser.send(PAGE, SEND, {"terminals": "T1, gate"})) == PAGE
    assert await places(rig, "5") == {"T1": "on_its_way", "T7": "on_its_way"}


@pytest_twisted.ensureDeferred
async def test_who_is_about_to_be_deleted_there_is_not_said_to_be_there(rig: Rig) -> None:
    """A command of an operator waits; the deletion comes first if the person is sent after it."""
    terminal = await joined(rig, "A1")
    await enrol(terminal, "5", "Ann")
    await fetch(rig, terminal)
    assert (await rig.api("DELETE", "/devices/A1/users/5")).status == 202
    (told,) = (await rig.api("POST", "/users/5/send", {"devices": ["A1"]})).json["items"]
    assert (told["state"], told["commands"]) == ("not_sent", 0)
    assert "A command that deletes this user waits for the terminal." in told["meaning"]
    await fetch(rig, terminal)
    assert held(terminal) == {}
    (told,) = (await rig.api("POST", "/users/5/send", {"devices": ["A1"]})).json["items"]
    assert told["state"] == "sent"
    await fetch(rig, terminal)
    assert held(terminal) == {"5": "Ann"}


@pytest_twisted.ensureDeferred
async def test_who_was_removed_and_added_again_is_about_to_be_deleted(rig: Rig) -> None:
    """The deletion waits: it may be about somebody else. The person can be sent after it."""
    terminal = await joined(rig, "A1")
    await enrol(terminal, "5", "Ann", finger=None)
    await fetch(rig, terminal)
    assert (await rig.api("DELETE", "/users/5?terminals=true")).status == 200
    await person(rig, "5", name="Ann")
    (place,) = await rig.items("/users/5/places")
    assert (place["state"], place["meaning"]) == (
        "on_its_way",
        "A command that deletes the person is queued for the terminal.",
    )
    (there,) = await rig.items("/devices/A1/users")
    assert there["state"] == "on_its_way"
    assert (await rig.api("POST", "/users/5/send", {"devices": ["A1"]})).status == 202
    await fetch(rig, terminal)
    assert held(terminal) == {"5": "Ann"}
    assert await places(rig, "5") == {"A1": "there"}

"""Pages of areas."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from zkpush.handlers.areas.drift import Drift, written
from zkpush.handlers.areas.driftstore import DriftStore
from zkpush.persist.devices import DeviceStore
from zkpush.persist.transaction import Transaction

from ..rig import Rig
from ..server.test_distribution import distribute, enrol, fetch, held, joined, look, person
from .browser import Browser, document, forms_of, location, signed_in, text_of
from .walk import english_left

PAGE = "/areas/North"


async def switch_on(browser: Browser, deletions: int) -> None:
    """Switch the distribution on, after the question."""
    done = await browser.confirm(PAGE, f"{PAGE}/distribute", {"deletions": str(deletions)})
    assert location(done) == PAGE


@pytest_twisted.ensureDeferred
async def test_an_area_is_added_described_and_deleted(rig: Rig) -> None:
    """It exists with its description; wrong names are mistakes; one with terminals stays."""
    browser = await signed_in(rig)
    made = await browser.send("/areas", "/areas", {"name": "North", "description": "Factory"})
    assert location(made) == PAGE
    wrong = await browser.send("/areas", "/areas", {"name": "x" * 101})
    assert wrong.status == 422
    assert "Use 1 to 100 printable characters" in text_of(wrong)
    assert location(await browser.send(PAGE, PAGE, {"description": "Gate"})) == PAGE
    assert "Gate" in text_of(await browser.get("/areas"))
    assert (await browser.get("/areas/South")).status == 404
    await rig.exchange("T1")
    missing = await browser.send(PAGE, f"{PAGE}/terminals", {"sn": "T9"})
    assert missing.status == 422
    await rig.api("PATCH", "/devices/T1", {"alias": "Front door"})
    assert "Front door" in text_of(await browser.get(PAGE))
    assert location(await browser.confirm(PAGE, f"{PAGE}/terminals", {"sn": "Front door"})) == PAGE
    assert (await rig.api("GET", "/devices/T1")).json["area"] == "North"
    assert f"/console{PAGE}/delete" not in [path for path, _ in forms_of(await browser.get(PAGE))]
    await rig.api("PATCH", "/devices/T1", {"area": None})
    assert location(await browser.confirm(PAGE, f"{PAGE}/delete", {})) == "/areas"
    assert (await browser.get(PAGE)).status == 404


@pytest_twisted.ensureDeferred
async def test_the_question_before_a_terminal_moves_says_what_happens_to_its_people(
    rig: Rig,
) -> None:
    """It names the area that the terminal leaves, who is put on it and who is deleted from it."""
    terminal = await joined(rig, "A1")
    await rig.api("PATCH", "/devices/A1", {"area": "South", "alias": "Gate"})
    for pin in ("1", "2", "3"):
        await enrol(terminal, pin, "Bo", finger=None)
    for pin, area in (("1", "North"), ("4", "North"), ("5", "North"), ("2", "South")):
        await rig.api("PUT", f"/users/{pin}", {"areas": [area]})
    await rig.api("PUT", PAGE, {})
    browser = await signed_in(rig)
    given = {"sn": "Gate"}
    asked = text_of(await browser.send(PAGE, f"{PAGE}/terminals", given))
    assert "Gate leaves the area South and comes into the area North:" in asked
    assert "stay on it, and nobody is put on it" in asked
    assert "Changes of people of that area" not in asked
    await distribute(rig, "South", 1)
    await distribute(rig, "North")
    asked = text_of(await browser.send(PAGE, f"{PAGE}/terminals", given))
    assert "Changes of people of that area are not sent to it any more." in asked
    assert "2 people of this area are put on it." in asked
    assert "2 people who are on it and not in this area are deleted from it." in asked
    assert (await rig.api("GET", "/devices/A1")).json["area"] == "South"
    assert location(await browser.confirm(PAGE, f"{PAGE}/terminals", given)) == PAGE
    assert (await rig.api("GET", "/devices/A1")).json["area"] == "North"
    assert location(await browser.send(PAGE, f"{PAGE}/terminals", given)) == PAGE


@pytest_twisted.ensureDeferred
async def test_the_settings_of_a_terminal_move_it_after_the_same_question(rig: Rig) -> None:
    """Only areas that exist can be chosen; nobody is counted of a terminal that named nobody."""
    terminal = await joined(rig, "A1")
    await rig.api("PATCH", "/devices/A1", {"area": "South", "alias": "Gate"})
    await person(rig, "4", name="Ann")
    await distribute(rig, "North")
    browser = await signed_in(rig)
    page, action = "/terminals/A1/settings", "/terminals/A1/area"
    assert b'<option value="North"' in (await browser.get(page)).body
    wrong = await browser.send(page, action, {"area": "Nort"})
    assert "There is no area" in text_of(wrong)
    await rig.exchange("B1")
    new = "/terminals/B1"
    asked = text_of(await browser.send(f"{new}/settings", f"{new}/area", {"area": "North"}))
    assert "B1 leaves the area default and comes into the area North:" in asked
    assert "has not reported yet whom it holds" in asked
    assert "0 people" not in asked
    await enrol(terminal, "1", "Bo", finger=None)
    asked = text_of(await browser.send(page, action, {"area": "North"}))
    assert "1 person who is on it and not in this area is deleted from it." in asked
    assert (await rig.api("GET", "/devices/A1")).json["area"] == "South"
    assert location(await browser.confirm(page, action, {"area": "North"})) == page
    assert (await rig.api("GET", "/devices/A1")).json["area"] == "North"
    assert location(await browser.confirm(page, action, {"area": "default"})) == page
    assert (await rig.api("GET", "/devices/A1")).json["area"] is None


@pytest_twisted.ensureDeferred
async def test_the_question_names_people_terminals_commands_and_deletions(rig: Rig) -> None:
    """Nothing happens before it is answered; then people come and strangers go."""
    terminal = await joined(rig, "A1")
    for pin in ("1", "2"):
        await enrol(terminal, pin, "Bo", finger=None)
    await person(rig, "901", name="Ann")
    browser = await signed_in(rig)
    fields = dict(forms_of(await browser.get(PAGE)))[f"/console{PAGE}/distribute"]
    assert fields["deletions"] == "0"
    await rig.api("PUT", "/users/1", {"areas": ["South"]})
    await rig.api("PUT", "/users/2", {"areas": ["South"]})
    stale = await browser.send(PAGE, f"{PAGE}/distribute", {"deletions": "0"})
    assert "The number of deletions has changed" in text_of(stale)
    asked = await browser.send(PAGE, f"{PAGE}/distribute", {})
    words = text_of(asked)
    assert "People: 1. Approved terminals: 1. Commands, at most: 3." in words
    assert "deleted from its terminals: 2." in words
    assert not (await rig.api("GET", "/areas/North")).json["distributes"]
    await switch_on(browser, 2)
    await fetch(rig, terminal)
    shown = text_of(await browser.get(PAGE))
    assert "1 of 1 are there" in shown
    assert held(terminal) == {"901": "Ann"}
    done = await browser.confirm(PAGE, f"{PAGE}/stop", {})
    assert location(done) == PAGE
    assert not (await rig.api("GET", "/areas/North")).json["distributes"]
    actions = [one["action"] for one in await rig.items("/audit?actor=account+ann")]
    assert actions.count("change area") == 2


@pytest_twisted.ensureDeferred
async def test_what_a_terminal_refuses_is_shown_and_repaired(rig: Rig) -> None:
    """With the person, the terminal and the reason, in the list of the area and in its counts."""
    await rig.exchange("A1")
    await rig.api("PATCH", "/devices/A1", {"state": "approved", "area": "North"})
    await person(rig, "901", name="Ann")
    browser = await signed_in(rig)
    await switch_on(browser, 0)
    await look(rig)
    polled = await rig.get("getrequest?SN=A1")
    command = polled.body.decode().split(":")[1]
    await rig.post("devicecmd?SN=A1", f"ID={command}&Return=-1&CMD=DATA".encode())
    await look(rig)
    shown = text_of(await browser.get(PAGE))
    assert "refused by the terminal" in shown
    assert "Ann" in shown
    assert location(await browser.send(PAGE, f"{PAGE}/repair", {})) == PAGE
    repairs = await rig.items("/audit?action=repair+area&actor=account+ann")
    assert len(repairs) == 1


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_many_deletions_wait_for_a_confirmation(rig: Rig) -> None:
    """The page names their number, and so does the question; afterwards they are deleted."""
    terminal = await joined(rig, "A1")
    for number in range(30):
        await person(rig, str(900 + number), name="Ann")
    browser = await signed_in(rig)
    await switch_on(browser, 0)
    await fetch(rig, terminal)
    for number in range(25):
        await rig.api("PUT", f"/users/{900 + number}", {"areas": ["South"]})
    await fetch(rig, terminal)
    shown = await browser.get(PAGE)
    assert "The deletion of 25 people from terminals waits" in text_of(shown)
    assert len(held(terminal)) == 30
    asked = await browser.send(PAGE, f"{PAGE}/confirm", {})
    assert "deleted from its terminals: 25." in text_of(asked)
    assert location(await browser.confirm(PAGE, f"{PAGE}/confirm", {})) == PAGE
    await fetch(rig, terminal)
    assert len(held(terminal)) == 5
    assert "waits for your confirmation" not in text_of(await browser.get(PAGE))


@pytest_twisted.ensureDeferred
async def test_a_reader_changes_nothing(rig: Rig) -> None:
    """An account that only reads sees the progress, and neither buttons nor forms."""
    await joined(rig, "A1")
    await person(rig, "901", name="Ann")
    browser = await signed_in(rig, "read")
    for path in ("/areas", PAGE):
        actions = [path for path, _ in forms_of(await browser.get(path))]
        assert [one for one in actions if "/areas" in one] == []
    assert f'href="/console{PAGE}"' in (await browser.get("/people/901")).body.decode()


@pytest_twisted.ensureDeferred
async def test_a_conflict_is_one_step_from_where_it_is_said(rig: Rig) -> None:
    """The pages of the area, the terminal and the person lead to the conflict in the way."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await fetch(rig, first, second)
    await enrol(second, "5", "Eve", finger=None)
    await fetch(rig, first, second)
    browser = await signed_in(rig, "read")
    for page in ("/areas/North", "/terminals/A2/people", "/people/5/places"):
        shown = await browser.get(page)
        assert b'href="/console/people/5#conflicts"' in shown.body, page
        assert "waits for a decision" in text_of(shown), page
    assert b'id="conflicts"' in (await browser.get("/people/5")).body
    for conflict in await rig.items("/conflicts"):
        await rig.api("POST", f"/conflicts/{conflict['id']}", {"keep": "stored"})
    assert b"#conflicts" not in (await browser.get("/terminals/A2/people")).body


@pytest_twisted.ensureDeferred
async def test_people_are_put_into_an_area_and_taken_out_on_its_page(rig: Rig) -> None:
    """By user ID or by name, several at once; unclear names are mistakes, and nothing changes."""
    await rig.api("PUT", "/areas/North", {"description": "Factory"})
    await person(rig, "1", name="Ann Ash", areas=["South"])
    await person(rig, "2", name="Ben Ash", areas=[])
    browser = await signed_in(rig)

    async def areas(pin: str) -> list[str]:
        found: list[str] = (await rig.api("GET", f"/users/{pin}")).json["areas"]
        return found

    for text, why in (("1, Zoe", "Nobody has the name"), ("1, Ash", "Several people are found")):
        wrong = await browser.send(PAGE, f"{PAGE}/people", {"people": text})
        assert wrong.status == 422
        assert why in text_of(wrong)
    assert await areas("1") == ["South"]
    done = await browser.send(PAGE, f"{PAGE}/people", {"people": "1, ben ash, 1"})
    assert location(done) == PAGE
    assert "2 people were added." in text_of(await browser.get(PAGE))
    assert (await areas("1"), await areas("2")) == (["North", "South"], ["North"])
    taken = await browser.send(PAGE, f"{PAGE}/people/out", {"pin": "1"})
    assert location(taken) == PAGE
    assert (await areas("1"), await areas("2")) == (["South"], ["North"])
    assert (await browser.send(PAGE, f"{PAGE}/people/out", {"pin": "1"})).status == 422
    acts = [one["action"] for one in await rig.items("/audit?actor=account+ann&pin=1")]
    assert acts == ["put person into area", "take person out of area"]


@pytest_twisted.ensureDeferred
async def test_who_is_taken_out_leaves_the_terminals_after_a_question(rig: Rig) -> None:
    """An area that keeps people on terminals says that the person is deleted there."""
    terminal = await joined(rig, "A1")
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await fetch(rig, terminal)
    assert held(terminal) == {"5": "Ann"}
    browser = await signed_in(rig)
    asked = await browser.send(PAGE, f"{PAGE}/people/out", {"pin": "5"})
    assert "Ann is deleted from the terminals of this area" in text_of(asked)
    assert location(await browser.confirm(PAGE, f"{PAGE}/people/out", {"pin": "5"})) == PAGE
    await fetch(rig, terminal)
    assert held(terminal) == {}


@pytest_twisted.ensureDeferred
async def test_a_terminal_is_taken_out_of_an_area_on_its_page(rig: Rig) -> None:
    """The question says where it goes; the default area has no such button."""
    await joined(rig, "A1")
    browser = await signed_in(rig)
    action = f"{PAGE}/terminals/out"
    asked = await browser.send(PAGE, action, {"terminal": "A1"})
    assert "A1 goes to the area default. People stay on it" in text_of(asked)
    assert (await rig.api("GET", "/devices/A1")).json["area"] == "North"
    await distribute(rig, "default")
    asked = await browser.send(PAGE, action, {"terminal": "A1"})
    assert "which keeps its people on its terminals" in text_of(asked)
    assert location(await browser.confirm(PAGE, action, {"terminal": "A1"})) == PAGE
    assert (await rig.api("GET", "/devices/A1")).json["area"] is None
    shown = await browser.get("/areas/default")
    assert "A1" in text_of(shown)
    assert "/console/areas/default/terminals/out" not in [path for path, _ in forms_of(shown)]


@pytest_twisted.ensureDeferred
async def test_the_number_of_terminals_is_that_of_the_table(rig: Rig) -> None:
    """Those that are not approved are named beside it."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"area": "North"})
    browser = await signed_in(rig)
    assert "Terminals 2" in text_of(await browser.get(PAGE))
    await rig.api("PATCH", "/devices/T2", {"state": "blocked"})
    shown = text_of(await browser.get(PAGE))
    assert "Terminals 1 " in shown
    assert "1 more terminal belongs to this area and is not approved." in shown


@pytest_twisted.ensureDeferred
async def test_the_removal_of_a_person_says_which_terminals_delete_it_by_themselves(
    rig: Rig,
) -> None:
    """Those of the areas that distribute and that the person is in."""
    terminal = await joined(rig, "A1")
    await person(rig, "901", name="Ann")
    browser = await signed_in(rig)
    words = "The server deletes the person from these terminals, since it keeps the people"
    assert words not in text_of(await browser.get("/people/901/remove"))
    await switch_on(browser, 0)
    await fetch(rig, terminal)
    shown = text_of(await browser.get("/people/901/remove"))
    assert words in shown
    assert "of their areas on them, or has sent the person there: A1" in shown


@pytest_twisted.ensureDeferred
async def test_the_people_of_a_terminal_show_what_it_lacked(rig: Rig) -> None:
    """Numbers that differ, and the last comparison, in the chosen language; and on its area's."""
    await rig.exchange("T1")

    def unit(tx: Transaction) -> None:
        device = tx[DeviceStore].find("T1")
        assert device is not None
        differs = written({"users": (3, 5)})
        tx[DriftStore].put(
            Drift(device_id=device.id, differs=differs, checked_at=5, lost=41, found=42, due_at=9)
        )

    browser = await signed_in(rig)
    assert "against what is recorded" not in text_of(await browser.get("/terminals/T1/people"))
    assert "No terminal counts other numbers" in text_of(await browser.get("/areas/default"))
    await rig.store.write(unit)
    shown = text_of(await browser.get("/terminals/T1/people"))
    assert "3 users (5 are recorded)" in shown
    assert "People whom it lacked 41" in shown
    assert "People whom only it had 42" in shown
    area = await browser.get("/areas/default")
    assert "1 terminal counts other numbers" in text_of(area)
    assert "3 users (5 are recorded)" in text_of(area)
    assert "1 terminal is being asked" in text_of(area)
    assert 'href="/console/terminals/T1/people#drift"' in area.body.decode()
    await browser.get("/?lang=en-XA")
    for path in ("/terminals/T1/people", "/areas/default"):
        assert english_left(document(await browser.get(path))) == [], path


@pytest_twisted.ensureDeferred
async def test_people_of_a_terminal_are_in_the_order_of_their_numbers(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on the page of people, over all pages of the list."""
    monkeypatch.setattr("zkpush.handlers.areas.holderpages.PER_PAGE", 2)
    terminal = await joined(rig, "A1")
    for pin in ("10", "2", "11", "1"):
        await enrol(terminal, pin, "Bo", finger=None)
    browser = await signed_in(rig)
    page, found = "/terminals/A1/people", []
    for _ in range(2):
        shown = await browser.get(page)
        found += re.findall(r'href="/console/people/([0-9]+)"', shown.body.decode())
        page = "/terminals/A1/people?after=2"
    assert found == ["1", "2", "10", "11"]
    assert b"after=2" in (await browser.get("/terminals/A1/people")).body

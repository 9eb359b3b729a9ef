"""Removal and erasure: which terminals have the person, are told, and have deleted the person."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from zkpush.handlers.people import changepages

from ..rig import Rig
from ..server.test_distribution import look
from .browser import Browser, location, signed_in, text_of
from .test_attendance import person, rows

PAGE = "/people/7/remove"
TICKED = {"terminals": "true"}
DELETION = "DATA DELETE USERINFO PIN=7"


async def _ann(rig: Rig, *serials: str) -> Browser:
    """Ann is on these terminals; sign in."""
    await person(rig, "7", "Ann Ash")
    for sn in serials:
        await rig.exchange(sn)
        stated = await rig.post(
            f"cdata?SN={sn}&table=OPERLOG&Stamp=1", b"USER PIN=7\tName=Ann Ash\tPri=0\n"
        )
        assert stated.status == 200
    return await signed_in(rig)


async def answered(rig: Rig, sn: str, code: int = 0) -> list[str]:
    """Let a terminal fetch its commands and answer them; returns them."""
    reply = (await rig.get(f"getrequest?SN={sn}")).body.decode()
    found = []
    for line in reply.splitlines() if reply != "OK" else ():
        _, id_, text = line.split(":", 2)
        found.append(text)
        done = f"ID={id_}&Return={code}&CMD=DATA".encode()
        assert (await rig.post(f"devicecmd?SN={sn}", done)).status == 200
    return found


@pytest_twisted.ensureDeferred
async def test_the_page_lists_the_terminals_that_have_the_person(rig: Rig) -> None:
    """Of areas that do not distribute they are told if the box is ticked, which it is at first."""
    browser = await _ann(rig, "T1", "T2")
    await rig.api("PATCH", "/devices/T2", {"area": "North"})
    await rig.api("PUT", "/users/7", {"areas": ["North"]})
    put = await rig.api("PUT", "/areas/North", {"distributes": True})
    assert put.status == 200, put.raw
    shown = await browser.get(PAGE)
    assert "These terminals have the person, or may have: T1 . Without the tick" in text_of(shown)
    assert "keeps the people of their areas on them, or has sent the person there: T2" in text_of(
        shown
    )
    assert re.search(r'name="terminals" value="true"[^>]*checked', shown.body.decode())


@pytest_twisted.ensureDeferred
async def test_the_page_says_that_no_terminal_is_known_to_have_the_person(rig: Rig) -> None:
    """There is nothing to tick then; a terminal that is sent the person may have the person."""
    await rig.exchange("T1")
    browser = await _ann(rig)
    shown = await browser.get(PAGE)
    assert "No terminal is known to have the person." in text_of(shown)
    assert 'name="terminals"' not in shown.body.decode()
    await rig.api("PUT", "/devices/T1/users/7")
    assert 'name="terminals"' in (await browser.get(PAGE)).body.decode()
    await rig.get("getrequest?SN=T1")
    assert 'name="terminals"' in (await browser.get(PAGE)).body.decode()


@pytest_twisted.ensureDeferred
async def test_terminals_whose_people_are_not_fetched_are_named(rig: Rig) -> None:
    """Nobody knows whom they have: before the removal, and after a removal or an erasure."""
    browser = await _ann(rig, "T1")
    await rig.exchange("T9")
    await rig.get("getrequest?SN=T9&INFO=Ver%206.39,5,0,0,10.0.0.9,10,7,12,0,100")
    words = "they count more people than are known here. Fetch their people: T9"
    link = 'href="/console/terminals/T9/people"'
    for act, path in (("", PAGE), ("", "/people/7"), ("?erase=true", "/people/7"), ("", PAGE)):
        if path != PAGE:
            assert (await rig.api("DELETE", f"/users/7{act}")).status == 200
        shown = await browser.get(path)
        assert words in text_of(shown)
        assert link in shown.body.decode()


@pytest_twisted.ensureDeferred
async def test_a_removal_is_asked_about_and_tells_the_terminals(rig: Rig) -> None:
    """The question names the terminals; afterwards each is done, not done yet, or failed."""
    browser = await _ann(rig, "T1", "T2", "T3")
    for sn, name in (("T1", "Main gate"), ("T2", "Side door")):
        await rig.api("PATCH", f"/devices/{sn}", {"alias": name})
    asked = await browser.send(PAGE, PAGE, TICKED)
    assert "Remove this person?" in text_of(asked)
    assert "Deleted also from: Main gate, Side door, T3." in text_of(asked)
    assert (await rig.api("GET", "/users/7")).status == 200
    done = await browser.confirm(PAGE, PAGE, TICKED)
    assert location(done) == "/people/7"
    shown = await browser.get("/people/7")
    assert "The person is removed. 3 terminals are told to delete the person." in text_of(shown)
    assert [await answered(rig, sn, code) for sn, code in (("T1", 0), ("T2", -3))] == [
        *([DELETION], [DELETION])
    ]
    shown = await browser.get("/people/7")
    first, second, third = sorted(rows(shown))
    assert first.startswith("Main gate T1 done Sun 1 Mar 2026 12:00")
    assert second.startswith("Side door T2 failed Sun 1 Mar 2026 12:00 The terminal answered that")
    assert third.startswith("T3 not done yet")
    assert len(re.findall(r'href="/console/commands/\w+"', shown.body.decode())) == 3


@pytest_twisted.ensureDeferred
async def test_without_the_tick_terminals_keep_the_person_until_they_are_told(rig: Rig) -> None:
    """The page of who left has the button for it."""
    browser = await _ann(rig, "T1")
    assert "Kept by: T1." in text_of(await browser.send(PAGE, PAGE, {}))
    await browser.confirm(PAGE, PAGE, {})
    assert await answered(rig, "T1") == []
    shown = await browser.get("/people/7")
    assert rows(shown) == ["T1 still there"]
    action = "/people/7/terminals"
    assert "Ann Ash Deleted from: T1." in text_of(await browser.send("/people/7", action, {}))
    done = await browser.confirm("/people/7", action, {})
    assert location(done) == "/people/7"
    assert "1 terminal is told to delete the person." in text_of(await browser.get("/people/7"))
    assert await answered(rig, "T1") == [DELETION]
    shown = await browser.get("/people/7")
    assert rows(shown)[0].startswith("T1 done")
    assert action not in shown.body.decode()


@pytest_twisted.ensureDeferred
async def test_an_erasure_has_one_list_with_each_terminal(rig: Rig) -> None:
    """Done stays in the list, with its time, also after the punches are erased as well."""
    browser = await _ann(rig, "T1", "T2", "T3")
    await browser.send(PAGE, "/people/7/erase", {"confirm": "7"})
    text = text_of(await browser.get(PAGE))
    assert "without a name. 3 terminals are told to delete the person." in text
    assert "next" not in text.split("3 terminals")[1]
    assert [await answered(rig, sn, code) for sn, code in (("T1", 0), ("T2", -3))] == [
        *([DELETION], [DELETION])
    ]
    for path in (PAGE, "/people/7"):
        first, second, third = sorted(rows(await browser.get(path)))
        assert first.startswith("T1 done Sun 1 Mar 2026 12:00")
        assert "T2 failed" in second
        assert "return code -3); it is asked again by itself" in second
        assert third.startswith("T3 not done yet")
    assert await answered(rig, "T3") == [DELETION]
    await browser.send(PAGE, "/people/7/erase", {"confirm": "7", "attendance": "true"})
    states = [one.split()[1] for one in sorted(rows(await browser.get(PAGE)))]
    assert (states[0], states[2]) == ("done", "done")


@pytest_twisted.ensureDeferred
async def test_terminals_of_an_earlier_holder_are_not_those_of_the_next(rig: Rig) -> None:
    """An erased person had the user ID before and was deleted at a terminal."""
    browser = await _ann(rig, "T1")
    await rig.api("DELETE", "/users/7?erase=true")
    await answered(rig, "T1")
    rig.clock.advance(3600)
    await person(rig, "7", "Omar Saleh")
    rig.clock.advance(3600)
    await rig.api("DELETE", "/users/7?erase=true")
    browser = await signed_in(rig, name="next")
    assert "No terminal is known to have the person." in text_of(await browser.get(PAGE))


@pytest_twisted.ensureDeferred
async def test_the_api_tells_terminals_if_asked(rig: Rig) -> None:
    """By default it does not; with an erasure the option is a mistake."""
    await _ann(rig, "T1")
    mistaken = await rig.api("DELETE", "/users/7?erase=true&terminals=true")
    assert mistaken.status == 400
    removed = await rig.api("DELETE", "/users/7?terminals=true")
    assert removed.json["devices"] == ["T1"]
    assert [one["device"] for one in removed.json["commands"]] == ["T1"]
    assert await answered(rig, "T1") == [DELETION]
    await person(rig, "8", "Bob Birch")
    await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=2", b"USER PIN=8\tName=Bob Birch\tPri=0\n")
    removed = await rig.api("DELETE", "/users/8")
    assert (removed.json["devices"], removed.json["commands"]) == (["T1"], [])
    assert await answered(rig, "T1") == []


@pytest_twisted.ensureDeferred
async def test_limited_accounts_reach_their_own_terminals_only(rig: Rig) -> None:
    """Other terminals are neither named nor told."""
    await _ann(rig, "T1", "T2")
    await rig.api("PATCH", "/devices/T1", {"area": "North"})
    await rig.api("PATCH", "/devices/T2", {"area": "South"})
    await rig.api("PUT", "/users/7", {"areas": ["North"]})
    north = await signed_in(rig, "read", "write", name="bob", areas=["North"])
    assert "T2" not in text_of(await north.get(PAGE))
    asked = await north.send(PAGE, PAGE, TICKED)
    assert "Deleted also from: T1." in text_of(asked)
    await north.confirm(PAGE, PAGE, TICKED)
    assert [await answered(rig, sn) for sn in ("T1", "T2")] == [[DELETION], []]
    (only,) = rows(await north.get("/people/7"))
    assert only.startswith("T1 done")


@pytest_twisted.ensureDeferred
async def test_terminals_to_which_the_person_was_sent_delete_the_person_by_themselves(
    rig: Rig,
) -> None:
    """Also without the tick: the page and the question say so, and they are told once."""
    await rig.exchange("T1")
    browser = await _ann(rig)
    assert (await rig.api("POST", "/users/7/send", {"devices": ["T1"]})).status == 202
    await look(rig)
    assert await answered(rig, "T1") == ["DATA UPDATE USERINFO PIN=7\tName=Ann Ash"]
    await look(rig)
    shown = await browser.get(PAGE)
    assert "or has sent the person there: T1" in text_of(shown)
    assert 'name="terminals"' not in shown.body.decode()
    assert "Deleted also from: T1." in text_of(await browser.send(PAGE, PAGE, {}))
    await browser.confirm(PAGE, PAGE, TICKED)
    assert rows(await browser.get("/people/7")) == ["T1 not done yet"]
    await look(rig)
    assert await answered(rig, "T1") == [DELETION]
    assert rows(await browser.get("/people/7"))[0].startswith("T1 done")


@pytest_twisted.ensureDeferred
async def test_the_question_names_a_few_of_many_terminals(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And counts the others: a person may be on thousands."""
    monkeypatch.setattr(changepages, "MOST_NAMED", 2)
    browser = await _ann(rig, "T1", "T2", "T3", "T4")
    asked = text_of(await browser.send(PAGE, PAGE, TICKED))
    assert "Deleted also from: T1, T2, 2 more terminals." in asked
    assert "Kept by: T1, T2, 2 more terminals." in text_of(await browser.send(PAGE, PAGE, {}))
    await browser.confirm(PAGE, PAGE, {})
    asked = text_of(await browser.send("/people/7", "/people/7/terminals", {}))
    assert "Deleted from: T1, T2, 2 more terminals." in asked

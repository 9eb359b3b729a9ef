"""The list of punches that may be those of two people, and the decision there."""

from __future__ import annotations

import re

import pytest_twisted

from ..rig import Rig
from .browser import Browser, location, signed_in, text_of
from .test_another_persons_punches import two_people
from .test_attendance import person

LIST = "/people/punches"


async def _decide(browser: Browser, owner: str, page: str = LIST) -> str:
    """Press the button of the only claim; returns where it leads."""
    shown = (await browser.get(page)).body.decode()
    found = re.search(r'action="/console(/people/punches/\d+)"', shown)
    assert found is not None, shown
    return location(await browser.send(page, found[1], {"owner": owner}))


@pytest_twisted.ensureDeferred
async def test_punches_wait_in_a_list_until_somebody_decides(rig: Rig) -> None:
    """The list has the person, the terminal and the number, and returns to itself."""
    await two_people(rig)
    browser = await signed_in(rig)
    text = text_of(await browser.get(LIST))
    assert "Elena Marín User ID 7 · T1" in text
    assert "At T1, this ID is Ivy Eriksen." in text
    assert "1 punch in all: whose is it?" in text
    assert await _decide(browser, "other") == LIST
    assert "No punches wait for a decision." in text_of(await browser.get(LIST))
    again = text_of(await browser.get(f"{LIST}?decided=true"))
    assert "1 punch in all is decided to be Ivy Eriksen's." in again


@pytest_twisted.ensureDeferred
async def test_punches_of_an_erased_persons_time_are_decided_in_the_console(rig: Rig) -> None:
    """After somebody else got the user ID, the list still has them, without a way back."""
    await two_people(rig)
    erased = await rig.api("DELETE", "/users/7?erase=true")
    assert erased.status == 200, erased.raw
    rig.clock.advance(60)
    await person(rig, "7", "Nuevo Empleado")
    browser = await signed_in(rig)
    listed = await browser.get("/attendance?since=2026-03-01&until=2026-03-01")
    assert f'href="/console{LIST}"' in listed.body.decode()
    page = await browser.get(LIST)
    text = text_of(page)
    assert "An erased person User ID 7 · T1" in text
    assert "Punches of Ivy Eriksen" in text
    assert "Elena" not in text
    assert 'value="person"' not in page.body.decode()
    assert await _decide(browser, "other") == LIST
    (claim,) = [one for one in await rig.items("/conflicts/punches") if one["punches"]]
    assert claim["owner"] == "other"


@pytest_twisted.ensureDeferred
async def test_lists_of_people_and_conflicts_lead_to_it(rig: Rig) -> None:
    """Other pages lead to the list, which names the permission that an account needs to decide."""
    await two_people(rig)
    browser = await signed_in(rig, "read")
    for page in ("/people", "/people/conflicts"):
        assert f'href="/console{LIST}"' in (await browser.get(page)).body.decode()
    shown = await browser.get(LIST)
    assert "Accounts with the permission “Change” can." in text_of(shown)
    assert f'action="/console{LIST}/' not in shown.body.decode()

"""People whom terminals count and who are not known here: said as not known, and fetched."""

from __future__ import annotations

import pytest_twisted

from ..rig import Rig
from ..server.test_distribution import distribute, person, wired
from .browser import Browser, forms_of, location, signed_in, text_of

PAGE = "/areas/North"
FETCH = f"{PAGE}/fetch"


async def counting(rig: Rig, sn: str, users: int) -> None:
    """A terminal that counts people."""
    await wired(rig, sn)
    await rig.get(f"getrequest?SN={sn}&INFO=Ver,{users},0,0,10.0.0.5,10,7,12,0,00")


async def buttons(browser: Browser, page: str) -> set[str]:
    """The actions of the forms of a page."""
    return {action.removeprefix("/console") for action, _ in forms_of(await browser.get(page))}


@pytest_twisted.ensureDeferred
async def test_the_page_of_an_area_fetches_the_people_of_all_its_terminals(rig: Rig) -> None:
    """Only terminals that count more people than are known are asked; then the number is known."""
    await counting(rig, "A1", 2)
    await counting(rig, "A2", 1)
    await counting(rig, "A3", 0)
    await rig.post("cdata?SN=A2&table=OPERLOG&Stamp=1", b"USER PIN=7\tName=Eve\n")
    await person(rig, "7", areas=["South"])
    browser = await signed_in(rig)
    shown = text_of(await browser.get(PAGE))
    assert "1 person who is known here, and perhaps more" in shown
    done = await browser.send(PAGE, FETCH, {})
    assert location(done) == PAGE
    assert "1 terminal is asked for its people." in text_of(await browser.get(PAGE))
    assert b"DATA QUERY USERINFO" in (await rig.get("getrequest?SN=A1")).body
    for sn in ("A2", "A3"):
        assert (await rig.get(f"getrequest?SN={sn}")).body == b"OK"
    await rig.post(
        "cdata?SN=A1&table=OPERLOG&Stamp=1", b"USER PIN=5\tName=Bo\nUSER PIN=6\tName=Cy\n"
    )
    shown = text_of(await browser.get(PAGE))
    assert "People who would be deleted from terminals 1" in shown
    assert FETCH not in await buttons(browser, PAGE)
    nothing = await browser.post(
        FETCH, dict(forms_of(await browser.get(PAGE)))["/console/sign-out"]
    )
    assert "No terminal of this area counts more people" in text_of(nothing)


@pytest_twisted.ensureDeferred
async def test_an_area_that_has_just_begun_to_distribute_does_not_say_that_all_is_well(
    rig: Rig,
) -> None:
    """While a terminal counts more people than are known, before its numbers are watched."""
    await counting(rig, "A1", 14)
    browser = await signed_in(rig)
    await distribute(rig)
    shown = text_of(await browser.get(PAGE))
    assert "all well" not in shown
    assert "No terminal counts other numbers" not in shown
    assert "1 terminal counts more people than are known here." in shown
    assert "The terminals count 14 more people than are known here." in shown
    assert FETCH in await buttons(browser, PAGE)
    await rig.get("getrequest?SN=A1&INFO=Ver,0,0,0,10.0.0.5,10,7,12,0,00")
    shown = text_of(await browser.get(PAGE))
    assert "all well" in shown
    assert FETCH not in await buttons(browser, PAGE)


@pytest_twisted.ensureDeferred
async def test_who_may_only_see_is_offered_no_fetch(rig: Rig) -> None:
    """The fact is said all the same."""
    await counting(rig, "A1", 3)
    browser = await signed_in(rig, "read")
    assert "The terminals count 3 more people" in text_of(await browser.get(PAGE))
    assert FETCH not in await buttons(browser, PAGE)


@pytest_twisted.ensureDeferred
async def test_a_fetch_that_brought_nobody_says_so(rig: Rig) -> None:
    """And what to do, with a button to repeat it; so does one that brought too few."""
    page = "/terminals/A1/people"
    await counting(rig, "A1", 3)
    browser = await signed_in(rig)
    watched = location(await browser.send(page, f"{page}/fetch", {}))
    assert f"{page}/fetch" not in await buttons(browser, watched)
    name = watched.partition("=")[2]
    await rig.get("getrequest?SN=A1")
    assert "The order has ended" not in text_of(await browser.get(watched))
    await rig.post("devicecmd?SN=A1", f"ID={name}&Return=0&CMD=DATA\n".encode())
    await rig.get("getrequest?SN=A1")
    shown = await browser.get(watched)
    assert "none of the 3 people whom the terminal counts have come." in text_of(shown)
    assert "Wait a minute" in text_of(shown)
    assert 'href="/console/terminals/A1/requests"' in shown.body.decode()
    assert f'href="/console{watched}"' in shown.body.decode()
    assert f"{page}/fetch" in await buttons(browser, watched)
    await rig.post("cdata?SN=A1&table=OPERLOG&Stamp=1", b"USER PIN=5\tName=Bo\n")
    shown = await browser.get(watched)
    assert "2 people whom the terminal counts have not come." in text_of(shown)
    await rig.post("cdata?SN=A1&table=OPERLOG&Stamp=2", b"USER PIN=6\tName=B\nUSER PIN=7\tName=C\n")
    assert "not come" not in text_of(await browser.get(watched))
    assert f"{page}/fetch" not in await buttons(browser, watched)


@pytest_twisted.ensureDeferred
async def test_a_fetch_that_the_terminal_refuses_says_so(rig: Rig) -> None:
    """With the reason of the refusal."""
    page = "/terminals/A1/people"
    await counting(rig, "A1", 3)
    browser = await signed_in(rig)
    watched = location(await browser.send(page, f"{page}/fetch", {}))
    await rig.get("getrequest?SN=A1")
    await rig.post(
        "devicecmd?SN=A1", f"ID={watched.partition('=')[2]}&Return=-1&CMD=DATA\n".encode()
    )
    shown = text_of(await browser.get(watched))
    assert "The terminal has not sent its people." in shown
    assert "none of the 3 people whom the terminal counts have come." in shown

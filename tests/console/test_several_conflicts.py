"""Several conflicts are settled at once."""

from __future__ import annotations

from collections.abc import Mapping
from html import unescape

import pytest
import pytest_twisted

from zkpush.handlers.people.conflictpages import PER_PAGE

from ..promises.limited import MINE, OTHER, plant
from ..rig import Response, Rig
from .browser import Browser, location, signed_in, text_of
from .test_attendance import person
from .test_people import operate

PAGE = "/people/conflicts"
STORED = {"1": "Ann Ash", "2": "Bea Birch", "3": "Cem Cedar"}
SAID = {"1": "Zoe", "2": "Yan", "3": "Xia"}


async def contradicted(rig: Rig) -> list[int]:
    """People who have other names at a terminal; returns the ids of the conflicts."""
    await rig.exchange("T1")
    for pin, name in STORED.items():
        await person(rig, pin, name)
    await operate(rig, *(f"USER PIN={pin}\tName={name}\tPri=0\n" for pin, name in SAID.items()))
    return [one["id"] for one in await rig.items("/conflicts")]


async def names(rig: Rig) -> dict[str, str]:
    """The stored names."""
    return {one["pin"]: one["name"] for one in await rig.items("/users")}


async def asked(browser: Browser, fields: Mapping[str, object]) -> str:
    """The question that the form leads to."""
    reply = await browser.send(PAGE, PAGE, fields)
    assert reply.status == 200, reply.raw
    return text_of(reply)


def refusal(reply: Response) -> str:
    """What is said of a form that did nothing."""
    assert reply.status == 422, reply.raw
    return text_of(reply)


@pytest.mark.parametrize(("keep", "kept"), [("stored", STORED), ("terminal", SAID)])
@pytest_twisted.ensureDeferred
async def test_the_chosen_ones_are_settled_alike_and_each_is_in_the_audit_log(
    rig: Rig, keep: str, kept: Mapping[str, str]
) -> None:
    """The question counts and names them first; those that are not ticked stay open."""
    first, _, third = await contradicted(rig)
    browser = await signed_in(rig)
    fields = {"keep": keep, "conflict": [first, third]}
    question = await asked(browser, fields)
    assert "2 conflicts are settled" in question
    assert "They are about: Ann Ash, Cem Cedar." in question
    assert (len(await rig.items("/conflicts")), await names(rig)) == (3, STORED)
    assert location(await browser.confirm(PAGE, PAGE, fields)) == PAGE
    assert "2 conflicts are settled." in text_of(await browser.get(PAGE))
    assert [one["pin"] for one in await rig.items("/conflicts")] == ["2"]
    assert await names(rig) == {**STORED, "1": kept["1"], "3": kept["3"]}
    settled = [one for one in await rig.items("/audit") if one["action"] == "settle conflict"]
    assert [one["subject"] for one in settled] == [await rig.person("1"), await rig.person("3")]


@pytest_twisted.ensureDeferred
async def test_one_tick_chooses_all_of_the_page(rig: Rig) -> None:
    """It is a field of the form like the others, so that no script is needed."""
    ids = await contradicted(rig)
    browser = await signed_in(rig)
    shown = (await browser.get(PAGE)).body.decode()
    every = " ".join(map(str, reversed(ids)))
    assert f'name="shown" value="{every}"' in shown
    for one in ids:
        assert f'form="chosen-conflicts" name="conflict" value="{one}"' in shown
    await browser.confirm(PAGE, PAGE, {"keep": "stored", "shown": every, "conflict": ids[:1]})
    assert await rig.items("/conflicts") == []


@pytest_twisted.ensureDeferred
async def test_a_long_list_of_conflicts_has_pages(rig: Rig) -> None:
    """Each conflict is on one of them, the newest first."""
    await rig.exchange("T1")
    pins = [str(1000 + number) for number in range(PER_PAGE + 1)]
    for pin in pins:
        await person(rig, pin, "Ann Ash")
    await operate(rig, *(f"USER PIN={pin}\tName=Zoe\tPri=14\tCard={pin}\n" for pin in pins))
    browser = await signed_in(rig)
    browser.language = "ar"
    shown = await browser.get(PAGE)
    assert len(shown.body) < 50_000
    first = unescape(shown.body.decode())
    before = first.partition(f"{PAGE}?before=")[2].partition('"')[0]
    last = (await browser.get(f"{PAGE}?before={before}")).body.decode()
    found = [pin for pin in pins if f'href="/console/people/{pin}"' in last]
    assert len(found) == 1
    assert found + [pin for pin in pins if f'href="/console/people/{pin}"' in first] == pins
    assert f'href="/console{PAGE}"' in last


@pytest_twisted.ensureDeferred
async def test_a_right_that_terminals_give_is_named_with_its_people(rig: Rig) -> None:
    """The question tells who would get it; keeping what is stored gives none."""
    await rig.exchange("T1")
    for pin, name in STORED.items():
        assert (await rig.api("PUT", f"/users/{pin}", {"name": name, "privilege": 0})).status < 300
    await operate(
        rig,
        "USER PIN=1\tName=Ann Ash\tPri=14\n",
        "USER PIN=2\tName=Yan\tPri=0\n",
    )
    ids = [one["id"] for one in await rig.items("/conflicts")]
    browser = await signed_in(rig)
    question = await asked(browser, {"keep": "terminal", "conflict": ids})
    assert "get a right at terminals by this, and may change settings, people and records there: "
    assert "records there: Ann Ash." in question
    assert "right" not in await asked(browser, {"keep": "stored", "conflict": ids})


@pytest_twisted.ensureDeferred
async def test_all_are_settled_or_none(rig: Rig) -> None:
    """Two terminals that say different things about a person cannot both be right."""
    ids = await contradicted(rig)
    await rig.exchange("T2")
    await operate(rig, "USER PIN=3\tName=Vic\tPri=0\n", sn="T2")
    (other,) = [one["id"] for one in await rig.items("/conflicts") if one["id"] not in ids]
    browser = await signed_in(rig)
    fields = {"keep": "terminal", "conflict": [*ids, other]}
    await browser.send(PAGE, PAGE, {**fields, "confirmed": "true"})
    assert (len(await rig.items("/conflicts")), await names(rig)) == (4, STORED)
    reply = await browser.send(PAGE, PAGE, fields)
    assert "different things about user 3" in refusal(reply)
    assert reply.body.decode().count(" checked") == 4
    await browser.confirm(PAGE, PAGE, {**fields, "keep": "stored"})
    assert (await rig.items("/conflicts"), await names(rig)) == ([], STORED)


@pytest_twisted.ensureDeferred
async def test_choosing_nothing_or_what_is_settled_changes_nothing(rig: Rig) -> None:
    """The page says so; those that are open still are settled, and the others are counted."""
    first, second, third = await contradicted(rig)
    browser = await signed_in(rig)
    assert "tick the boxes" in refusal(await browser.send(PAGE, PAGE, {"keep": "stored"}))
    await rig.api("POST", f"/conflicts/{first}", {"keep": "stored"})
    gone = await browser.send(PAGE, PAGE, {"keep": "stored", "conflict": [first]})
    assert "settled already" in refusal(gone)
    fields = {"keep": "stored", "conflict": [first, second], "confirmed": "true"}
    assert location(await browser.send(PAGE, PAGE, fields)) == PAGE
    shown = text_of(await browser.get(PAGE))
    assert "1 conflict is settled. 1 other one was settled already." in shown
    assert [one["id"] for one in await rig.items("/conflicts")] == [third]


@pytest_twisted.ensureDeferred
async def test_accounts_settle_only_what_they_may_see_and_change(rig: Rig) -> None:
    """Conflicts of another area are as if there were none; without the scope there are no ticks."""
    planted = await plant(rig)
    await rig.api("PUT", "/users/1", {"name": "One"})
    ids = {one["device"]: one["id"] for one in await rig.items("/conflicts")}
    assert {*ids} == {MINE, OTHER}
    limited = await signed_in(rig, name="north", areas=["North"])
    reader = await signed_in(rig, "read", name="rita")
    assert b"chosen-conflicts" not in (await reader.get(PAGE)).body
    csrf = (await limited.get("/")).body.decode().partition('name="csrf" value="')[2][:64]
    sent = {"csrf": csrf.partition('"')[0], "keep": "stored"}
    assert "settled already" in refusal(
        await limited.post(PAGE, {**sent, "conflict": planted.others["/conflicts/{id}"]})
    )
    both = {**sent, "conflict": [*ids.values()], "confirmed": "true"}
    assert location(await limited.post(PAGE, both)) == PAGE
    assert [one["device"] for one in await rig.items("/conflicts")] == [OTHER]

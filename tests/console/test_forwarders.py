"""Pages of forwarders."""

from __future__ import annotations

import re
from typing import Any

import pytest
import pytest_twisted

from zkpush.values.forwarding import ForwardBatch, Outcome, RefusedBatch

from ..forward.receivers import Memory, add, down, punch, shown, takes, turn, turns
from ..rig import Rig
from .browser import Browser, location, signed_in, text_of

PAGE = "/forwarders/1"


@pytest.fixture
def memory() -> Memory:
    """A receiver."""
    return Memory()


@pytest_twisted.async_yield_fixture
async def fed(make_rig: Any, memory: Memory) -> Any:
    """A daemon with a forwarder that has a secret setting."""
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig, settings={"floor": 3})
    yield rig


async def press(browser: Browser, word: str, **fields: object) -> str:
    """Press a button of the page; the notice that follows."""
    assert location(await browser.send(PAGE, f"{PAGE}/{word}", fields)) == PAGE
    return text_of(await browser.get(PAGE))


def refused(batch: ForwardBatch) -> Outcome:
    """Take nothing."""
    return RefusedBatch("no such employee")


@pytest_twisted.ensureDeferred
async def test_a_forwarder_that_is_down_shows_backlog_and_error(fed: Rig, memory: Memory) -> None:
    """The list and the page name what is to be delivered and the last error, then the delivery."""
    browser = await signed_in(fed)
    memory.answer = down
    await punch(fed, [7])
    await turns(fed, 2)
    listed = text_of(await browser.get("/forwarders"))
    assert "payroll" in listed
    assert "nobody answers" in listed
    one = text_of(await browser.get(PAGE))
    assert "To deliver 1" in one
    assert "nobody answers" in one
    assert "not reached, tried again" in one
    assert "failed attempt" in one
    assert "delivers" not in one
    memory.answer = takes
    await turns(fed, 5, seconds=600)
    one = text_of(await browser.get(PAGE))
    assert "To deliver 0" in one
    assert "thanks" in one


@pytest_twisted.ensureDeferred
async def test_it_is_paused_and_resumed(fed: Rig, memory: Memory) -> None:
    """While it is paused its events are kept; the audit log names the account."""
    browser = await signed_in(fed)
    assert "It is paused." in await press(browser, "pause")
    await punch(fed, [7])
    await turns(fed, 2)
    assert memory.pins == []
    assert "It delivers again" in await press(browser, "resume")
    await turns(fed, 2)
    assert memory.pins == ["7"]
    changes = await fed.items("/audit?action=change+forwarder&actor=account+ann")
    assert len(changes) == 2


@pytest_twisted.ensureDeferred
async def test_a_sample_is_sent(fed: Rig, memory: Memory) -> None:
    """The page says what came back, also if that is an error."""
    browser = await signed_in(fed)
    good = text_of(await browser.send(PAGE, f"{PAGE}/test", {}))
    assert "thanks" in good
    memory.answer = down
    bad = text_of(await browser.send(PAGE, f"{PAGE}/test", {}))
    assert "not delivered" in bad
    assert "nobody answers" in bad


@pytest_twisted.ensureDeferred
async def test_the_events_of_days_are_sent_again(fed: Rig, memory: Memory) -> None:
    """Both days count whole; a wrong day is a mistake of its field."""
    browser = await signed_in(fed)
    await punch(fed, [7, 8])
    await turns(fed, 2)
    memory.taken.clear()
    for fields in (
        {"since": "soon"},
        {"since": ""},
        {"since": "2026-03-02", "until": "2026-03-01"},
    ):
        wrong = await browser.send(PAGE, f"{PAGE}/replay", fields)
        assert 400 <= wrong.status < 500, fields
    assert "sent again: 0." in await press(
        browser, "replay", since="2026-02-27", until="2026-02-28"
    )
    said = await press(browser, "replay", since="2026-03-01", until="2026-03-01")
    assert "sent again: 2." in said
    await turns(fed, 2)
    assert memory.pins == ["7", "8"]


@pytest_twisted.ensureDeferred
async def test_dead_letters_are_sent_again(fed: Rig, memory: Memory) -> None:
    """Each with its reason; one alone or all."""
    memory.answer = refused
    await punch(fed, [7, 8, 9])
    await turns(fed, 40, seconds=40_000)
    assert (await shown(fed))["dead"] == 3
    browser = await signed_in(fed)  # the time of a session would be over
    page = await browser.get(PAGE)
    assert "no such employee" in text_of(page)
    memory.answer = takes
    letter = (await fed.items("/forwarders/1/dead"))[1]["event"]["id"]
    token = page.body.decode().split('name="csrf" value="')[1].split('"')[0]
    sent = await browser.post(f"{PAGE}/dead", {"csrf": token, "ids": [letter]})
    assert location(sent) == PAGE
    await turns(fed, 2)
    assert memory.pins == ["8"]
    sent = await browser.post(f"{PAGE}/dead", {"csrf": token})
    assert location(sent) == PAGE
    await turns(fed, 2)
    assert memory.pins == ["8", "7", "9"]
    await turn(fed)
    assert "Send all again" not in text_of(await browser.get(PAGE))


@pytest_twisted.ensureDeferred
async def test_the_overview_counts_what_is_to_deliver_and_what_was_not_taken(
    fed: Rig, memory: Memory
) -> None:
    """Both numbers are those of the list of forwarders, also while nothing has been looked at."""
    browser = await signed_in(fed)
    assert "did not take" not in text_of(await browser.get("/"))
    memory.answer = refused
    await punch(fed, [7, 8, 9])
    listed = await shown(fed)
    assert (listed["backlog"], listed["dead"]) == (3, 0)
    assert "3 events to deliver" in text_of(await browser.get("/"))
    await turns(fed, 40, seconds=40_000)
    listed = await shown(fed)
    assert (listed["backlog"], listed["dead"]) == (0, 3)
    told = text_of(await (await signed_in(fed, name="bea")).get("/"))
    assert "0 events to deliver 3 events that receivers did not take" in told


@pytest_twisted.ensureDeferred
async def test_dead_letters_are_discarded(fed: Rig, memory: Memory) -> None:
    """One alone or all, after a question that says how many."""
    memory.answer = refused
    await punch(fed, [7, 8, 9])
    await turns(fed, 40, seconds=40_000)
    browser = await signed_in(fed)
    action, letter = f"{PAGE}/discard", {"ids": "rec_2"}
    asked = await browser.send(PAGE, action, letter)
    assert "The receiver never gets these events: 1." in text_of(asked)
    assert (await shown(fed))["dead"] == 3
    assert location(await browser.confirm(PAGE, action, letter)) == PAGE
    left = [one["event"]["id"] for one in await fed.items("/forwarders/1/dead")]
    assert left == ["rec_1", "rec_3"]
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', asked.body.decode())
    assert token is not None
    asked = await browser.post(action, {"csrf": token[1]})
    assert "The receiver never gets these events: 2." in text_of(asked)
    await browser.post(action, {"csrf": token[1], "confirmed": "true"})
    assert (await shown(fed))["dead"] == 0
    assert len(await fed.items("/audit?action=discard+events&actor=account+ann")) == 2
    assert "Discard all" not in text_of(await browser.get(PAGE))


@pytest_twisted.ensureDeferred
async def test_secrets_of_settings_are_never_shown(rig: Rig) -> None:
    """Not even to an account with all scopes; nor is the secret that signs."""
    settings = {"url": "https://erp.example", "api_key": "key", "api_secret": "a-secret-token"}
    body = {"name": "erp", "kind": "erpnext", "settings": settings}
    made = await rig.api("POST", "/forwarders", body)
    assert made.status == 201, made.raw
    hook = {"name": "hook", "url": "https://hook.example/punches"}
    signing = (await rig.api("POST", "/forwarders", hook)).json["secret"]
    browser = await signed_in(rig)
    for path in ("/forwarders", PAGE, "/forwarders/2"):
        shown_page = (await browser.get(path)).body.decode()
        assert "a-secret-token" not in shown_page
        assert signing not in shown_page
    assert "secret, not shown" in text_of(await browser.get(PAGE))
    assert (await browser.get("/forwarders/3")).status == 404

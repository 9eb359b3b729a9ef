"""Terminals that make requests and do not begin a session."""

from __future__ import annotations

import pytest_twisted

from zkpush.problems import ProblemCode

from ..console.browser import document, forms_of, signed_in, text_of
from ..console.test_doctor import checks_of
from ..console.walk import english_left
from ..rig import Rig
from .test_watch import problems

POLL = "getrequest?SN=T1"


async def never_begins(rig: Rig, minutes: int = 5) -> None:
    """An approved terminal polls for some minutes, and makes no exchange."""
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    await polls(rig, minutes)


async def polls(rig: Rig, minutes: int) -> None:
    """A poll every half minute, and what the server looks at each minute."""
    for _ in range(minutes):
        for _ in range(2):
            await rig.get(POLL)
            rig.clock.advance(30)
        await problems(rig, ProblemCode.NO_SESSION)
    await rig.get(POLL)


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_does_not_begin_its_session_is_a_problem(rig: Rig) -> None:
    """After some requests; until it begins one, or makes no more requests."""
    await never_begins(rig, 1)
    assert await problems(rig, ProblemCode.NO_SESSION) == []
    await polls(rig, 4)
    (found,) = await problems(rig, ProblemCode.NO_SESSION)
    assert found["detail"].endswith("nothing of it is taken.")
    assert "by hand" in found["advice"]
    rig.clock.advance(3600)
    assert await problems(rig, ProblemCode.NO_SESSION) == []
    await polls(rig, 5)
    assert len(await problems(rig, ProblemCode.NO_SESSION)) == 1
    await rig.exchange("T1")
    assert await problems(rig, ProblemCode.NO_SESSION) == []


@pytest_twisted.ensureDeferred
async def test_a_session_that_is_to_begin_again_and_does_not_is_one_too(rig: Rig) -> None:
    """Its records are taken, its commands stay."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"settings": {"Delay": 20}})
    await polls(rig, 5)
    (found,) = await problems(rig, ProblemCode.NO_SESSION)
    assert "its records are taken" in found["detail"]


@pytest_twisted.ensureDeferred
async def test_a_terminal_in_its_session_is_none(rig: Rig) -> None:
    """However long it polls."""
    await rig.exchange("T1")
    await polls(rig, 5)
    assert await problems(rig, ProblemCode.NO_SESSION) == []


@pytest_twisted.ensureDeferred
async def test_pages_say_that_it_has_no_session(rig: Rig) -> None:
    """The overview has it to do, and the list of terminals does not call it online alone."""
    await never_begins(rig)
    browser = await signed_in(rig)
    start = text_of(await browser.get("/"))
    assert "does not begin a session" in start
    assert "The server and its terminals need nothing." not in start
    for page in ("/terminals", "/terminals?state=online"):
        assert "online, without a session" in text_of(await browser.get(page))
    await browser.get("/?lang=en-XA")
    for page in ("/", "/terminals", "/terminals/T1/doctor"):
        assert english_left(document(await browser.get(page))) == []


@pytest_twisted.ensureDeferred
async def test_lists_of_punches_name_a_terminal_of_which_nothing_is_taken(rig: Rig) -> None:
    """As one that is not connected; not one whose records are taken while its commands stay."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"settings": {"Delay": 20}})
    await polls(rig, 5)
    assert await problems(rig, ProblemCode.NO_SESSION)
    browser = await signed_in(rig)
    assert "its punches are missing" not in text_of(await browser.get("/attendance"))
    await rig.api("PUT", "/devices/T2", {"state": "approved"})
    for _ in range(5):
        for _ in range(2):
            await rig.get("getrequest?SN=T2")
            rig.clock.advance(30)
        await problems(rig, ProblemCode.NO_SESSION)
    await rig.get("getrequest?SN=T2")
    shown = text_of(await browser.get("/attendance"))
    assert "T2 is connected and does not begin a session" in shown
    await rig.exchange("T2")
    await problems(rig, ProblemCode.NO_SESSION)
    assert "its punches are missing" not in text_of(await browser.get("/attendance"))


@pytest_twisted.ensureDeferred
async def test_advice_offers_only_what_reaches_a_terminal_without_a_session(rig: Rig) -> None:
    """It is switched off and on by hand; no button queues a command, no setting is repeated."""
    await never_begins(rig)
    shown = await (await signed_in(rig)).get("/terminals/T1/doctor")
    kind, words = checks_of(shown)["Does it begin its session?"]
    assert kind == "bad"
    assert "off and on by hand" in words
    assert "Token of its session" not in words
    buttons = [action for action, _ in forms_of(shown)]
    assert not [one for one in buttons if one.endswith(("/reboot", "/resend"))]
    found = (await rig.api("GET", "/devices/T1/doctor")).json
    assert "token=" not in str(found)
    assert "resend" not in str(found)


@pytest_twisted.ensureDeferred
async def test_refusals_of_a_terminal_without_a_session_are_not_past(rig: Rig) -> None:
    """Nor fewer, once its networks let it in and it is asked for its session in vain."""
    await rig.api("PUT", "/devices/T1", {"state": "approved", "networks": ["10.20.0.0/16"]})
    for _ in range(39):
        await rig.get(POLL)
        rig.clock.advance(10)
    before = await refusals(rig)
    assert before["detail"].startswith("39 of its requests were refused")
    await rig.api("PATCH", "/devices/T1", {"networks": ["0.0.0.0/0"]})
    for _ in range(3):
        rig.clock.advance(10)
        await rig.get(POLL)
    after = await refusals(rig)
    assert after["state"] == "warning"
    assert "42 of its requests were refused in the last hour" in after["detail"]
    assert "before it began a session" not in after["detail"]
    await rig.exchange("T1")
    await rig.get(POLL)
    assert (await refusals(rig))["state"] == "ok"


async def refusals(rig: Rig) -> dict[str, str]:
    """The check of refusals."""
    found = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    return next(one for one in found if one["name"] == "refusals")

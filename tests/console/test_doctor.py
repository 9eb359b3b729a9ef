"""The page "Why no punches?"."""

from __future__ import annotations

import pytest_twisted

from ..rig import Response, Rig
from .browser import document, forms_of, location, signed_in, text_of
from .walk import english_left

PAGE = "/terminals/T1/doctor"


def checks_of(shown: Response) -> dict[str, tuple[str, str]]:
    """State and words of each check, by its question."""
    found = {}
    for item in document(shown).iter("li"):
        titles = [*item.iter("h2")]
        if titles and item.attrib.get("class") in ("good", "warn", "bad", "calm"):
            words = " ".join(" ".join(item.itertext()).split())
            found["".join(titles[0].itertext())] = (item.attrib["class"], words)
    return found


@pytest_twisted.ensureDeferred
async def test_a_waiting_terminal_is_approved_from_its_checks(make_rig) -> None:
    """The page names the approval as the fault, and leads to it; then nothing is wrong with it."""
    rig: Rig = await make_rig(admission="approve")
    await rig.get("cdata?SN=T1&options=all")
    browser = await signed_in(rig)
    shown = await browser.get(PAGE)
    assert "A fault was found." in text_of(shown)
    kind, words = checks_of(shown)["Is it approved?"]
    assert kind == "bad"
    assert "Its requests are refused until you approve it." in words
    assert b'href="/console/terminals/T1/approve"' in shown.body
    assert "/console/terminals/T1/block" in [action for action, _ in forms_of(shown)]
    done = await browser.send("/terminals/T1/approve", "/terminals/T1/approve", {"timezone": "UTC"})
    assert location(done) == "/terminals/T1"
    after = checks_of(await browser.get(PAGE))
    assert after["Is it approved?"][0] == "good"
    assert after["Is its time zone known?"][0] == "good"


@pytest_twisted.ensureDeferred
async def test_the_page_has_the_findings_of_the_command_line(rig: Rig) -> None:
    """Each check of the API is on the page, in its order, with what was found."""
    await rig.exchange("T1")
    found = (await rig.api("GET", "/devices/T1/doctor")).json
    shown = checks_of(await (await signed_in(rig, "read")).get(PAGE))
    assert len(shown) == len(found["checks"])
    for check, (kind, words) in zip(found["checks"], shown.values(), strict=True):
        assert (
            kind
            == {"ok": "good", "unknown": "calm", "warning": "warn", "error": "bad"}[check["state"]]
        )
        detail = check["detail"].replace("2026-03-01", "Sun 1 Mar 2026")
        assert detail.replace(" ", "") in words.replace(" ", "")


@pytest_twisted.ensureDeferred
async def test_buttons_are_for_those_who_may(make_rig) -> None:
    """An account that may only look sees the faults and steps, and no button."""
    rig: Rig = await make_rig(admission="approve")
    await rig.get("cdata?SN=T1&options=all")
    shown = await (await signed_in(rig, "read")).get(PAGE)
    assert "Its requests are refused until you approve it." in text_of(shown)
    assert b"/terminals/T1/approve" not in shown.body
    assert b"/terminals/T1/block" not in shown.body


@pytest_twisted.ensureDeferred
async def test_a_terminal_without_punches_is_made_to_send_them(rig: Rig) -> None:
    """The step after "it has never uploaded" asks the terminal for everything it has."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    assert checks_of(await browser.get(PAGE))["Does it send punches?"][0] == "warn"
    done = await browser.send(PAGE, "/terminals/T1/resend", {})
    assert location(done) == "/terminals/T1"
    commands = await rig.items("/devices/T1/commands")
    assert "CHECK" in [command["command"] for command in commands]
    (act,) = await rig.items("/audit?action=resend")
    assert act["actor"] == "account ann"
    assert act["detail"].startswith("ATTLOG")


@pytest_twisted.ensureDeferred
async def test_a_serial_number_that_is_no_terminal_has_its_refusals(make_rig) -> None:
    """A refused stranger has the reason of its refusal; one that never came a page that says so."""
    rig: Rig = await make_rig(admission="closed")
    await rig.get("cdata?SN=T1&options=all")
    browser = await signed_in(rig)
    (kind, words) = checks_of(await browser.get(PAGE))["Are its requests accepted?"]
    assert kind == "bad"
    assert "This server takes no unknown terminals" in words
    missing = await browser.get("/terminals/NEVER1/doctor")
    assert missing.status == 200
    assert "This did not work" not in text_of(missing)
    assert "Check the server address and port in its menu." in text_of(missing)


@pytest_twisted.ensureDeferred
async def test_a_blocked_terminal_is_told_apart_from_a_waiting_one(make_rig) -> None:
    """Blocking it is no advice any more; whether its requests would be accepted is not known."""
    rig: Rig = await make_rig(admission="approve")
    await rig.get("cdata?SN=T1&options=all")
    browser = await signed_in(rig)
    waiting = await browser.get(PAGE)
    assert "until you approve it" in checks_of(waiting)["Is it approved?"][1]
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    await rig.get("cdata?SN=T1&options=all")
    checks = checks_of(await browser.get(PAGE))
    assert "block it" not in checks["Is it approved?"][1]
    assert "Approve it again if it belongs here." in checks["Is it approved?"][1]
    (kind, words) = checks["Are its requests accepted?"]
    assert kind == "calm"
    assert "refused" in words


@pytest_twisted.ensureDeferred
async def test_findings_are_translated_and_the_api_stays_english(rig: Rig) -> None:
    """What was found, and what to do, is said in the language of the visit."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    rig.clock.advance(7200)
    browser = await signed_in(rig)
    await browser.get("/?lang=es")
    shown = text_of(await browser.get("/terminals/T1/doctor"))
    assert "Está bloqueado: sus peticiones se rechazan." in shown
    assert "Se supo de él por última vez hace 2 horas." in shown
    assert "apruébelo de nuevo: la página « Aprobar »." in shown
    found = (await rig.api("GET", "/devices/T1/doctor")).json
    details = {one["name"]: one["detail"] for one in found["checks"]}
    assert details["connection"] == "It was last heard of 2 hours ago."
    assert details["admission"] == "It is blocked: its requests are refused."
    await browser.get("/?lang=en-XA")
    assert english_left(document(await browser.get("/terminals/T1/doctor"))) == []


@pytest_twisted.ensureDeferred
async def test_a_terminal_outside_its_networks_is_led_to_these(rig: Rig) -> None:
    """Its connection is no fault, and what mends the refusals has a button that leads there."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"networks": ["198.51.100.0/24"]})
    rig.clock.advance(3600)
    await rig.get("getrequest?SN=T1")
    browser = await signed_in(rig)
    shown = await browser.get(PAGE)
    found = checks_of(shown)
    kind, words = found["Does it reach the server?"]
    assert kind == "calm"
    assert "Requests in its name arrive and are refused" in words
    first = next(words for kind, words in found.values() if kind == "bad")
    assert "came from an address outside its networks" in first
    assert b'href="/console/terminals/T1/settings#protection"' in shown.body
    assert (await browser.get("/terminals/T1/settings")).body.count(b'id="protection"') == 1

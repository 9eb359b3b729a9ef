"""Pages that say what went wrong, in the artificial language: no English word is left but data."""

from __future__ import annotations

import pytest_twisted

from ..rig import Rig
from ..server.test_jobs import answer_all, runner
from .browser import Browser, document, location, signed_in, text_of
from .test_people import operate, preview
from .walk import english_left

MISTAKES = (
    "pin,name,card,privilege,areas,expires\n"
    "1,Ann Oak,,,,\n"
    "2,Bob,no card,,,\n"
    "1,Twin,,,,\n"
    "3,Carl\n"
    "4,Dora,,boss,,\n"
    f"5,Emil,,,{'x' * 90},\n"
    "6,Fay,,,,9\n"
    "7,Gus,,77,,\n"
    "a b,Hal,,,,\n"
    f"8,{'Ida' * 90},,,,\n"
)


async def pseudo(rig: Rig) -> Browser:
    """A browser of an account whose language is the artificial one."""
    browser = await signed_in(rig)
    await browser.get("/?lang=en-XA")
    return browser


@pytest_twisted.ensureDeferred
async def test_mistakes_in_a_file_of_people_are_translated(rig: Rig) -> None:
    """Each line of the preview has a mistake of another kind, and the API has it in English."""
    await rig.exchange("T1")
    browser = await pseudo(rig)
    shown = await preview(browser, MISTAKES)
    assert english_left(document(shown)) == []
    for words in ("Carl", "name,name\n1,2\n", "pin,shoe\n1,44\n", "pin,pin\n1,1\n", ""):
        assert english_left(document(await preview(browser, words))) == [], words
    await browser.get("/?lang=es")
    assert "pin: 1 ya está en la línea 2" in text_of(await preview(browser, MISTAKES))
    reply = await rig.api("POST", "/users/import?dry_run=true", MISTAKES.encode())
    details = [one["detail"] for one in reply.json["lines"] if one["action"] == "error"]
    assert "2 values for 6 columns" in details
    assert "pin: 1 is in line 2 already" in details


@pytest_twisted.ensureDeferred
async def test_a_confirmation_that_is_missing_is_translated(rig: Rig) -> None:
    """The number of people whom a command would delete is asked for."""
    await rig.exchange("A1")
    await operate(rig, *(f"USER PIN={pin}\tName=Ann\n" for pin in (1, 2, 3)), sn="A1")
    browser = await pseudo(rig)
    fields = {"device": "A1", "sure": "true"}
    asked = await browser.send("/jobs/new?command=CLEAR+DATA", "/jobs/new", fields)
    assert asked.status == 422
    assert english_left(document(asked)) == []


@pytest_twisted.ensureDeferred
async def test_why_a_job_stopped_is_translated(rig: Rig) -> None:
    """The reason is stored in English, and translated when it is shown."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    job = (
        await rig.api(
            "POST", "/commands", {"command": "LOG", "all": True, "wave": 1, "stop_after": 1}
        )
    ).json
    await runner(rig).work()
    for sn in ("T1", "T2"):
        await answer_all(rig, sn, -1)
    await runner(rig).work()
    path = f"/jobs/{job['id']}"
    assert (await rig.api("GET", path)).json["reason"] == (
        "1 command failed; the rest is not queued."
    )
    browser = await pseudo(rig)
    assert english_left(document(await browser.get(path))) == []
    await browser.get("/?lang=es")
    assert "Falló 1 orden" in text_of(await browser.get(path))


@pytest_twisted.ensureDeferred
async def test_why_an_enrolment_failed_is_translated(rig: Rig) -> None:
    """The answer of the terminal is said in words."""
    await rig.exchange("T1")
    await operate(rig, "USER PIN=1\tName=Ann\n")
    browser = await pseudo(rig)
    page = "/people/1/enrol"
    watched = location(await browser.send(page, page, {"device": "T1", "what": "card"}))
    await rig.get("getrequest?SN=T1")
    key = watched.partition("=")[2]
    await rig.post("devicecmd?SN=T1", f"ID={key}&Return=5&CMD=ENROLL_MF\n".encode())
    shown = await browser.get(watched)
    assert english_left(document(shown)) == []
    await browser.get("/?lang=es")
    assert "El terminal T1 no lo ha registrado" in text_of(await browser.get(watched))


@pytest_twisted.ensureDeferred
async def test_explanations_of_settings_are_translated(rig: Rig) -> None:
    """Those of each section of the configuration."""
    browser = await pseudo(rig)
    page = await browser.get("/settings?part=limits")
    assert "Ļ" in text_of(page)
    for part in ("general", "limits", "commands", "encryption", "watch", "tls", "privacy"):
        shown = await browser.get(f"/settings?part={part}")
        assert english_left(document(shown)) == [], part
        assert [one for one in document(shown).iter("small") if one.get("lang") == "en"] == [], part

"""Questions: forms that do nothing before a person has confirmed it on a page of its own."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
import pytest_twisted

from ..rig import Rig
from ..server.test_jobs import answer_all, runner
from .browser import document, location, signed_in, text_of
from .test_pages import filled
from .walk import english_left, forms_of_console, pages_of, path_of

ASK = {
    "/areas/<area>/people/out",
    "/areas/<area>/terminals",
    "/areas/<area>/terminals/out",
    "/terminals/<sn>/area",
    "/terminals/<sn>/recompute",
    "/access/<area>/<table>/delete",
    "/accounts/<name>/remove",
    "/files/<int:file_id>/delete",
    "/areas/<area>/confirm",
    "/commands/<command_id>/cancel",
    "/forwarders/<int:key>/end",
    "/jobs/<job_id>/cancel",
    "/jobs/<job_id>/retry",
    "/areas/<area>/delete",
    "/areas/<area>/distribute",
    "/areas/<area>/stop",
    "/forwarders/<int:key>/discard",
    "/jobs/new",
    "/people/<pin>/photos/remove",
    "/people/conflicts",
    "/people/new",
    "/people/<pin>/remove",
    "/people/<pin>/rights",
    "/people/<pin>/send",
    "/people/<pin>/terminals",
    "/people/conflicts/<int:conflict_id>",
    "/terminals/<sn>/block",
    "/terminals/<sn>/door",
    "/terminals/<sn>/reboot",
    "/terminals/<sn>/retire",
    "/tokens/<name>/revoke",
}
"""Forms that ask."""
ASKED_THERE = {
    "/account/code/remove",  # the password
    "/attendance/people/<pin>/earlier/<int:number>",  # the user ID
    "/files/<int:file_id>/send",  # a tick, for firmware
    "/people/<pin>/erase",  # the user ID
    "/people/import/run",  # the preview
    "/rejects/<int:reject_id>/delete",  # a tick
    "/terminals/<sn>/replace",  # a page of its own
}
"""Forms that interrupt or lose something, and have their question beside the button."""
CHANGING = {
    "/access/<area>/<table>/edit",
    "/account",
    "/account/code",
    "/account/password",
    "/account/sessions/<int:session_id>/end",
    "/accounts",
    "/accounts/<name>",
    "/accounts/<name>/link",
    "/areas",
    "/areas/<area>",
    "/areas/<area>/fetch",
    "/areas/<area>/people",
    "/areas/<area>/repair",
    "/files",
    "/forwarders/<int:key>/dead",
    "/forwarders/<int:key>/pause",
    "/forwarders/<int:key>/replay",
    "/forwarders/<int:key>/resume",
    "/forwarders/<int:key>/test",
    "/jobs/chosen",
    "/people/<pin>/edit",
    "/people/<pin>/enrol",
    "/people/<pin>/photos",
    "/people/punches/<int:claim_id>",
    "/people/import",
    "/rejects/retry",
    "/settings/zone",
    "/sign-in",
    "/sign-out",
    "/terminals/<sn>",
    "/terminals/<sn>/approve",
    "/terminals/<sn>/completeness",
    "/terminals/<sn>/people/fetch",
    "/terminals/<sn>/resend",
    "/terminals/<sn>/settings",
    "/terminals/<sn>/settings/protection",
    "/tokens",
    "/welcome/<secret>",
}
"""Forms that add or change something, which another form can change back."""
NOTHING_TO_ASK = {
    "/forwarders/<int:key>/discard",
    "/areas/<area>/people/out",
    "/areas/<area>/terminals",
    "/areas/<area>/terminals/out",
    "/terminals/<sn>/area",
    "/jobs/<job_id>/retry",
    "/people/<pin>/send",
    "/people/<pin>/terminals",
    "/people/conflicts",
    "/people/new",
    "/people/conflicts/<int:conflict_id>",
}
"""Those that ask only if there is something to lose, which `filled` does not make."""


async def changes(rig: Rig) -> int:
    """The number of changes in the audit log."""
    return len([one for one in await rig.items("/audit") if not one["action"].startswith("read")])


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_every_question_is_a_valid_page_in_the_language_of_the_person(rig: Rig) -> None:
    """It is translated, leads back to a page that exists, and changes nothing."""
    await filled(rig)
    await rig.api("POST", "/tokens", {"name": "ann", "scopes": ["read"]})
    browser = await signed_in(rig)
    await browser.get("/?lang=en-XA")
    page = (await browser.get("/")).body.decode()
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert token is not None
    before = await changes(rig)
    asking = [form for form in forms_of_console(rig) if form.question is not None]
    assert {form.path for form in asking} == ASK
    others = {form.path for form in forms_of_console(rig) if form.question is None}
    assert others == ASKED_THERE | CHANGING
    for form in asking:
        if form.path in NOTHING_TO_ASK:
            continue
        fields = {"csrf": token[1], "deletions": "0", "kind": "face", "key": "1"}
        fields |= {"command": "REBOOT", "target": "all", "privilege": "14"}
        asked = await browser.post(path_of(form.path), fields)
        assert asked.status == 200, form.path
        assert english_left(document(asked)) == [], form.path
        (back,) = re.findall(r'<a class="button" href="/console([^"]*)"', asked.body.decode())
        assert (await browser.get(back)).status == 200, back
    assert await changes(rig) == before


@pytest_twisted.ensureDeferred
async def test_the_fields_of_the_form_are_kept(rig: Rig) -> None:
    """Also odd ones: they are sent again with the confirmation, and are text on the page."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    odd = '"><script>'
    asked = await browser.send("/terminals/T1", "/terminals/T1/block", {"odd": odd})
    assert "Block this terminal?" in text_of(asked)
    assert "T1" in text_of(asked)
    assert "&#34;&gt;&lt;script&gt;" in asked.body.decode()
    assert (await rig.api("GET", "/devices/T1")).json["state"] == "approved"
    done = await browser.confirm("/terminals/T1", "/terminals/T1/block", {"odd": odd})
    assert location(done) == "/terminals/T1"
    assert (await rig.api("GET", "/devices/T1")).json["state"] == "blocked"


@pytest_twisted.ensureDeferred
async def test_a_question_needs_the_token_of_the_session(rig: Rig) -> None:
    """Another site can neither show it nor answer it."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    for fields in ({}, {"confirmed": "true"}):
        assert (await browser.post("/terminals/T1/block", fields)).status == 403
    assert (await rig.api("GET", "/devices/T1")).json["state"] == "approved"


@pytest_twisted.ensureDeferred
async def test_no_command_restarts_or_deletes_without_a_question(rig: Rig) -> None:
    """Whatever the catalogue has: by a page, or by the tick of dangerous ones, also for one."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    found = {one.name: one for one in rig.daemon.queue.catalogue}
    names = {one.name for one in found.values() if one.restarts} | {
        name for name in found if "DELETE" in name or "CLEAR" in name
    }
    assert len(names) > 10
    for name in names:
        fields = {f"params.{one.wire}": "1" for one in found[name].parameters}
        given = {"command": name, "device": "T1", **fields}
        asked = await browser.send(f"/jobs/new?command={quote(name)}", "/jobs/new", given)
        words = text_of(asked)
        assert any(each in words for each in ("Restart this", "Delete this", "Tick the box")), name
    assert await rig.items("/jobs") == []


@pytest_twisted.ensureDeferred
async def test_terminals_that_restart_are_named(rig: Rig) -> None:
    """By the name that an operator gave, up to five of them; the number of the others follows."""
    serials = [f"T{number}" for number in range(1, 8)]
    for sn in serials:
        await rig.exchange(sn)
    await rig.api("PATCH", "/devices/T1", {"alias": "Gate"})
    browser = await signed_in(rig)
    page = "/jobs/new?command=REBOOT"
    for fields, named in (
        ({"devices": "T1 T2"}, "Gate, T2"),
        ({"devices": " ".join(serials)}, "Gate, T2, T3, T4, T5 and 2 more"),
        ({"target": "all"}, "Gate, T2, T3, T4, T5 and 2 more"),
    ):
        words = text_of(await browser.send(page, "/jobs/new", fields))
        assert "Restart several terminals?" in words
        assert f"or two: {named} Restart them" in words


@pytest.mark.parametrize("command", ["REBOOT", "LOG"])
@pytest_twisted.ensureDeferred
async def test_a_job_that_restarts_terminals_is_repeated_after_a_question(
    rig: Rig, command: str
) -> None:
    """One that only asks for data is repeated at once."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    made = (await rig.api("POST", "/commands", {"command": command, "devices": ["T1"]})).json
    await runner(rig).work()
    await answer_all(rig, "T1", -1)
    page, states = f"/jobs/{made['id']}", {"states": ["failed"]}
    sent = await browser.send(page, f"{page}/retry", states)
    if command == "REBOOT":
        assert "Send these commands again?" in text_of(sent)
        assert (await rig.api("GET", page)).json["counts"]["failed"] == 1
        sent = await browser.confirm(page, f"{page}/retry", states)
    assert location(sent) == page
    await runner(rig).work()
    assert (await rig.api("GET", page)).json["counts"]["failed"] == 0


@pytest_twisted.ensureDeferred
async def test_the_address_of_a_question_leads_back_to_the_page_with_its_form(rig: Rig) -> None:
    """It may be opened again from the history of the browser; the page says what to do."""
    await filled(rig)
    browser = await signed_in(rig)
    before = await changes(rig)
    gets = {page.path for page in pages_of(rig)}
    for form in forms_of_console(rig):
        if form.question is None or form.path in gets:
            continue
        opened = await browser.get(path_of(form.path))
        assert opened.status == 303, form.path
        assert path_of(form.path).startswith(location(opened)), form.path
    asked = await browser.get("/areas/North/terminals/out")
    assert location(asked) == "/areas/North"
    assert "Nothing was changed." in text_of(await browser.get(location(asked)))
    assert await changes(rig) == before


@pytest_twisted.ensureDeferred
async def test_a_question_about_a_terminal_names_it(rig: Rig) -> None:
    """By its name, as people know it, and not by its serial number; so does what is said after."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"alias": "Gate"})
    browser = await signed_in(rig)
    page = "/terminals/T1"
    asked = text_of(await browser.send(page, f"{page}/reboot", {}))
    assert "Gate" in asked
    assert "T1" not in asked
    await browser.confirm(page, f"{page}/reboot", {})
    assert "Gate restarts when" in text_of(await browser.get(page))

"""Questions: forms that do nothing before a person has confirmed it on a page of its own."""

from __future__ import annotations

import re

import pytest_twisted

from ..rig import Rig
from .browser import document, location, signed_in, text_of
from .test_pages import filled
from .walk import english_left, forms_of_console, path_of

ASK = {
    "/areas/<area>/people/out",
    "/areas/<area>/terminals/out",
    "/terminals/<sn>/recompute",
    "/access/<area>/<table>/delete",
    "/accounts/<name>/remove",
    "/files/<int:file_id>/delete",
    "/areas/<area>/confirm",
    "/areas/<area>/delete",
    "/areas/<area>/distribute",
    "/areas/<area>/stop",
    "/forwarders/<int:key>/discard",
    "/jobs/new",
    "/people/<pin>/photos/remove",
    "/terminals/<sn>/block",
    "/terminals/<sn>/door",
    "/terminals/<sn>/reboot",
    "/terminals/<sn>/retire",
    "/tokens/<name>/revoke",
}
"""Forms that ask."""
NOTHING_TO_ASK = {
    "/forwarders/<int:key>/discard",
    "/areas/<area>/people/out",
    "/areas/<area>/terminals/out",
}
"""Those that ask only if there is something to lose, which `filled` does not make."""


async def changes(rig: Rig) -> int:
    """The number of changes in the audit log."""
    return len([one for one in await rig.items("/audit") if not one["action"].startswith("read")])


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
    for form in asking:
        if form.path in NOTHING_TO_ASK:
            continue
        fields = {"csrf": token[1], "deletions": "0", "kind": "face", "key": "1"}
        fields |= {"command": "REBOOT", "target": "all"}
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

"""The page of the audit log."""

from __future__ import annotations

import pytest_twisted

from ..rig import Rig
from .browser import signed_in, text_of


@pytest_twisted.ensureDeferred
async def test_the_audit_log_is_filtered(rig: Rig) -> None:
    """Filters choose by actor, action, day and person; the page shows who did what."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    assert (await rig.api("PUT", "/users/17", {"name": "Ann"})).status == 200
    assert "add account" in text_of(await browser.get("/audit"))
    of_person = (await browser.get("/audit?pin=17")).body.decode()
    assert 'href="/console/people/17"' in of_person
    assert "add account" not in of_person
    shown = text_of(await browser.get("/audit?action=add+account&actor=token+admin"))
    assert "account ann" in shown
    for query in (
        "actor=nobody",
        "action=nothing",
        "pin=18",
        "until=2001-01-01",
        "since=2999-01-01",
    ):
        assert "Nothing fits these filters." in text_of(await browser.get(f"/audit?{query}")), query
    assert "add account" in text_of(await browser.get("/audit?since=2001-01-01"))
    wrong = text_of(await browser.get("/audit?since=yesterday"))
    assert "This is not a date" in wrong


@pytest_twisted.ensureDeferred
async def test_a_long_log_has_pages(rig: Rig) -> None:
    """The newest records come first; the next page begins where the last one ends."""
    browser = await signed_in(rig)
    for number in range(60):
        await rig.api("POST", "/tokens", {"name": f"t{number}", "scopes": ["read"]})
    shown = await browser.get("/audit")
    assert "token t59" in text_of(shown)
    assert "token t5 " not in text_of(shown)
    link = shown.body.decode().split('href="/console/audit?before=')[1].split('"')[0]
    second = text_of(await browser.get(f"/audit?before={link}"))
    assert "token t5 " in second
    assert "token t59" not in second

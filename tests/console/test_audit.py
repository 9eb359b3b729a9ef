"""The page of the audit log."""

from __future__ import annotations

import re

import pytest_twisted

from zkpush.persist.audit import AuditStore
from zkpush.persist.transaction import Transaction

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
    wrong = text_of(await browser.get("/audit?since=2027-01-01&until=2020-01-01"))
    assert "The last day is before the first one." in wrong
    one_day = text_of(await browser.get("/audit?since=2027-01-01&until=2027-01-01"))
    assert "before the first one" not in one_day


@pytest_twisted.ensureDeferred
async def test_records_that_were_added_late_are_shown_at_their_time(rig: Rig) -> None:
    """The newest time is on top, whatever the order in which records were added."""
    browser = await signed_in(rig)
    now = rig.daemon.registry.now()

    def note(tx: Transaction) -> None:
        for seconds in (5, 9, 7):
            tx[AuditStore].add("account ann", f"act {seconds}", "x", None, now + seconds * 1000)

    await rig.store.write(note)
    shown = text_of(await browser.get("/audit?actor=account+ann"))
    assert re.findall(r"act (\d)", shown.partition("Details")[2]) == ["9", "7", "5"]


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

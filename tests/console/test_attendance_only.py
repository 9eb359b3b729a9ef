"""Accounts that see attendance only: pages, links and words, and the same with the API."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from zkpush.protocol.fields import Scope

from ..rig import Rig
from .browser import Browser, signed_in, text_of
from .test_pages import filled
from .walk import console_of, files_of, forms_of_console, pages_of, path_of, scope_of, targets_of

OPEN = (None, Scope.ATTENDANCE)
DAY = "person=&since=2026-03-01&until=2026-03-01"


async def payroll(rig: Rig) -> Browser:
    """A daemon with somebody's punches and card, a conflict, and who only reads attendance."""
    await filled(rig)
    await rig.api("PUT", "/users/2", {"name": "Cleo", "card": "4711223"})
    await rig.exchange("T2")
    await rig.post("cdata?SN=T2&table=OPERLOG&Stamp=1", b"USER PIN=2\tName=Bob\tPri=0\n")
    line = b"2\t2026-03-01 09:00:00\t0\t1\t0\t0\t0\t0\t0\t0\t0\t\n"
    await rig.post("cdata?SN=T2&table=ATTLOG&Stamp=1", line)
    return await signed_in(rig, "attendance", name="payroll")


@pytest_twisted.ensureDeferred
async def test_its_pages_are_those_of_attendance(rig: Rig) -> None:
    """All others and their forms are refused, and no page leads to one; no page has the card."""
    browser = await payroll(rig)
    token = re.search(r'name="csrf" content="([0-9a-f]+)"', (await browser.get("/")).body.decode())
    assert token is not None
    served = set()
    for page in [*pages_of(rig), *files_of(rig)]:
        shown = await browser.get(path_of(page.path))
        if page.scope not in OPEN:
            assert shown.status == 403, page.path
            continue
        served.add(page.path)
        assert b"4711223" not in shown.body
        if not page.is_file and page.path != "/sign-in":
            needed = {path: scope_of(rig, *path) for path in targets_of(shown.body.decode())}
            assert [path for path, scope in needed.items() if scope not in OPEN] == [], page.path
    assert {"/", "/attendance", "/attendance/days.xlsx", "/attendance/people/<pin>"} < served
    for form in forms_of_console(rig):
        if form.scope not in OPEN:
            sent = await browser.post(path_of(form.path), {"csrf": token[1]})
            assert sent.status == 403, form.path
    for name, (_, part) in console_of(rig).parts.items():
        if part.scope not in OPEN:
            assert (await browser.get(f"/live?part={name}")).status == 403, name


@pytest_twisted.ensureDeferred
async def test_it_has_punches_with_names_and_their_files(rig: Rig) -> None:
    """The list, the month and the payroll sheet name the person; a card number finds nobody."""
    browser = await payroll(rig)
    assert "Cleo" in text_of(await browser.get(f"/attendance?{DAY}"))
    month = text_of(await browser.get("/attendance/people/2?month=2026-03"))
    assert "1 punch counted here may be another person's." in month
    assert "Accounts with the permission “Change” can." in month
    assert "Personal data" not in month
    sheet = await browser.get(f"/attendance/days.csv?{DAY}")
    assert b"Cleo" in sheet.body
    by_card = text_of(await browser.get("/attendance?person=4711223"))
    assert "Cleo" not in by_card


@pytest_twisted.ensureDeferred
async def test_what_could_not_be_read_is_still_said(rig: Rig) -> None:
    """Lines that are missing are mentioned, without a link to the data."""
    browser = await payroll(rig)
    today = await browser.get("/attendance?period=this-month")
    assert "1 line from T1 could not be read." in text_of(today)
    assert b"/console/rejects" not in today.body


@pytest.mark.parametrize(
    ("scope", "is_told", "is_advised"), [("read", True, False), ("write", False, True)]
)
@pytest_twisted.ensureDeferred
async def test_who_may_not_change_is_told_who_may(
    make_rig, scope: str, is_told: bool, is_advised: bool
) -> None:
    """The list of what to do has advice and buttons for those who can follow them only."""
    rig = await make_rig(admission="approve")
    await rig.exchange("T1")
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"1\t2026-03-01 09:00:00\t0\t1\n")
    browser = await signed_in(rig, "read", scope)
    text = text_of(await browser.get("/"))
    assert "A terminal waits for approval" in text
    assert ("Accounts with the permission “Change” can." in text) is is_told
    assert ("Until you approve it" in text) is is_advised
    assert ("Approve T1" in text) is is_advised

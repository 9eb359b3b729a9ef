"""From the first run to the export of the first punches: by keys, on a phone, without a script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Download, expect

from ..browser import PASSWORD
from .acts import (
    approve,
    first_punch_is_shown,
    make_first_account,
    tab_to,
    unfit,
)
from .conftest import LiveSite, shoot, until
from .test_console import OpenPage

PHONE = {"width": 375, "height": 812}
NAME = "Front door"
PLACES = (
    "",
    "terminals",
    "terminals/SIM00000001",
    "terminals/SIM00000001/doctor",
    "terminals/SIM00000001/settings",
    "attendance",
    "people",
    "people/1",
    "areas",
    "areas/default",
    "jobs/new",
    "settings",
    "account",
)
"""Pages that are used on a phone."""


def saved(download: Download) -> bytes:
    """The content of a downloaded file."""
    assert re.fullmatch(r"Attendance-[0-9-]+\.xlsx", download.suggested_filename)
    return download.path().read_bytes()


@pytest.mark.long
def test_a_keyboard_is_enough(site: LiveSite, open_page: OpenPage) -> None:
    """Each step is reached by Tab, done by keys, and the focus is seen all the way."""
    page = open_page(viewport={"width": 1280, "height": 860})
    page.goto(site.first_link())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for label, text in (
        ("Your name for signing in", "ann"),
        ("Password", PASSWORD),
        ("The same password again", PASSWORD),
        ("Time zone of the site", "Europe/Madrid"),
    ):
        tab_to(page, label)
        page.keyboard.type(text)
    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Connect a terminal")).to_be_visible()
    site.simulate()
    expect(page.get_by_role("link", name=re.compile("Approve it")).first).to_be_visible()
    tab_to(page, "Approve it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Approve SIM")).to_be_visible()
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Madrid")
    tab_to(page, "Name")
    page.keyboard.type(NAME)
    tab_to(page, "Approve")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("is approved")
    tab_to(page, "Overview")
    page.keyboard.press("Enter")
    first_punch_is_shown(page, NAME)
    tab_to(page, "Attendance")
    page.keyboard.press("Enter")
    expect(page.get_by_role("cell", name=NAME).first).to_be_visible()
    tab_to(page, "List of punches (Excel)")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert saved(download.value).startswith(b"PK")
    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.long
def test_a_phone_is_enough(site: LiveSite, open_page: OpenPage) -> None:
    """No page is wider than the screen, and what is touched is large enough."""
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    wrong: list[str] = []

    def look() -> None:
        wrong.extend(f"{page.url}: {each}" for each in unfit(page))

    def choose(name: str) -> None:
        page.get_by_text("Menu", exact=True).tap()
        look()
        page.get_by_role("link", name=name, exact=True).tap()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()

    page.goto(site.first_link())
    look()
    make_first_account(page, site)
    site.simulate()
    page.get_by_role("link", name=re.compile("Approve it")).first.tap()
    expect(page.get_by_role("heading", name="Approve SIM")).to_be_visible()
    look()
    approve(page, NAME)
    choose("Overview")
    first_punch_is_shown(page, NAME)
    choose("Attendance")
    shoot(page, "attendance-phone", full_page=False)
    with page.expect_download() as download:
        page.get_by_role("link", name="List of punches (Excel)", exact=True).tap()
    assert saved(download.value).startswith(b"PK")
    site.run("users", "put", "1", "name=Ann Ash")
    for place in PLACES:
        page.goto(f"{site.url}/console/{place}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        look()
    assert wrong == []


@pytest.mark.long
def test_nothing_needs_a_script(site: LiveSite, open_page: OpenPage) -> None:
    """Without JavaScript, pages are loaded again to see what is new, and all the rest is there."""
    page = open_page(java_script_enabled=False)
    make_first_account(page, site)
    site.simulate()

    def comes(what: str) -> None:
        found = page.get_by_role("link", name=re.compile(what)).or_(page.get_by_text(what))

        def has_come() -> bool:
            page.get_by_role("link", name="Look again").click()
            return found.count() > 0

        until(has_come, f"{what} did not come")

    comes("Approve it")
    page.get_by_role("link", name="Approve it").click()
    approve(page, NAME)
    page.get_by_role("link", name="Overview").click()
    comes(NAME)
    first_punch_is_shown(page, NAME)
    page.get_by_role("link", name="Attendance", exact=True).first.click()
    expect(page.get_by_role("cell", name=NAME).first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="List of punches (Excel)", exact=True).click()
    assert saved(download.value).startswith(b"PK")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

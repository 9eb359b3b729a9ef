"""A site at work: why a terminal sends nothing, and the pictures of the README."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .acts import approve, make_first_account
from .conftest import LiveSite, shoot, until
from .test_console import SERIAL

NAMES = ("Ann Ash", "Ben Birch", "Cleo Cedar", "Dan Dogwood", "Eve Elm")
SECOND, THIRD = "SIM00000002", "SIM00000003"


def name_people(site: LiveSite) -> None:
    """Give the simulated people names."""
    for pin, name in enumerate(NAMES, 1):
        site.run("users", "put", str(pin), f"name={name}")


@pytest.mark.long
def test_it_is_found_why_a_terminal_sends_nothing(
    site: LiveSite, open_page: Callable[..., Page]
) -> None:
    """A terminal without punches is examined; the page leads to the approval, and turns well."""
    page = open_page(viewport={"width": 1280, "height": 800})
    make_first_account(page, site)
    site.simulate(3, everything=True)
    until(lambda: THIRD in site.run("devices", "list"), "no terminal came")
    page.goto(f"{site.url}/console/terminals/{SERIAL}/approve")
    approve(page, "Front door")
    until(lambda: site.run("users", "list", "--json").count('"pin"') >= len(NAMES), "no people")
    name_people(site)
    page.goto(f"{site.url}/console/terminals/{SECOND}")
    page.get_by_role("link", name="Why no punches?").click()
    expect(page.get_by_text("A fault was found.")).to_be_visible()
    shoot(page, "why-no-punches", full_page=False)
    page.get_by_role("link", name="Approve it").click()
    approve(page, "Warehouse")
    page.get_by_role("link", name="Why no punches?").click()
    well = page.locator(".checks > .good").filter(has_text="Does it send punches?")
    expect(well).to_be_visible()
    page.get_by_role("link", name="Last requests").click()
    expect(page.locator("tbody tr").first).to_contain_text("/iclock/")
    shoot(page, "requests", full_page=False)
    page.get_by_role("link", name="Overview").click()
    until(lambda: page.locator(".feed img").count() > 3, "no photos came by themselves")
    expect(page.locator(".feed")).to_contain_text(re.compile("|".join(NAMES)))
    shoot(page, "overview-photos", full_page=False)
    page.goto(f"{site.url}/console/terminals/{SECOND}")
    shoot(page, "terminal", full_page=False)
    page.goto(f"{site.url}/console/terminals/{SECOND}/settings")
    shoot(page, "terminal-settings", full_page=False)
    page.goto(f"{site.url}/console/attendance")
    page.wait_for_load_state("networkidle")
    shoot(page, "attendance", full_page=False)

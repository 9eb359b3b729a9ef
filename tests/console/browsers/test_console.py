"""The console as people use it."""

from __future__ import annotations

import os
import pathlib
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from ...rig import Rig
from ..walk import pages_of
from .acts import approve, make_first_account, overflow, unfit
from .conftest import LiveSite, shoot, until

AXE = pathlib.Path(sys.prefix) / "node" / "node_modules" / "axe-core" / "axe.min.js"
SERIAL = "SIM00000001"
OF_COLOURS = ("color-contrast", "link-in-text-block")
ALL: Mapping[str, object] = {}
COLOURS = {"runOnly": {"type": "rule", "values": [*OF_COLOURS]}}
"""The rules of axe about colours, which are all that a colour scheme changes."""
NO_COLOURS = {"rules": {name: {"enabled": False} for name in OF_COLOURS}}
"""All other rules: no colour depends on the language or on the direction of a page."""
WHOLE = {"include": [["html"]]}
OWN = {"include": [["html"]], "exclude": [["header.side"]]}
"""What a page has of its own: without the frame, which is the same on all pages."""
WIDE = ViewportSize(width=1280, height=860)
PHONE = ViewportSize(width=360, height=740)
needs_axe = pytest.mark.skipif(
    not AXE.exists() and "CI" not in os.environ, reason="make test had no npm to install axe with"
)
LEFT_OUT = frozenset({"/sign-in", "/welcome/<secret>"})
VALUES = {"sn": SERIAL, "area": "default", "table": "work-codes"}
"""Values of the variables in paths; others are 1."""
OpenPage = Callable[..., Page]


def paths(rig: Rig) -> list[str]:
    """The paths of all pages that can be visited with a session."""
    return [
        re.sub(r"<(?:\w+:)?(\w+)>", lambda found: VALUES.get(found[1], "1"), page.path)
        for page in pages_of(rig)
        if page.path not in LEFT_OUT
    ]


def with_axe(page: Page) -> Page:
    """Let a page load axe before its own scripts: the browser compiles it once for all pages."""
    page.add_init_script(path=AXE)
    return page


def serious(
    page: Page, where: Mapping[str, object] = WHOLE, rules: Mapping[str, object] = ALL
) -> list[str]:
    """What axe finds serious in a page `with_axe` or in a part of it, by some rules or by all."""
    # To describe what is in order as well, and to bring it here, takes longer than to look.
    chosen = {"resultTypes": ["violations"], **rules}
    asked = "([where, chosen]) => axe.run(where, chosen).then(all => all.violations)"
    found: Any = page.evaluate(asked, [where, chosen])
    return [
        f"{one['id']}: {node['target']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.long
def test_from_the_first_run_to_the_first_punch(site: LiveSite, open_page: OpenPage) -> None:
    """The page waits for a terminal, says how to connect it, and shows its punches as they come."""
    page = open_page(viewport={"width": 1280, "height": 860})
    make_first_account(page, site)
    expect(page.get_by_text(str(site.daemon.terminals.port))).to_be_visible()
    shoot(page, "first-run")
    site.simulate(2)
    page.get_by_role("link", name=re.compile("Approve it")).first.click()
    shoot(page, "approve")
    approve(page, "Front door")
    page.get_by_role("link", name="Overview").click()
    expect(page.locator(".feed li").first).to_contain_text("Front door")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    before = page.locator(".feed").inner_text()
    until(lambda: page.locator(".feed").inner_text() != before, "no punch came by itself")
    shoot(page, "overview")
    page.emulate_media(color_scheme="dark")
    shoot(page, "overview-dark")
    waiting = page.get_by_role("link", name=re.compile("Approve SIM"))
    assert waiting.count() == 1


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
@needs_axe
def test_every_page_is_accessible_everywhere(rig: Rig, site: LiveSite, open_page: OpenPage) -> None:
    """Axe finds nothing serious, empty and full, light and dark, from right to left, on a phone."""
    page = with_axe(open_page(viewport=WIDE))
    wrong: list[str] = []

    def examine(path: str, about: str, rules: Mapping[str, object] = ALL) -> None:
        where = WHOLE if path == "/" else OWN
        wrong.extend(f"{path} ({about}): {each}" for each in serious(page, where, rules))
        if overflow(page) > 0:
            wrong.append(f"{path} ({about}): {overflow(page)} px too wide")

    def look(path: str, about: str, rules: Mapping[str, object] = ALL) -> None:
        page.goto(f"{site.url}/console{path}")
        examine(path, about, rules)

    page.goto(site.first_link())
    wrong.extend(f"welcome: {each}" for each in serious(page))
    look("/sign-in", "nobody")
    make_first_account(page, site)
    without = [path for path in paths(rig) if SERIAL not in path]
    for path in without:
        look(path, "empty")
    filled_page(page, site)
    give_on(page, site, "1")
    for path in paths(rig):
        look(path, "full")
        page.emulate_media(color_scheme="dark")
        examine(path, "dark", COLOURS)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)
        examine(path, "phone")
        wrong.extend(f"{path} (phone): {each}" for each in unfit(page))
        page.set_viewport_size(WIDE)
    page.set_viewport_size(PHONE)
    page.goto(f"{site.url}/console/")
    shoot(page, "overview-phone")
    page.set_viewport_size(WIDE)
    page.goto(f"{site.url}/console/account")
    page.locator("[name=language]").select_option("ar")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    for path in paths(rig):
        look(path, "Arabic", NO_COLOURS)
    page.goto(f"{site.url}/console/")
    shoot(page, "overview-arabic")
    nav = page.locator("header.side").bounding_box()
    assert nav is not None
    assert nav["x"] > 640  # on the right
    assert wrong == []


def filled_page(page: Page, site: LiveSite) -> None:
    """Bring the first terminal of a site whose account has signed in."""
    site.simulate()
    page.goto(f"{site.url}/console/first-terminal")
    page.get_by_role("link", name=re.compile("Approve it")).click()
    approve(page, "Front door")
    page.goto(f"{site.url}/console/")
    expect(page.locator(".feed li").first).to_be_visible()


def give_on(page: Page, site: LiveSite, pin: str) -> None:
    """Give the user ID of somebody who left to somebody else."""
    site.run("users", "put", pin, "name=Pilar Gil")
    site.run("users", "delete", pin)
    site.run("users", "put", pin, "name=Nora Blau")
    page.goto(f"{site.url}/console/attendance/people/{pin}/earlier/1")
    expect(page.get_by_role("heading", name="Erase a person")).to_be_visible()


@pytest.mark.long
@needs_axe
def test_a_form_with_mistakes_is_accessible(site: LiveSite, open_page: OpenPage) -> None:
    """Mistakes are announced, are beside their fields, and get the focus."""
    page = with_axe(open_page())
    page.goto(site.first_link())
    page.get_by_label("Your name for signing in").fill("ann")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("The same password again").fill("short")
    page.get_by_label("Time zone of the site").select_option("Europe/Madrid")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_focused()
    field = page.get_by_label("Password", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Your name for signing in")).to_have_value("ann")
    assert serious(page) == []

"""Accounts, directions of writing and long words in the console, on one site."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from ..browser import PASSWORD
from .acts import overflow
from .test_console import SERIAL, OpenPage
from .worksite import OTHER, WorkSite


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkSite]:
    """One site for all tests of this module, each of which leaves it usable."""
    found = WorkSite(tmp_path_factory.mktemp("work") / "data")
    yield found
    found.end()


@pytest.fixture
def page(work: WorkSite, open_page: OpenPage) -> Page:
    """A page in which the first account has signed in."""
    return open_page(storage_state=work.session, viewport={"width": 1280, "height": 860})


@pytest.mark.long
def test_an_account_without_a_scope_neither_sees_nor_does(
    work: WorkSite, page: Page, open_page: OpenPage
) -> None:
    """A second account sees no button and no page that it may not use; the server refuses both."""
    page.goto(f"{work.url}/console/accounts")
    made = json.loads(work.run("accounts", "add", "bob", "--scope", "read", "--json"))
    other = open_page()
    other.goto(f"{work.url}{made['link']['path']}")
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_label("The same password again").fill(PASSWORD)
    other.get_by_role("button", name="Continue").click()
    expect(other.get_by_role("heading", name="Overview")).to_be_visible()
    for name in ("Accounts", "Audit log", "API tokens", "Forwarders"):
        expect(page.get_by_role("link", name=name, exact=True).first).to_be_attached()
        expect(other.get_by_role("link", name=name, exact=True)).to_have_count(0)
    for path, name in (("/people", "Add a person"), ("/jobs", "Send a command")):
        page.goto(f"{work.url}/console{path}")
        expect(page.get_by_role("link", name=name).first).to_be_visible()
        other.goto(f"{work.url}/console{path}")
        expect(other.get_by_role("heading", level=1)).to_be_visible()
        expect(other.get_by_role("link", name=name)).to_have_count(0)
    for path in ("/accounts", "/people/new", "/jobs/new", f"/terminals/{SERIAL}/approve"):
        reply = other.goto(f"{work.url}/console{path}")
        assert reply is not None
        assert reply.status == 403
    token = other.locator("meta[name=csrf]").get_attribute("content")
    sent = other.request.post(
        f"{work.url}/console/terminals/{SERIAL}/block",
        form={"csrf": str(token)},
        headers={"Origin": work.url},
    )
    assert sent.status == 403
    assert '"approved"' in work.run("devices", "show", SERIAL, "--json")


@pytest.mark.long
def test_work_is_done_from_right_to_left(work: WorkSite, open_page: OpenPage) -> None:
    """Who reads Arabic signs in, adds a person and finds the punches, on mirrored pages."""
    scopes = ("--scope", "read", "--scope", "write")
    made = json.loads(work.run("accounts", "add", "amal", *scopes, "--json"))
    page = open_page(locale="ar", viewport={"width": 1280, "height": 860})
    page.goto(f"{work.url}{made['link']['path']}")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=again]").fill(PASSWORD)
    page.locator("main button").click()
    page.locator("nav a[href='/console/people']").click()
    page.locator("a[href='/console/people/new']").click()
    page.locator("[name=pin]").fill("941")
    page.locator("[name=name]").fill("فاطمة Fir")
    page.locator("main button.main").click()
    expect(page.get_by_role("heading", name="فاطمة Fir")).to_be_visible()
    expect(page.get_by_role("status")).to_be_visible()
    work.run("devices", "approve", OTHER, "--add", "--timezone", "UTC")
    work.upload(OTHER, "ATTLOG", b"941\t2026-03-01 08:00:00\t0\t1\t0\t0\t0\t255\t\t\n")
    page.goto(f"{work.url}/console/attendance?person=941&since=2026-03-01&until=2026-03-01")
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("فاطمة Fir")
    boxes = [page.locator("thead th").nth(place).bounding_box() for place in (0, 1)]
    menu = page.locator("header.side").bounding_box()
    first, second = boxes
    assert first is not None
    assert second is not None
    assert menu is not None
    assert menu["x"] > first["x"] > second["x"]
    assert overflow(page) <= 0


LONG = "W" * 200
"""A word of a terminal that no line can hold."""
LONG_ID = LONG[:24]
"""The longest user ID that the API takes."""
WITH_LONG_WORDS = (
    "",
    "terminals",
    f"terminals/{OTHER}",
    f"terminals/{OTHER}/people",
    f"terminals/{OTHER}/requests",
    f"terminals/{OTHER}/settings",
    f"people/{LONG_ID}",
    f"people/{LONG_ID}/edit",
    f"people/{LONG_ID}/places",
    f"people/{LONG_ID}/remove",
    f"people/{LONG_ID}/photos",
    f"people/{LONG_ID}/enrol",
    f"attendance/people/{LONG_ID}",
    "people",
    "people/conflicts",
    "attendance",
    "areas/default",
    "audit",
    "rejects",
    "commands",
)


@pytest.mark.long
def test_long_words_of_terminals_fit_a_phone(work: WorkSite, open_page: OpenPage) -> None:
    """Names, user IDs and what a terminal says of itself are broken, and no page gets too wide."""
    work.run("devices", "approve", OTHER, "--add", "--timezone", "UTC")
    work.api("PATCH", f"/devices/{OTHER}", {"alias": LONG[:60]})
    work.upload(OTHER, "options", f"~DeviceName={LONG},FWVersion={LONG}".encode())
    stated = f"USER PIN={LONG_ID}\tName={LONG}\tPri=0\tGrp={LONG}\n"
    work.upload(OTHER, "OPERLOG", stated.encode())
    work.api("PUT", f"/users/{LONG_ID}", {"privilege": 14})
    work.upload(OTHER, "OPERLOG", stated.encode())
    work.upload(OTHER, "ATTLOG", f"{LONG_ID}\t2026-03-02 08:00:00\t0\t1\t0\t0\t0\n".encode())
    work.upload(OTHER, LONG[:60], LONG.encode())
    page = open_page(storage_state=work.session, viewport={"width": 375, "height": 812})
    page.goto(f"{work.url}/console/people/{LONG_ID}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(LONG[:60])
    wide = []
    for place in WITH_LONG_WORDS:
        page.goto(f"{work.url}/console/{place}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if overflow(page) > 0:
            wide.append((place[:40], overflow(page)))
    assert wide == []

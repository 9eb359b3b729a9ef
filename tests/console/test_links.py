"""Names in tables and lists: links to what they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pytest
import pytest_twisted

from zkpush.persist.files import FileStore

from ..rig import Rig
from .browser import Browser, document, signed_in
from .test_terminal_names import NAMES, named
from .walk import pages_of, path_of

PEOPLE = {"1": "Quentin", "7": "Zelda", "8": "Yorick"}
AREA = "Northside"
PAGES = {
    **{name: rf"/console/(terminals/{sn}|attendance\b|commands\b)" for sn, name in NAMES.items()},
    **{name: rf"/console/(attendance/)?people/{pin}\b" for pin, name in PEOPLE.items()},
    AREA: rf"/console/(areas|access)/{AREA}",
}
"""Patterns of the paths of pages about things, by name."""
QUERIES = (
    "/attendance?since=2026-01-01&until=2026-03-01",
    "/attendance?person=Zelda",
    "/people?q=Zelda",
    "/terminals?q=Main",
    "/commands?device=T1",
    "/audit?pin=7",
)
VALUES = {
    ("/people/1", PEOPLE["1"]),
    ("/people/1", AREA),
    ("/people/conflicts", PEOPLE["1"]),
    ("/people/conflicts", PEOPLE["7"]),
    ("/audit", "Main gate"),
    ("/audit?pin=7", "Main gate"),  # who brought the person: a filter of the log
}
"""Paths of pages, and values that the pages name and link to elsewhere."""
IN_SENTENCES = "/audit"
"""Path of the page whose last column has details in sentences."""
NOT_READ = frozenset({"code", "option", "button", "label", "summary", "script", "form"})
"""Elements of forms, and of texts as terminals send them."""


def cells(node: Element) -> Iterator[Element]:
    """The cells of the tables, and the items of the lists of things, of a page."""
    if node.tag in ("td", "th"):
        yield node
        return
    for child in node:
        if "feed" in node.get("class", "").split() and child.tag == "li":
            yield child
        else:
            yield from cells(child)


def without_link(node: Element, link: str = "") -> list[str]:
    """The names of things in a cell that are no links to these."""
    if node.tag in NOT_READ or "hidden" in node.get("class", ""):
        return []
    link = node.get("href", "") if node.tag == "a" else link
    found = [
        name
        for name, path in PAGES.items()
        if re.search(rf"\b{name}\b", node.text or "") and not re.match(path, link)
    ]
    for child in node:
        found += without_link(child, link)
        found += [
            name
            for name, path in PAGES.items()
            if re.search(rf"\b{name}\b", child.tail or "") and not re.match(path, link)
        ]
    return found


async def site(rig: Rig) -> Browser:
    """A site with terminals, people and an area that have names of their own."""
    await named(rig)
    assert (await rig.api("PUT", f"/areas/{AREA}", {"description": "x"})).status == 200
    for pin, name in PEOPLE.items():
        put = await rig.api("PUT", f"/users/{pin}", {"name": name, "areas": [AREA, "default"]})
        assert put.status == 200, put.raw
    await rig.api("PATCH", "/devices/T2", {"area": AREA})
    await rig.api("PUT", f"/areas/{AREA}", {"distributes": True})
    await rig.post("cdata?SN=T2&table=ATTLOG&Stamp=4", b"8\t2026-03-01 08:00:09\t0\t1\n")
    await rig.post("cdata?SN=T2&table=OPERLOG&Stamp=3", b"USER PIN=7\tName=Zed\tCard=9\n")
    both = {"command": "DATA UPDATE USERINFO", "params": {"PIN": "7"}, "devices": ["T1", "T2"]}
    assert (await rig.api("POST", "/commands", both)).status == 202
    await rig.api("POST", "/accounts", {"name": "a7", "scopes": ["read"], "areas": [AREA]})
    await rig.api("POST", "/tokens", {"name": "t7", "scopes": ["read"], "areas": [AREA]})
    await rig.store.write(lambda tx: tx[FileStore].add("log.txt", b"text", "T1 abc", 5))
    return await signed_in(rig)


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_names_of_people_terminals_and_areas_are_links_to_them(rig: Rig) -> None:
    """In each table and each list of all pages."""
    browser = await site(rig)
    found: dict[str, set[str]] = {}
    seen = set()
    for path in [*(path_of(page.path) for page in pages_of(rig)), *QUERIES]:
        if path != "/sign-in":
            shown = [*cells(document(await browser.get(path)))]
            if path.startswith(IN_SENTENCES):
                shown = [cell for number, cell in enumerate(shown, 1) if number % 5]
            for cell in shown:
                text = " ".join(cell.itertext())
                seen |= {name for name in PAGES if name in text}
                left = {one for one in without_link(cell) if (path, one) not in VALUES}
                if left:
                    found.setdefault(path, set()).update(left)
    assert found == {}
    assert seen == {*PAGES}

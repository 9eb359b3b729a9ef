"""Terminals on pages: by the names that people gave them."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

import pytest
import pytest_twisted

from zkpush.manage.console import terminalchoice
from zkpush.manage.console.terminalnames import TerminalNames
from zkpush.model import Problem
from zkpush.persist.devices import DeviceStore
from zkpush.persist.files import FileStore
from zkpush.phrases import Phrase
from zkpush.problems import ProblemCode

from ..filled import fill
from ..rig import Rig
from .browser import document, signed_in, text_of
from .test_pages import filled
from .walk import pages_of, path_of

NAMES = {"T1": "Main gate", "T2": "Yard", "T3": "Back door", "T4": "Lift"}
"""Names of terminals, by serial number."""
AS_SENT = frozenset({"pre", "code", "script", "datalist"})
"""Elements with bytes of terminals, commands, and numbers to copy."""
BLOCKS = frozenset(
    {"li", "td", "th", "p", "dd", "dt", "h1", "h2", "h3", "option", "title", "label"}
)
"""Elements that are read as one."""


def bare_numbers(node: Element, block: str = "") -> list[str]:
    """The texts of a page with a serial number whose terminal they do not name."""
    if node.tag in AS_SENT:
        return []
    if node.tag in BLOCKS or node.tag == "body":
        block = " ".join([*node.itertext()]) if node.tag in BLOCKS else ""
    texts = [node.text or "", *(child.tail or "" for child in node)]
    texts += [node.get(name, "") for name in ("aria-label", "alt", "placeholder")]
    found = [
        text.strip()
        for text in texts
        for sn, name in NAMES.items()
        if re.search(rf"\b{sn}\b", text) and name not in block
    ]
    return [*found, *(each for child in node for each in bare_numbers(child, block))]


async def named(rig: Rig) -> None:
    """Give the daemon terminals with names, and something of each that pages list."""
    await fill(rig)
    await filled(rig)
    await rig.api("PUT", "/devices/T3", {"alias": NAMES["T3"]})
    await rig.api("PUT", "/devices/T4", {"state": "approved"})
    await rig.api("PATCH", "/devices/T4", {"state": "pending"})
    for sn, name in NAMES.items():
        changed = await rig.api("PATCH", f"/devices/{sn}", {"alias": name})
        assert changed.status == 200, changed.raw
    for rows in (b"USER PIN=1\tName=Ann\tCard=5\n", b"USER PIN=1\tName=Anna\tCard=6\n"):
        await rig.post("cdata?SN=T2&table=OPERLOG&Stamp=1", rows)
    both = {"command": "INFO", "devices": ["T1", "T2"]}
    assert (await rig.api("POST", "/commands", both)).status == 202
    await rig.api("PATCH", "/devices/T1", {"settings": {"Delay": 7}})
    await rig.api("PUT", "/areas/default", {"distributes": True})
    await rig.api("POST", "/devices/T1/resend", {"what": "attendance"})
    found = Phrase("%(sn)s may be the one.", sn="T1")

    def unit(tx) -> None:
        device = tx[DeviceStore].find("T1")
        tx[FileStore].add("log.txt", b"text", "T1 abc", 5)
        for code in ProblemCode:
            tx[DeviceStore].raise_problem(device.id, Problem(code, found, 5))

    await rig.store.write(unit)


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_no_page_shows_a_serial_number_without_the_name_of_its_terminal(rig: Rig) -> None:
    """On a site where each terminal has a name; what terminals sent stays as it is."""
    await named(rig)
    browser = await signed_in(rig)
    found = {}
    queries = (
        "/jobs/new?command=INFO&device=T1",
        "/files?device=T1+T2",
        "/terminals?state=pending",
    )
    for path in [*(path_of(page.path) for page in pages_of(rig)), *queries]:
        if path != "/sign-in":
            left = bare_numbers(document(await browser.get(path)))
            if left:
                found[path] = left
    assert found == {}


@pytest_twisted.ensureDeferred
async def test_lists_are_filtered_by_the_name_of_a_terminal(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is chosen from a list, or typed where there are many; a name of none is a mistake."""
    await named(rig)
    browser = await signed_in(rig)
    for path, row in (("/commands", "/commands/"), ("/rejects", "/rejects/")):
        chosen = await browser.get(path)
        options = {one.get("value"): one.text for one in document(chosen).iter("option")}
        assert {options[sn] for sn in NAMES} == {*NAMES.values()}
        monkeypatch.setattr(terminalchoice, "MOST_OPTIONS", 2)
        typed = await browser.get(f"{path}?device=main+gate")
        table = next(document(typed).iter("tbody"))
        assert {one.tag for one in table} == {"tr"}
        assert {"/console/terminals/T1"} == {
            link for one in table.iter("a") if row not in (link := one.get("href", ""))
        }
        wrong = text_of(await browser.get(f"{path}?device=nowhere"))
        assert "No terminal has the name or serial number nowhere." in wrong
        monkeypatch.undo()


@pytest_twisted.ensureDeferred
async def test_names_of_other_areas_are_not_shown(rig: Rig) -> None:
    """To an account of an area, a terminal of another one has its serial number only."""
    await named(rig)
    await rig.api("PATCH", "/devices/T2", {"area": "South"})
    names = TerminalNames(rig.registry)
    assert names.find("T2") == NAMES["T2"]
    assert names.find("T2", frozenset({"South"})) == NAMES["T2"]
    assert names.find("T2", frozenset({"default"})) is None
    assert names.find("T1", frozenset({"default"})) == NAMES["T1"]
    assert names.find("unknown") is None

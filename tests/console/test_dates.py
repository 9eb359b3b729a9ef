"""Dates and times on pages are written as the language of the visit writes them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
import pytest_twisted

import zkpush
from zkpush.model import Problem
from zkpush.persist.devices import DeviceStore
from zkpush.phrases import Phrase
from zkpush.problems import ProblemCode

from ..filled import fill
from ..rig import Rig
from .browser import document, signed_in
from .test_pages import filled
from .walk import pages_of, path_of

ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
UNIVERSAL = re.compile(r"[0-9]:[0-9]{2}(?:\.[0-9]+)?\s*(?:Z\b|UTC|GMT)")
"""A time of day that is of no zone where anybody is."""
EXAMPLES = frozenset({"2026-03-01", "2026-12-31"})
"""Dates in explanations of what to type."""
DATE = re.compile(r"\b[0-9]{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b.*")
ONE_FORM = re.compile(
    r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4}"
    r"(?: [0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?"
)
"""The form of all dates in English."""
AS_TYPED = frozenset({"time", "code", "input", "option", "textarea", "script"})
"""Elements with dates for machines, and with what people or terminals wrote."""


def for_machines(node: Element) -> list[str]:
    """The texts of a page with dates as machines write them, or with universal times."""
    if node.tag in AS_TYPED:
        return []
    texts = [node.text or "", *(child.tail or "" for child in node)]
    found = [
        text.strip()
        for text in texts
        if {*ISO.findall(text)} - EXAMPLES or UNIVERSAL.search(text) is not None
    ]
    return [*found, *(each for child in node for each in for_machines(child))]


def other_forms(node: Element) -> list[str]:
    """The dates of a page that are not written in the one form."""
    texts = [node.text or "", *(child.tail or "" for child in node)]
    found = [] if node.tag == "script" else [text for text in texts if DATE.search(text)]
    return [
        *(text for text in found if DATE.search(ONE_FORM.sub("", text))),
        *(each for child in node for each in other_forms(child)),
    ]


def universal(source: str) -> list[str]:
    """The texts of a module that say after a value that it is of universal time."""
    return [
        one.value
        for node in ast.walk(ast.parse(source))
        for one in (node.values[1:] if isinstance(node, ast.JoinedStr) else [node])
        if isinstance(one, ast.Constant)
        and isinstance(one.value, str)
        and re.search(
            r"^ ?UTC\b" if isinstance(node, ast.JoinedStr) else r"%\(\w+\)s ?(UTC|Z)\b", one.value
        )
    ]


@pytest.mark.long
def test_no_text_says_that_its_time_is_universal() -> None:
    """Instants are values of texts, which the console shows in the zone of the person."""
    root = Path(zkpush.__file__).parent
    left = {file.name: universal(file.read_text()) for file in root.rglob("*.py")}
    assert {name: texts for name, texts in left.items() if texts} == {}
    assert universal("f'{at} UTC'; 'at %(at)s UTC'") == [" UTC", "at %(at)s UTC"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("language", "wrong"), [("es", for_machines), ("en", other_forms)], ids=["machines", "forms"]
)
@pytest_twisted.ensureDeferred
async def test_dates_are_written_in_one_form(
    rig: Rig, language: str, wrong: Callable[[Element], list[str]]
) -> None:
    """As no machine writes them, and no page in two forms.

    With problems, commands, a stuck queue, records of operators, a person with an end, a job,
    and days of a terminal that are compared.
    """
    await fill(rig)
    await filled(rig)
    person = {"name": "Ann", "end_datetime": "2027-05-04 18:00:00", "expires": "1"}
    put = await rig.api("PUT", "/users/1", person)
    assert put.status == 200, put.raw
    since = {"since": "2026-02-03T00:00:00Z", "until": "2026-02-04T00:00:00Z"}
    await rig.api("POST", "/forwarders/1/replay", since)
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    await rig.api("POST", "/devices/T1/recompute", {})

    def unit(tx) -> None:
        device = tx[DeviceStore].find("T1")
        told = Phrase("Its clock showed %(at)s.", at="2026-03-04T05:06:07.000Z")
        tx[DeviceStore].raise_problem(device.id, Problem(ProblemCode.CLOCK_WRONG, told, 5))

    await rig.store.write(unit)
    rig.clock.advance(700)
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=9", b"7\t2026-03-01 08:00:09\t0\t1\n")
    browser = await signed_in(rig)
    page = "/terminals/T1/completeness"
    assert (await browser.send(page, page, {})).status == 303
    assert list(document(await browser.get(page)).iter("time"))
    await browser.get(f"/?lang={language}")
    found = {}
    for page in pages_of(rig):
        if page.path != "/sign-in":
            left = wrong(document(await browser.get(path_of(page.path))))
            if left:
                found[page.path] = left
    assert found == {}


@pytest_twisted.ensureDeferred
async def test_what_has_just_happened_is_past(rig: Rig) -> None:
    """The request of a terminal in this moment is not one that comes."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    texts = [
        "".join(one.itertext()) for one in document(await browser.get("/terminals")).iter("time")
    ]
    assert any(text.endswith(" ago") for text in texts)
    assert not any(text.startswith("in ") for text in texts)

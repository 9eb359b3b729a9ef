"""Words of the protocol on pages: each stands beside what it means, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest_twisted

from zkpush.manage.console.tablewords import TABLE_WORDS

from ..rig import Rig
from .browser import document, signed_in, text_of
from .test_pages import filled
from .walk import SHOWN_ATTRIBUTES, pages_of, path_of

JARGON = re.compile(
    r"\b(?:SN|PIN|Pin|IDs? of PIN|[A-Z]{4,}|[A-Z]?[a-z]+[A-Z]\w*|[a-z]+_[a-z]+|format I+)\b"
)
"""Names of tables, options, fields and commands, as documents of terminals have them."""
KNOWN = frozenset({"ADMS", "HTTPS", "JPEG", "YYYY", "COMM"})
"""Words of menus of terminals, of files and of times."""
NAMED_AFTER = frozenset({"/terminals/<sn>/settings"})
"""Pages about options, which name each one beside its meaning and refer to others by name."""


def texts(node: Any, is_data: bool = False) -> Iterator[str]:
    """The texts of a page that are neither data nor code."""
    if not isinstance(node.tag, str) or node.tag in ("script", "style"):
        return
    is_data = is_data or node.attrib.get("translate") == "no"
    is_data = is_data or node.tag in ("code", "pre", "time", "textarea")
    if not is_data:
        yield node.text or ""
        yield from (node.attrib.get(name, "") for name in SHOWN_ATTRIBUTES)
    for child in node:
        yield from texts(child, is_data)
        if not is_data:
            yield child.tail or ""


@pytest_twisted.ensureDeferred
async def test_no_page_has_words_of_the_protocol_in_its_sentences(rig: Rig) -> None:
    """They are for people who have read no documents of terminals."""
    await filled(rig)
    browser = await signed_in(rig)
    found = {}
    for page in pages_of(rig):
        shown = await browser.get(path_of(page.path))
        if shown.status == 200 and page.path not in NAMED_AFTER:
            words = {word for text in texts(document(shown)) for word in JARGON.findall(text)}
            found[page.path] = words - KNOWN
    assert len(found) > 30
    assert {path: words for path, words in found.items() if words} == {}


@pytest_twisted.ensureDeferred
async def test_a_table_stands_beside_what_it_holds(rig: Rig) -> None:
    """Wherever a page has the name of a table as code, the same cell says what it is."""
    await filled(rig)
    browser = await signed_in(rig)
    seen = 0
    for page in pages_of(rig):
        shown = await browser.get(path_of(page.path))
        if shown.status != 200:
            continue
        for name, words in TABLE_WORDS.items():
            for cell in document(shown).iter("td"):
                if any((code.text or "") == name for code in cell.iter("code")):
                    seen += 1
                    assert str(words) in " ".join(cell.itertext()), (page.path, name)
    assert seen >= 3


@pytest_twisted.ensureDeferred
async def test_a_problem_says_what_the_table_holds(rig: Rig) -> None:
    """The overview is for people who have never seen the name of a table."""
    await filled(rig)
    browser = await signed_in(rig)
    assert "of ATTLOG (Punches): its time cannot be read" in text_of(await browser.get("/"))

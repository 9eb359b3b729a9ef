"""Words of the protocol on pages: each stands beside what it means, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import pytest_twisted

from zkpush.manage.console.tablewords import TABLE_WORDS

from ..rig import Response, Rig
from .browser import document, signed_in, text_of
from .test_pages import filled
from .walk import SHOWN_ATTRIBUTES, pages_of, path_of

JARGON = re.compile(r"\b(?:SN|PIN|Pin|IDs? of PIN|[A-Z]{4,}|[A-Z]?[a-z]+[A-Z]\w*|[a-z]+_[a-z]+)\b")
"""Names of tables, options, fields and commands, as documents of terminals have them."""
KNOWN = frozenset({"ADMS", "HTTPS", "JPEG", "YYYY", "COMM"})
"""Words of menus of terminals, of files and of times."""
TERMS: Mapping[str, tuple[str, ...]] = {
    # Names of actions, as the audit log has them for programs.
    r"[Rr]ejects?\b": ("/audit",),
    # Tokens of programs, and that of a terminal after what it is for.
    r"(?<!API )\b[Tt]okens?\b": (
        *("/account", "/accounts", "/audit", "/tokens", "/settings"),
        "/terminals/<sn>/settings",
    ),
    r"\bAppendix\b": (),
    r"\bformat I+\b": (),
    r"\bboth sides can\b": (),
}
"""Words that people do not know, and the pages where they stand beside their meaning."""


def texts(node: Any, is_data: bool = False) -> Iterator[str]:
    """The texts of a page that are neither data nor code, nor folded away for technicians."""
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


def terms_in(path: str, shown: str) -> set[str]:
    """The words in the text of a page that may not stand there."""
    return {
        found[0]
        for term, pages in TERMS.items()
        if path not in pages
        for found in re.finditer(term, shown)
    }


def fold_of(shown: Response) -> Any:
    """What a page has folded away for technicians."""
    (fold,) = (
        one
        for one in document(shown).iter("details")
        if "For technicians" in "".join(one.itertext())
    )
    return fold


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_no_page_has_words_of_the_protocol_in_its_sentences(rig: Rig) -> None:
    """They are for people who have read no documents of terminals."""
    await filled(rig)
    browser = await signed_in(rig)
    found = {}
    for page in pages_of(rig):
        shown = await browser.get(path_of(page.path))
        if shown.status == 200:
            parts = [*texts(document(shown))]
            words = {word for text in parts for word in JARGON.findall(text)} - KNOWN
            found[page.path] = words | terms_in(page.path, " ".join(parts))
    assert len(found) > 30
    assert {path: words for path, words in found.items() if words} == {}


@pytest.mark.long
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
    assert "of Punches (ATTLOG): its time cannot be read" in text_of(await browser.get("/"))


@pytest_twisted.ensureDeferred
async def test_a_command_in_a_sentence_stands_after_what_it_does(rig: Rig) -> None:
    """Words about what waits stand before the name of the command."""
    await rig.exchange("T1")
    await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    for _ in range(12):
        await rig.get("getrequest?SN=T1")
        rig.clock.advance(60)
    await rig.get("getrequest?SN=T1")
    shown = text_of(await (await signed_in(rig)).get("/terminals/T1/doctor"))
    assert "It fetched “Upload all options of the terminal” (INFO), queued at" in shown


@pytest_twisted.ensureDeferred
async def test_what_people_need_stands_above_the_options_of_the_protocol(rig: Rig) -> None:
    """Name, area and networks; the options are folded, unless one of them is wrong."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    page = "/terminals/T1/settings"
    shown = await browser.get(page)
    text = text_of(shown)
    needed = ("Name and time zone", "Before it moves", "Networks that it may connect from")
    places = [text.index(one) for one in (*needed, "How it sends data")]
    assert places == sorted(places)
    assert "MultiBioDataSupport" in text.split("For technicians")[1]
    assert "open" not in fold_of(shown).attrib
    assert "open" in fold_of(await browser.send(page, page, {"Delay": "soon"})).attrib


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_is_refused_is_not_promised_to_state_its_model(rig: Rig) -> None:
    """Its page says that it is refused, and leads to why."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"networks": ["10.0.0.0/8"]})
    rig.clock.advance(3600)
    await rig.exchange("T1")
    shown = await (await signed_in(rig)).get("/terminals/T1")
    assert "usually within a minute" not in text_of(shown)
    assert "The server refuses it at present." in text_of(shown)
    assert b'href="/console/terminals/T1/doctor">' in shown.body


@pytest_twisted.ensureDeferred
async def test_a_token_is_that_of_a_program(rig: Rig) -> None:
    """As author of a field, and in the history of the person."""
    await rig.api("PUT", "/users/7", {"name": "Ann"})
    shown = text_of(await (await signed_in(rig)).get("/people/7"))
    assert shown.count("a program, with the API token admin") >= 2


@pytest_twisted.ensureDeferred
async def test_the_group_of_a_person_is_one_of_access(rig: Rig) -> None:
    """A number alone could be that of a team."""
    await rig.api("PUT", "/users/7", {"name": "Ann", "group": 2})
    shown = text_of(await (await signed_in(rig)).get("/people/7"))
    assert shown.count("access group 2") == 2

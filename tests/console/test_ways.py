"""Commands of the command line in texts of the console: links to pages that do the same."""

from __future__ import annotations

import functools
import re
from html import unescape
from types import SimpleNamespace
from xml.etree.ElementTree import Element

import pytest
import pytest_twisted
from jinja2 import Environment

from zkpush.manage.console.extraction import packages_of_zkpush
from zkpush.manage.console.formats import add_filters
from zkpush.manage.console.languages import LANGUAGES, ConsoleLanguage, translations_of
from zkpush.manage.console.ways import ON_SERVER, WAYS, way_of
from zkpush.model import Problem
from zkpush.persist.devices import DeviceStore
from zkpush.problems import ProblemCode

from ..rig import Rig
from .browser import document, signed_in, text_of
from .phrases import all_texts
from .test_pages import filled
from .walk import pages_of, path_of

NAMED = re.compile(r"zkpush (?!does|is|or|and|of|has|runs|can|knows)[a-z]+\b[^`]*")
IN_BACKTICKS = re.compile(r"`([^`]*)`")


def commands_of(text: str) -> list[str]:
    """The commands that a text names."""
    return [one for one in IN_BACKTICKS.findall(text) if one.startswith("zkpush ")]


def is_for_server(command: str) -> bool:
    """Whether only the command line has it."""
    return command.removeprefix("zkpush ").startswith(ON_SERVER)


@pytest.mark.long
def test_each_command_in_a_text_has_a_page_or_is_for_the_server() -> None:
    """No declared text names a command that the console neither replaces nor explains."""
    texts = all_texts()
    named = {one for text in texts for one in commands_of(text)}
    assert len(named) > 40
    assert sorted(one for one in named if way_of(one) is None and not is_for_server(one)) == []
    bare = {text for text in texts if NAMED.search(IN_BACKTICKS.sub("", text))}
    assert bare == set()


def texts_with_commands() -> list[str]:
    """All declared texts that name commands, such as the advice of every problem."""
    return sorted(text for text in all_texts() if commands_of(text))


@functools.cache
def environment_of(language: ConsoleLanguage) -> Environment:
    """The filters of a language."""
    environment = Environment(autoescape=True)
    add_filters(environment, language, translations_of(packages_of_zkpush(), language))
    return environment


def shown_to(language: ConsoleLanguage, text: str) -> str:
    """A text as the console shows it."""
    environment = environment_of(language)
    visit = SimpleNamespace(
        named=lambda sn: None, allows=lambda scope: True, reaches=lambda path: True
    )
    return str(environment.filters["coded"]({"visit": visit}, environment.filters["said"](text)))


QUOTED = {"en": "“<a>”", "es": "«<a>»", "ar": "«<a>»", "zh-Hans": "“<a>”"}
"""How a link stands in a sentence: as the name of a page, a button or a setting."""
BROKEN = re.compile(
    r"\b(?:with|from|in|by|con|de|en) (?:in|on|en) |[:,(] *[.,;)]|[:,] *$|[.] (?!nginx)[a-zé]"
)
"""Two prepositions, a sentence without its object, or one that begins with a small letter."""


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_a_text_stays_whole_where_links_take_the_place_of_commands(
    language: ConsoleLanguage,
) -> None:
    """Each link is the name of a noun that stands where the command stood, and comes once."""
    texts = texts_with_commands()
    assert {problem.advice for problem in ProblemCode if commands_of(problem.advice)} < {*texts}
    for text in texts:
        shown = shown_to(language, text)
        labels = re.findall(r"<a [^>]*>(.*?)</a>", shown)
        assert len({*labels}) == len(labels), shown
        links = re.sub(r"<a [^>]*>.*?</a>", "<a>", shown)
        assert links.count(QUOTED.get(language.code, "<a>")) == len(labels), shown
        codes = re.sub(r"<code[^>]*>.*?</code>", "CODE", shown)
        assert "`" not in shown
        plain = unescape(re.sub(r"<[^>]*>", "", codes))
        assert BROKEN.search(plain) is None, plain
        assert "%(label)" not in shown, shown


@pytest_twisted.ensureDeferred
async def test_each_way_leads_to_a_page(rig: Rig) -> None:
    """With a name, and without one."""
    patterns = [re.sub(r"<[^>]*>", "[^/]+", page.path) for page in pages_of(rig)]
    for way in WAYS:
        for path in (way.path.replace("<name>", "T1"), way.without_name):
            plain = path.partition("?")[0].partition("#")[0]
            assert any(re.fullmatch(one, plain) for one in patterns), way


def shown_commands(node: Element, before: str = "") -> list[str]:
    """The commands on a page that are not said to be for the server."""
    text = node.text or ""
    if node.tag in ("script", "style", "pre", "textarea"):
        return []
    if node.tag == "code":
        said = "".join(node.itertext())
        is_explained = before.rstrip().lower().endswith("the command") and is_for_server(said)
        return [said] if NAMED.match(said) and not is_explained else []
    found = NAMED.findall(text)
    before = text
    for child in node:
        found += shown_commands(child, before) + NAMED.findall(child.tail or "")
        before = child.tail or ""
    return found


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_no_page_shows_a_command_that_the_console_has(rig: Rig) -> None:
    """With a problem of every kind, on every page; links lead to the terminal that is meant."""
    await filled(rig)

    def unit(tx) -> None:
        device = tx[DeviceStore].find("T1")
        for code in ProblemCode:
            tx[DeviceStore].raise_problem(device.id, Problem(code, "It is so.", 5))

    await rig.store.write(unit)
    browser = await signed_in(rig)
    found = {
        page.path: shown_commands(document(await browser.get(path_of(page.path))))
        for page in pages_of(rig)
        if page.path != "/sign-in"
    }
    assert {path: named for path, named in found.items() if named} == {}
    shown = (await browser.get("/terminals/T1")).body.decode()
    assert '<a href="/console/terminals/T1#change">Time zone of the terminal</a>' in shown
    reader = await signed_in(rig, "read", name="bea")
    page = await reader.get("/terminals/T1")
    assert "/console/terminals/T1#change" not in page.body.decode()
    assert "Time zone of the terminal" in text_of(page)

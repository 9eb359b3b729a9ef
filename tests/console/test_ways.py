"""Commands of the command line in texts of the console: links to pages that do the same."""

from __future__ import annotations

import re
from types import SimpleNamespace
from xml.etree.ElementTree import Element

import pytest
import pytest_twisted
from babel.support import NullTranslations
from jinja2 import Environment

from zkpush.manage.console.extraction import catalogues_of, packages_of_zkpush
from zkpush.manage.console.formats import add_filters
from zkpush.manage.console.languages import LANGUAGES
from zkpush.manage.console.ways import ON_SERVER, WAYS, way_of
from zkpush.model import Problem
from zkpush.persist.devices import DeviceStore
from zkpush.problems import ProblemCode

from ..rig import Rig
from .browser import document, signed_in, text_of
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
    texts = {
        each
        for package in packages_of_zkpush()
        for one in catalogues_of(package).phrases()
        for each in ([one] if isinstance(one, str) else one)
    }
    named = {one for text in texts for one in commands_of(text)}
    assert len(named) > 40
    assert sorted(one for one in named if way_of(one) is None and not is_for_server(one)) == []
    bare = {text for text in texts if NAMED.search(IN_BACKTICKS.sub("", text))}
    assert bare == set()


def test_a_text_has_each_link_once() -> None:
    """Whatever command it repeats: what comes again is said to be in the same place."""
    environment = Environment(autoescape=True)
    add_filters(environment, LANGUAGES[0], NullTranslations())
    visit = SimpleNamespace(
        named=lambda sn: None, allows=lambda scope: True, reaches=lambda path: True
    )

    def links(text: str) -> list[str]:
        shown = environment.filters["coded"]({"visit": visit}, text)
        return re.findall("<a .*?</a>", shown)

    texts = [
        one if isinstance(one, str) else one[1]
        for package in packages_of_zkpush()
        for one in catalogues_of(package).phrases()
    ]
    repeated = {text for text in texts if len({*(found := links(text))}) < len(found)}
    assert repeated == set()
    assert sum(len(links(text)) for text in texts) > 50
    assert len(links("`zkpush rejects list`, `zkpush rejects retry`, `zkpush conflicts list`")) == 2


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
        is_explained = before.rstrip().endswith("on the server:") and is_for_server(said)
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

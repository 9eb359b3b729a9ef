"""Commands in words: their forms, lists and pages name nothing by the protocol alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote
from xml.etree.ElementTree import Element

import pytest
import pytest_twisted

from zkpush.declarations import declarations
from zkpush.protocol.fields import SMALL, Kind

from ..rig import Rig
from .browser import Browser, document, signed_in
from .walk import english_left

PROTOCOL = re.compile(
    r"\b[A-Z]{3,}\b|[a-z][A-Z]|_|\bAppendix\b|yyyy|HHMM|MMDD|\b[0-9]+\.[0-9]+|^[0-9]+[ :,]"
)
"""Names, sections and lists of codes of the protocol."""
WORDS = frozenset({"JPEG", "RAW", "URL"})
"""Capitals that people read."""
CATALOGUE = [*declarations().catalogue]


def words_of(node: Element) -> str:
    """The text of an element without its small print."""
    parts = [node.text or ""]
    for child in node:
        if child.tag != "small":
            parts.append(words_of(child))
        parts.append(child.tail or "")
    return " ".join("".join(parts).split())


def protocol_in(text: str) -> list[str]:
    """What of the protocol stands in a text."""
    return [one for one in PROTOCOL.findall(text) if one not in WORDS]


def controls(form: Element) -> Iterator[Element]:
    """The inputs of the values of a command."""
    for one in form.iter():
        if one.tag in ("input", "select") and one.get("name", "").startswith("params."):
            yield one


@pytest_twisted.async_yield_fixture(scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory):
    """A browser at a daemon that serves forms only: nothing is sent."""
    rig = await Rig(tmp_path_factory.mktemp("forms")).start()
    yield await signed_in(rig)
    await rig.stop()


@pytest.mark.parametrize("command", CATALOGUE, ids=lambda one: one.name)
@pytest_twisted.ensureDeferred
async def test_the_form_of_a_command_has_words(browser: Browser, command) -> None:
    """Its heading, and the label and the choices of each value, in English and translated."""
    await browser.get("/?lang=en")
    path = f"/jobs/new?command={quote(command.name)}"
    page = document(await browser.get(path))
    (heading,) = page.iter("h1")
    assert words_of(heading)
    assert protocol_in(words_of(heading)) == []
    labels = {one.get("for"): words_of(one) for one in page.iter("label")}
    fields = {f"params.{one.wire}": one for one in command.parameters}
    found = {one.get("name"): one for one in controls(page)}
    assert found.keys() == fields.keys()
    for name, field in fields.items():
        label = labels[f"field-{name}"].partition(" (optional)")[0].partition(" (one of")[0]
        assert re.search("[a-z]{2}", label), label
        assert protocol_in(label) == [], label
        codes = {*field.coded_values(), *map(str, field.choices)}
        if field.minimum == 0 and field.maximum == 1:
            codes |= {"0", "1"}
        assert (found[name].tag == "select") is bool(codes), label
        for option in found[name].iter("option"):
            if option.get("value"):
                words = (option.text or "").removesuffix(f" ({option.get('value')})")
                assert re.search("[^0-9 ]{2}", words), label
                assert option.get("value") in codes
    await browser.get("/?lang=en-XA")
    assert english_left(document(await browser.get(path))) == []


def test_numbers_have_their_bounds_in_words_or_choices() -> None:
    """A number without either is any number; that of no more than ten values is a choice."""
    for command in CATALOGUE:
        for one in command.parameters:
            if one.kind is Kind.INTEGER and one.maximum not in (None, SMALL):
                is_choice = bool(one.coded_values())
                assert is_choice or one.maximum > 1, (command.name, one.wire)

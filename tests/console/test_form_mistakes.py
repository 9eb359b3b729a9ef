"""What every form answers to values that cannot be, in the artificial language: no English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from urllib.parse import unquote, urlencode
from xml.etree.ElementTree import Element, TreeBuilder

import attrs
import pytest
import pytest_twisted

from zkpush.declarations import declarations
from zkpush.handlers.accessdata.declared import ACCESS_TABLES
from zkpush.manage.arguments import arguments_of
from zkpush.manage.console.pages import ConsoleForm

from ..rig import Response, Rig
from .browser import Browser, signed_in
from .test_pages import filled
from .walk import WORDS, english_left, forms_of_console, pages_of, path_of

pytestmark = pytest.mark.long

PARTS = 3
"""The forms are divided, so that they are tried in parallel."""
MANY = 3
"""Forms with one action, such as those of commands: only all fields of one are wrong together."""
WRONG = ("?!", "-1", "9", "99999999999999999999", "é" * 300, "1\n2")
"""Values that some fields take and others do not."""
WRITTEN = {"closed", "public, users", "Ann"}
"""What people write as it is, in every language: choices and names."""
OF_OTHERS = ("DNSLookupError: ",)
"""Begins of errors that are not of zkpush."""
VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "wbr"})
"""Tags without an end."""
ENDS = ("block", "out", "erase", "remove", "retire", "replace", "delete", "revoke", "end", "cancel")
"""Words in the paths of forms that end what others need: they come last."""
OF_THE_SESSION = ("/account/sessions", "/account/password", "/sign-out")
"""Forms that may end the session: they come at the very end."""


@attrs.define
class Shown:
    """What pages show."""

    forms: list[tuple[str, Mapping[str, Sequence[str]]]] = attrs.field(factory=list)
    """Actions of forms, and their fields."""
    data: set[str] = attrs.field(factory=set)
    """Values in sentences."""

    def of(self, form: ConsoleForm) -> list[tuple[str, Mapping[str, Sequence[str]]]]:
        """The forms with the action of one, without those that are the same."""
        pattern = re.compile(re.sub(r"<[^>]*>", "[^/]+", form.path))
        found = [one for one in self.forms if pattern.fullmatch(one[0])]
        return [one for number, one in enumerate(found) if one not in found[:number]]


def late(form: ConsoleForm) -> tuple[bool, bool, str]:
    """The position of a form among all."""
    ends = any(word in ENDS for word in form.path.split("/"))
    return form.path.startswith(OF_THE_SESSION), ends, form.path


def entered(form: Element) -> Iterator[tuple[str, str]]:
    """The fields of a form as the page shows them, as a browser would send them."""
    for node in form.iter():
        name = node.get("name")
        if not name or "disabled" in node.attrib:
            continue
        if node.tag == "select":
            options = list(node.iter("option"))
            chosen = [one for one in options if "selected" in one.attrib] or options[:1]
            for one in chosen:
                yield name, one.get("value", one.text or "")
        elif node.tag == "textarea":
            yield name, node.text or ""
        elif node.get("type") in ("checkbox", "radio"):
            if "checked" in node.attrib:
                yield name, node.get("value", "on")
        elif node.tag == "input" and node.get("type") != "file":
            yield name, node.get("value", "")


def pages_with_forms(rig: Rig) -> Iterator[str]:
    """The paths of all pages, with each command and each table of access data."""
    for page in pages_of(rig):
        if page.path not in ("/sign-in", "/sign-out"):
            yield path_of(page.path)
    for command in declarations().catalogue.commands:
        yield f"/jobs/new?{urlencode({'command': command.name})}"
    for table in ACCESS_TABLES:
        yield f"/access/default/{table.name}/edit"


async def forms_shown(rig: Rig, browser: Browser) -> Shown:
    """What the pages show."""
    shown = Shown()
    for path in pages_with_forms(rig):
        tree = quick_tree(await browser.get(path))
        shown.data |= data_of(tree)
        for form in tree.iter("form"):
            if form.get("method") == "post":
                fields: dict[str, list[str]] = {}
                for name, value in entered(form):
                    fields.setdefault(name, []).append(value)
                action = form.get("action", "").removeprefix("/console")
                shown.forms.append((action, fields))
    return shown


def attempts(
    form: ConsoleForm, shown: Mapping[str, Sequence[str]], *, one_by_one: bool
) -> Iterator[Mapping[str, Sequence[str]]]:
    """What is entered: nothing, what is shown, wrong values in all fields, and in each."""
    names = {one.name for one in arguments_of(form.fields)} | set(shown)
    names -= {"csrf", "command", form.file}
    kept = {name: shown[name] for name in ("csrf", "command") if name in shown}
    yield kept
    yield shown
    for wrong in WRONG:
        yield {**{name: [wrong] for name in names}, **kept}
    for number, name in enumerate(sorted(names) if one_by_one else ()):
        for wrong in WRONG[number % 3 :: 3]:
            yield {**shown, name: [wrong]}


class TreeMaker(HTMLParser):
    """Makes the tree of a page, in a tenth of the time that a parser of all HTML takes."""

    def __init__(self) -> None:
        super().__init__()
        self.made = TreeBuilder()
        self.made.start("page", {})

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.made.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.made.end(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.made.end(tag)

    def handle_data(self, data: str) -> None:
        self.made.data(data)


def quick_tree(reply: Response) -> Element:
    """The tree of a page."""
    maker = TreeMaker()
    maker.feed(reply.body.decode())
    maker.made.end("page")
    return maker.made.close()


def data_of(tree: Element) -> set[str]:
    """The values in the sentences of a page."""
    return {"".join(one.itertext()) for one in tree.iter("bdi")}


def left_of(
    browser: Browser, reply: Response, sent: Mapping[str, Sequence[str]], known: set[str]
) -> list[str]:
    """The English words of a page, or of the notice of a redirect.

    Values in its sentences were entered, or are `known`.
    """
    if reply.status == 303:
        notice = unquote(browser.cookies.get("zkpush-notice", ""))
        return [notice] if notice and not notice.startswith("⟦") else []
    tree = quick_tree(reply)
    known = known | WRITTEN
    given = "\n".join(text for texts in sent.values() for text in texts)
    strange = [
        one
        for one in data_of(tree) - known
        if WORDS.search(one) and one.strip("'\"…") not in given and repr(given)[1:-1] not in one
    ]
    return [*english_left(tree), *strange]


@pytest.mark.parametrize("part", range(PARTS))
@pytest_twisted.ensureDeferred
async def test_every_mistake_in_a_form_is_translated(rig: Rig, part: int) -> None:
    """Every field of every form gets values that are wrong in many ways."""
    await filled(rig)
    await rig.api("POST", "/accounts", {"name": "a7", "scopes": ["read"]})
    browser = await signed_in(rig, name="e7")
    await browser.get("/?lang=en-XA")
    shown = await forms_shown(rig, browser)
    csrf = shown.forms[0][1]["csrf"]
    forms = sorted((one for one in forms_of_console(rig) if one.scope is not None), key=late)
    found = set()
    for form in forms[part::PARTS]:
        places = shown.of(form) or [(path_of(form.path), {"csrf": csrf})]
        for path, seen in places:
            answers = [{}] if form.question is None else [{}, {"confirmed": ["yes"]}]
            for fields in attempts(form, seen, one_by_one=len(places) < MANY):
                for more in answers:
                    sent = {**{name: texts for name, texts in fields.items() if texts}, **more}
                    reply = await browser.post(path, sent)
                    assert reply.status < 500, (path, sent)
                    for words in left_of(browser, reply, sent, shown.data):
                        if not words.startswith(OF_OTHERS):
                            found.add((form.path, words.strip()))
    assert sorted(found) == []

"""All pages of the console, enumerated from its routes."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from xml.etree.ElementTree import Element

from zkpush.manage.console.pages import ConsoleForm, ConsolePage
from zkpush.manage.console.resource import ConsoleResource
from zkpush.protocol.fields import Scope

from ..rig import Rig
from .phrases import all_texts

NAMES: dict[str, str] = {
    "sn": "T1",
    "secret": "no-such-link",
    "name": "ann",
    "pin": "1",
    "day": "2026-03-01",
    "area": "default",
    "table": "work-codes",
}
"""Values of the variables in paths; `filled` of `test_pages` adds those that the server chooses."""
NOT_THERE = frozenset({"/welcome/<secret>"})
"""Pages that say that something is gone, with these values."""
SHOWN_ATTRIBUTES = ("title", "placeholder", "aria-label", "alt")
WORDS = re.compile(r"[A-Za-z]{2,}")
LONG_WORDS = re.compile(r"[A-Za-z]{3,}")
PLACES = re.compile(r"%\(\w+\)s|`[^`]*`")


def console_of(rig: Rig) -> ConsoleResource:
    """The console of a daemon."""
    console: ConsoleResource = rig.manage.pages.console
    return console


def path_of(path: str) -> str:
    """A path with values for its variables."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: NAMES.get(found[1], "1"), path)


def pages_of(rig: Rig) -> list[ConsolePage]:
    """The pages of a daemon."""
    return [page for page in _got(rig) if not page.is_file]


def files_of(rig: Rig) -> list[ConsolePage]:
    """The files of a daemon that are no pages, such as exports."""
    return [page for page in _got(rig) if page.is_file]


def _got(rig: Rig) -> list[ConsolePage]:
    return [page for _, page in console_of(rig).pages if isinstance(page, ConsolePage)]


def forms_of_console(rig: Rig) -> list[ConsoleForm]:
    """The forms of a daemon."""
    return [form for _, form in console_of(rig).pages if isinstance(form, ConsoleForm)]


def targets_of(text: str) -> set[tuple[str, str]]:
    """Methods and paths, under `/console`, that the links and the forms of a page lead to."""
    links = re.findall(r'href="/console(/[^"?#]*)', text)
    actions = re.findall(r'<form method="(\w+)" action="/console(/[^"?#]*)', text)
    return {*(("GET", path) for path in links), *((kind.upper(), path) for kind, path in actions)}


def scope_of(rig: Rig, method: str, path: str) -> Scope | None:
    """The scope that a path of a page or a form needs; None for one that needs none."""
    if path.startswith("/static/"):
        return None
    found = [
        one
        for _, one in console_of(rig).pages
        if one.method == method and re.fullmatch(re.sub("<[^>]*>", "[^/]+", one.path), path)
    ]
    assert found, f"{method} {path} leads nowhere"
    return min(found, key=lambda one: one.path.count("<")).scope


@functools.cache
def vocabulary() -> frozenset[str]:
    """The words of all texts that catalogues translate."""
    return frozenset(
        word.lower() for text in all_texts() for word in LONG_WORDS.findall(PLACES.sub("", text))
    )


def english_as_data(node: Element, own: Collection[str], is_data: bool = False) -> list[str]:
    """The texts marked as data that have English words of the console besides those in `own`.

    Bytes, commands and names of the protocol, which stand in `code` and `pre`, are left out.
    """
    tag = node.tag
    if not isinstance(tag, str) or tag in ("script", "style", "code", "pre", "time", "textarea"):
        return []
    is_data = is_data or node.attrib.get("translate") == "no"
    texts = [node.text or ""] if is_data else []
    found = []
    for child in node:
        found += english_as_data(child, own, is_data)
        texts += [child.tail or ""] if is_data else []
    return found + [
        text.strip()
        for text in texts
        if text.replace("· zkpush", "").strip() not in own
        and {word.lower() for word in LONG_WORDS.findall(text)} & vocabulary() - {*own}
    ]


def english_left(node: Element, is_data: bool = False) -> list[str]:
    """The English words that a reader of the page would see or hear."""
    tag = node.tag
    if not isinstance(tag, str) or tag in ("script", "style"):
        return []
    attributes = node.attrib
    if attributes.get("lang") == "en":
        return ["".join(node.itertext())]
    is_data = is_data or attributes.get("translate") == "no" or tag in ("code", "time")
    found = []
    if not is_data:
        text = (node.text or "").replace("· zkpush", "")
        found = [text] if WORDS.search(text) else []
        for name in SHOWN_ATTRIBUTES:
            if WORDS.search(attributes.get(name, "")):
                found.append(attributes[name])
    for child in node:
        found += english_left(child, is_data)
        if not is_data and WORDS.search(child.tail or ""):
            found.append(child.tail)
    return found

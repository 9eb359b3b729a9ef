"""What every form shows after a mistake: everything as it was sent, but passwords and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

import msgspec
import pytest
import pytest_twisted

from zkpush.manage.console import resource
from zkpush.manage.console.forms import FormMistakes, SentForm
from zkpush.manage.console.phrases import Phrase

from ..rig import Response, Rig
from .browser import Browser, location, signed_in, text_of
from .test_form_mistakes import entered, pages_with_forms, quick_tree
from .test_pages import filled

TYPED = {
    "number": "7",
    "date": "2031-02-03",
    "datetime-local": "2031-02-03T04:05:06",
    "time": "04:05",
}
"""What is typed into fields of a type; into all others, a word."""
NOT_KEPT = ("password", "file")
"""Types of fields that are never sent back."""

Fields = Mapping[str, Sequence[str]]


def posted(reply: Response) -> dict[tuple[str, str], Element]:
    """The forms of a page that change something, by their actions and hidden fields."""
    found = {}
    for form in quick_tree(reply).iter("form"):
        if form.get("method") == "post":
            hidden = [
                (one.get("name"), one.get("value"))
                for one in form.iter("input")
                if one.get("type") == "hidden"
            ]
            action = form.get("action", "").removeprefix("/console")
            found[action, repr(sorted(hidden, key=repr))] = form
    return found


def shown(form: Element) -> dict[str, list[str]]:
    """What the fields of a form show, but those that are never sent back."""
    secret = {one.get("name") for one in form.iter("input") if one.get("type") in NOT_KEPT}
    fields: dict[str, list[str]] = {}
    for name, value in entered(form):
        if name not in secret:
            fields.setdefault(name, []).append(value)
    return fields


def changed(form: Element) -> dict[str, list[str]]:
    """What a person sends who changes every field of a form."""
    sent: dict[str, list[str]] = {}
    radios: dict[str, list[Element]] = {}
    for node in form.iter():
        name, kind = node.get("name"), node.get("type", "text")
        if not name or "disabled" in node.attrib or kind in NOT_KEPT or node.tag == "button":
            continue
        if node.tag == "select":
            options = list(node.iter("option"))
            (now,) = [one for one in options if "selected" in one.attrib] or options[:1]
            sent[name] = [next((one for one in options if one is not now), now).get("value", "")]
        elif kind == "radio":
            radios.setdefault(name, []).append(node)
        elif kind == "checkbox":
            sent.setdefault(name, [])
            if "checked" not in node.attrib:
                sent[name].append(node.get("value", "on"))
        elif kind == "hidden":
            sent.setdefault(name, []).append(node.get("value", ""))
        else:
            sent[name] = [TYPED.get(kind, "some-words")]
    for name, choices in radios.items():
        other = next((one for one in choices if "checked" not in one.attrib), choices[0])
        sent[name] = [other.get("value", "")]
    return {name: texts for name, texts in sent.items() if texts}


def has_choices(form: Element) -> bool:
    """Whether a person enters or chooses something in a form."""
    fields = [*form.iter("input"), *form.iter("select"), *form.iter("textarea")]
    return any(one.get("type") not in ("hidden", *NOT_KEPT) for one in fields)


def refuse(kind: type[msgspec.Struct], sent: SentForm) -> msgspec.Struct:
    """Find a mistake in whatever is sent."""
    raise FormMistakes(Phrase("This cannot be."))


async def lost(browser: Browser, path: str) -> dict[tuple[str, str], object]:
    """What the forms of a page lose, and what they change in the other forms of the page."""
    before = posted(await browser.get(path))
    found: dict[tuple[str, str], object] = {}
    for key, form in before.items():
        if not has_choices(form):
            continue
        action, sent = key[0], changed(form)
        reply = await browser.post(action, sent)
        assert reply.status == 422, action
        after = posted(reply)
        assert key in after, action
        for other, one in after.items():
            is_same = other == key
            wanted: Fields = sent if is_same else shown(before[other]) if other in before else {}
            now: Fields = shown(one) if is_same or other in before else {}
            for name in {*wanted, *now}:
                if wanted.get(name, []) != now.get(name, []):
                    found[other[0], name] = wanted.get(name, []), now.get(name, [])
    return found


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_every_form_with_a_mistake_comes_back_as_it_was_sent(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with every field changed; the other forms of the page show what is stored."""
    await filled(rig)
    for method, path, body in (
        ("PUT", "/areas/North", {}),
        ("PATCH", "/devices/T1", {"area": "South"}),
        ("POST", "/accounts", {"name": "a7", "scopes": ["read"]}),
    ):
        assert (await rig.api(method, path, body)).status < 300, path
    await rig.exchange("T2")
    browser = await signed_in(rig, name="e7")
    paths = [*pages_with_forms(rig)]
    monkeypatch.setattr(resource, "parse_form", refuse)
    found: dict[tuple[str, str], object] = {}
    for path in paths:
        found |= await lost(browser, path)
    assert found == {}


@pytest_twisted.ensureDeferred
async def test_what_was_chosen_for_an_enrolment_is_kept_for_the_next_try(rig: Rig) -> None:
    """The terminal, the finger, and that it is to be replaced."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    await rig.api("PUT", "/users/7", {"name": "Ann"})
    browser = await signed_in(rig)
    page = "/people/7/enrol"
    given = {"device": "T2", "what": "right index", "overwrite": "true"}
    sent = await browser.send(page, page, given)
    assert sent.status == 303, text_of(sent)
    assert "watch=" in location(sent)
    (form,) = [
        one
        for (action, _), one in posted(await browser.get(location(sent))).items()
        if action == page
    ]
    kept = shown(form)
    assert {name: kept[name] for name in given} == {name: [text] for name, text in given.items()}

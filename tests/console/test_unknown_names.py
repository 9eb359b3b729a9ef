"""Names of areas, people and terminals that do not exist: asked again where they were typed."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

import pytest
import pytest_twisted

from ..rig import Response, Rig
from .browser import Browser, document, location, signed_in, text_of
from .test_limited_accounts import limited

AREA = "Northside"
FORMS: Mapping[str, tuple[str, dict[str, str], str, str]] = {
    "move": ("/terminals/T1/settings", {"area": "Nortside"}, "area", AREA),
    "approve": ("/terminals/T2/approve", {"timezone": "UTC", "area": "Nortside"}, "area", AREA),
    "typed": ("/jobs/new?command=INFO", {"devices": "Main gaet"}, "devices", "Main gate"),
    "chosen": ("/jobs/new?command=INFO", {"device": "Main gaet"}, "devices", "Main gate"),
    "of area": (
        "/jobs/new?command=INFO",
        {"target": "area", "area": "Nortside"},
        "area",
        AREA,
    ),
    "put": (f"/areas/{AREA}", {"sn": "Main gaet"}, "sn", "Main gate"),
    "people": (f"/areas/{AREA}", {"people": "Zelda Wintre"}, "people", "Zelda Winter (7)"),
    "person": ("/people/7/edit", {"name": "Z", "areas": "Nortside"}, "areas", AREA),
    "account": ("/accounts", {"name": "bo", "scopes": "read", "areas": "Nortside"}, "areas", AREA),
    "limit": ("/accounts", {"scopes": "read", "areas": "Nortside"}, "areas", AREA),
    "token": ("/tokens", {"name": "t", "scopes": "read", "areas": "Nortside"}, "areas", AREA),
    "enrol": ("/people/7/enrol", {"device": "Main gaet", "what": "card"}, "device", "Main gate"),
}
"""Pages, what is sent, the wrong field, and what may be meant, by the form."""
ACTIONS = {
    "move": "/terminals/T1/area",
    "put": f"/areas/{AREA}/terminals",
    "limit": "/accounts/bea",
    "people": f"/areas/{AREA}/people",
}
"""Paths of forms with others than that of their page."""
PATHS = {
    "/people/Zelda": "Zelda Winter (7)",
    "/people/zelda%20wintr/edit": "Zelda Winter (7)",
    "/attendance/people/Zelda": "Zelda Winter (7)",
    "/people/123456": "",
    "/terminals/T11": "Main gate (T1)",
    "/terminals/MAIN%20GAET/settings": "Main gate (T1)",
    "/terminals/Main": "Main gate (T1)",
    "/areas/Nortside": AREA,
    "/access/Nortside": AREA,
}
"""Paths that name nothing, and what may be meant."""
FILTERS = {
    "/attendance?area=Nortside": ("area", AREA),
    "/attendance?person=Zelda+Wintre": ("person", "Zelda Winter (7)"),
    "/attendance?device=Main+gaet": ("device", "Main gate"),
    "/people?area=Nortside": ("area", AREA),
    "/commands?device=Main+gaet": ("device", "Main gate"),
    "/rejects?device=Main+gaet": ("device", "Main gate"),
}
"""Lists with filters that mean nothing, the field, and what may be meant."""


async def site(rig: Rig) -> Browser:
    """A site with a terminal, a person and an area."""
    for sn, name in (("T1", "Main gate"), ("T2", "Yard")):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"alias": name})
    await rig.api("PATCH", "/devices/T2", {"area": AREA})
    await rig.api("PUT", f"/areas/{AREA}", {"description": "x"})
    put = await rig.api("PUT", "/users/7", {"name": "Zelda Winter", "areas": [AREA]})
    assert put.status == 200, put.raw
    await rig.api("POST", "/accounts", {"name": "bea", "scopes": ["read"]})
    return await signed_in(rig)


def wrong_field(shown: Response) -> tuple[str, str]:
    """The name of the first field that is marked as wrong, and the mistake beside it."""
    tree = document(shown)
    for field in tree.iter():
        if field.get("aria-invalid") == "true":
            described = (field.get("aria-describedby") or "").split()
            words = [
                " ".join("".join(one.itertext()).split())
                for one in tree.iter("p")
                if one.get("id") in described and one.get("class") == "wrong"
            ]
            inside = [each.get("name", "") for each in field.iter("input")]
            return field.get("name") or inside[0], " ".join(words)
    return "", ""


def typed(shown: Response, name: str) -> list[str]:
    """The texts of the fields of a page with a name."""
    fields: list[Element] = [*document(shown).iter("input"), *document(shown).iter("bdi")]
    return [one.get("value") or one.text or "" for one in fields if one.get("name") in (name, None)]


@pytest.mark.parametrize("name", FORMS)
@pytest_twisted.ensureDeferred
async def test_a_form_is_shown_again_with_what_may_be_meant(rig: Rig, name: str) -> None:
    """Beside the field, with what was typed; nothing is changed."""
    browser = await site(rig)
    page, fields, field, meant = FORMS[name]
    action = ACTIONS.get(name, page.partition("?")[0])
    shown = await browser.send(page, action, fields)
    assert 400 <= shown.status < 500
    assert "Nothing was changed yet." in text_of(shown)
    where, mistake = wrong_field(shown)
    assert where == field
    assert meant in mistake
    given = next(text for text in fields.values() if text.title()[:4] in ("Nort", "Main", "Zeld"))
    assert given in typed(shown, field)


@pytest.mark.parametrize("path", PATHS)
@pytest_twisted.ensureDeferred
async def test_a_path_that_names_nothing_is_a_search(rig: Rig, path: str) -> None:
    """With what was typed, the mistake, and links to what may be meant."""
    browser = await site(rig)
    shown = await browser.get(path)
    assert shown.status == 404
    _, mistake = wrong_field(shown)
    assert mistake.startswith("There is no such")
    links = {
        "".join(one.itertext()): one.get("href", "").removeprefix("/console")
        for one in document(shown).iter("a")
    }
    meant = PATHS[path]
    assert ("Did you mean one of these?" in text_of(shown)) == bool(meant)
    if meant:
        assert (await browser.get(links[meant])).status == 200


@pytest.mark.parametrize("path", FILTERS)
@pytest_twisted.ensureDeferred
async def test_a_filter_that_means_nothing_is_marked(rig: Rig, path: str) -> None:
    """The list says so beside the field, and what may be meant."""
    browser = await site(rig)
    shown = await browser.get(path)
    field, meant = FILTERS[path]
    where, mistake = wrong_field(shown)
    assert (shown.status, where) == (200, field)
    assert meant in mistake


@pytest_twisted.ensureDeferred
async def test_what_is_there_but_not_served_is_no_search(rig: Rig) -> None:
    """For a person who exists, the page says that the day does not exist."""
    browser = await site(rig)
    shown = await browser.get("/attendance/people/7/2026-02-30")
    assert (shown.status, wrong_field(shown)) == (404, ("", ""))
    assert "There is no such day." in text_of(shown)


@pytest_twisted.ensureDeferred
async def test_limited_accounts_are_offered_nothing_of_other_areas(rig: Rig) -> None:
    """Neither is it said that something is there."""
    _, browser, _ = await limited(rig)
    for there, none in (("/people/99177", "/people/99999"), ("/areas/Southside", "/areas/Sxx")):
        texts = [text_of(await browser.get(path)) for path in (there, none)]
        assert texts[0] == texts[1]
        assert "Needle" not in texts[0]
    assert "Needle" not in text_of(await browser.get("/people/Needl"))


@pytest_twisted.ensureDeferred
async def test_terminals_of_a_command_are_typed_by_name(rig: Rig) -> None:
    """Names and serial numbers, with commas between; those of a list are shown by name."""
    browser = await site(rig)
    page = "/jobs/new?command=INFO&device=T1+T2"
    assert "Main gate, Yard" in typed(await browser.get(page), "devices")
    for text, number in (("main GATE, T2", 2), ("T1 T2", 2), ("T2;Main gate,T1", 2), ("Yard", 1)):
        sent = await browser.send(page, "/jobs/new", {"devices": text})
        assert (await rig.api("GET", location(sent))).json["devices"] == number, text
    await rig.api("PATCH", "/devices/T2", {"alias": "Main gate"})
    asked = await browser.send(page, "/jobs/new", {"devices": "Main gate"})
    assert "Several terminals are found" in wrong_field(asked)[1]
    assert "T1, T2" in typed(await browser.get(page), "devices")

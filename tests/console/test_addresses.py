"""Addresses of what is named with the characters that have a meaning in addresses."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

import pytest
import pytest_twisted

from zkpush.pathparts import path_part

from ..rig import Rig
from .browser import Browser, location, signed_in, text_of
from .test_attendance import punch
from .test_people import operate
from .walk import console_of, pages_of

ODD = "a/b?c#d%2F&+;e"
"""A name with each reserved character, as firmware may send it for a person."""
NAMES = {"sn": "T1", "pin": ODD, "area": ODD, "table": "work-codes", "day": "2026-03-01"}
_LINK = re.compile(r'(?:href|src|action)="/console(/[^"]*)"')


async def odd_names(rig: Rig) -> None:
    """A terminal in an oddly named area states an oddly named person, who punches."""
    await rig.exchange("T1")
    made = await rig.api("PUT", f"/areas/{quote(ODD, safe='')}", {"distributes": True})
    assert made.status == 200, made.raw
    await rig.api("PATCH", "/devices/T1", {"area": ODD})
    line = f"USER PIN={ODD}\tName=Ann\tPri=0\n"
    await operate(rig, line)
    assert [one["pin"] for one in await rig.items("/users")] == [ODD]
    await punch(rig, f"{ODD}\t2026-03-01 08:00:00\t0\t1\t0\t0\t0\t0\t0\t0\t\n")


@pytest.mark.parametrize("name", [".", "..", "~.", "~", "~...", "%2e", "%2E%2e", "a/b?c#d"])
@pytest_twisted.ensureDeferred
async def test_no_name_is_lost_on_the_way(rig: Rig, name: str) -> None:
    """Browsers resolve dots, also encoded ones; addresses have none, and lead to the name."""
    address = f"/people/{path_part(name)}"
    assert urlsplit(urljoin("http://h/x/y/z", address.replace("%2e", "."))).path == address
    await rig.exchange("T1")
    await operate(rig, f"USER PIN={name}\tName=Ann\tPri=0\n")
    assert [one["pin"] for one in await rig.items("/users")] == [name]
    browser = await signed_in(rig)
    assert f'href="/console{address}"' in unescape((await browser.get("/people")).body.decode())
    saved = await browser.send(f"{address}/edit", f"{address}/edit", {"name": "Ben"})
    assert location(saved) == address
    assert "Ben" in text_of(await browser.get(address))
    assert (await rig.api("GET", f"/users/{path_part(name)}")).json["name"] == "Ben"
    assert (await rig.api("DELETE", f"/users/{path_part(name)}")).status == 200


def addresses(rig: Rig) -> list[str]:
    """The addresses of all pages about these names, and of the lists that link to them."""
    found = []
    for page in pages_of(rig):
        names = re.findall(r"<(?:\w+:)?(\w+)>", page.path)
        if set(names) <= NAMES.keys():
            found.append(
                re.sub(r"<(?:\w+:)?(\w+)>", lambda each: quote(NAMES[each[1]], safe=""), page.path)
            )
    return found


def named(rig: Rig, path: str) -> dict[str, str]:
    """The names in a path; fails unless a page or a form has such a path."""
    for _, route in sorted(console_of(rig).pages, key=lambda one: one[1].path.count("<")):
        found = re.fullmatch(re.sub(r"<(?:\w+:)?(\w+)>", r"(?P<\1>[^/]+)", route.path), path)
        if found:
            return {name: unquote(text) for name, text in found.groupdict().items()}
    raise AssertionError(f"{path} leads nowhere")


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_every_link_of_the_console_leads_to_what_it_names(rig: Rig) -> None:
    """Pages of odd names exist, and all their links and forms keep the name as it is."""
    await odd_names(rig)
    browser = await signed_in(rig)
    linked = set()
    for address in addresses(rig):
        if address == "/sign-in":
            continue
        shown = await browser.get(address)
        assert shown.status == 200, (address, shown.raw[:200])
        for link in map(unescape, _LINK.findall(shown.body.decode())):
            path = link.partition("?")[0].partition("#")[0]
            if path.startswith(("/static/", "/live")):
                continue
            for name, value in named(rig, path).items():
                assert name not in ("pin", "area") or value in (ODD, "default"), (address, link)
                linked.add(name)
    assert {"pin", "area", "sn"} <= linked


@pytest_twisted.ensureDeferred
async def test_forms_and_sign_in_lead_back_to_an_odd_name(rig: Rig) -> None:
    """Redirects keep the name: after a change, after the choice of a language, and to sign in."""
    await odd_names(rig)
    browser = await signed_in(rig)
    person, area = (f"/{one}/{quote(ODD, safe='')}" for one in ("people", "areas"))
    saved = await browser.send(f"{person}/edit", f"{person}/edit", {"name": "Ann Ash"})
    assert location(saved) == person
    stored = await rig.api("GET", f"/users/{quote(ODD, safe='')}")
    assert stored.json["name"] == "Ann Ash"
    changed = await browser.send(area, area, {"distributes": "true"})
    assert location(changed) == area
    assert location(await browser.get(f"{person}?lang=es")) == person
    there = location(await Browser(rig).get(person))
    assert parse_qs(urlsplit(there).query)["to"] == [person]

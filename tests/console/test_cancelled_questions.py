"""Cancel on the page of a question leads back to the form, with what was typed."""

from __future__ import annotations

import re

import pytest_twisted

from ..rig import Rig
from .browser import hidden_of, signed_in, text_of
from .test_attendance import line, person, punch

NEW = "/people/new"
FIELDS = {"pin": "24", "name": "Omar Saleh", "card": "4711"}


@pytest_twisted.ensureDeferred
async def test_a_cancelled_reuse_keeps_the_form(rig: Rig) -> None:
    """Name, user ID and card are there again, nothing is stored, and no address has them."""
    await person(rig, "24", "Lena Brandt")
    await rig.api("DELETE", "/users/24")
    browser = await signed_in(rig)
    asked = await browser.send(NEW, NEW, FIELDS)
    assert "Give the user ID to somebody else?" in text_of(asked)
    assert "Omar" not in "".join(re.findall(r'(?:href|action)="([^"]*)"', asked.body.decode()))
    (cancel,) = [dict(one) for path, one in hidden_of(asked) if "cancelled" in dict(one)]
    shown = await browser.post(NEW, cancel)
    assert shown.status == 200
    for name, value in FIELDS.items():
        assert re.search(rf'name="{name}"[^>]*value="{value}"', shown.body.decode()), name
    assert 'id="mistakes"' not in shown.body.decode()
    assert await rig.items("/users") == []
    again = await browser.confirm(NEW, NEW, FIELDS)
    assert again.status == 303
    assert [one["name"] for one in await rig.items("/users")] == ["Omar Saleh"]


@pytest_twisted.ensureDeferred
async def test_the_erasure_of_who_left_says_how_many_punches_there_are(rig: Rig) -> None:
    """Also before a person who is there is erased."""
    await rig.exchange("T1")
    await person(rig, "24", "Lena Brandt")
    await punch(rig, line("24", "2026-03-01 08:00:00"), line("24", "2026-03-01 16:00:00"))
    browser = await signed_in(rig)
    said = "2 punches are stored under this user ID."
    assert said in text_of(await browser.get("/people/24/remove"))
    await rig.api("DELETE", "/users/24")
    assert said in text_of(await browser.get("/people/24/remove"))

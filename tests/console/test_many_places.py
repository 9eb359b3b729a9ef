"""Pages of a person who is on many terminals: they stay small, and nothing is left unsaid."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from ..rig import Rig
from .browser import signed_in, text_of
from .test_deletions_at_terminals import answered
from .test_people import operate

TERMINALS = 60
MOST_BYTES = 50 * 1024


async def everywhere(rig: Rig) -> None:
    """A person on sixty terminals."""
    for number in range(TERMINALS):
        sn = f"T{number:02}"
        await rig.exchange(sn)
        await operate(rig, "USER PIN=7\tName=Ann\tPri=0\n", sn=sn)


@pytest_twisted.ensureDeferred
async def test_the_terminals_of_a_person_have_pages(rig: Rig) -> None:
    """The page of the person names the first ones, and says how many more there are."""
    await everywhere(rig)
    browser = await signed_in(rig)
    assert "and 40 more terminals" in text_of(await browser.get("/people/7"))
    first = await browser.get("/people/7/places")
    assert len(first.body) < MOST_BYTES
    assert re.findall(r"\bT\d\d\b", text_of(first)) == [f"T{number:02}" for number in range(50)]
    assert b'href="/console/people/7/places?past=50"' in first.body
    second = await browser.get("/people/7/places?past=50")
    assert re.findall(r"\bT\d\d\b", text_of(second)) == [f"T{number}" for number in range(50, 60)]
    assert b'href="/console/people/7/places"' in second.body


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_deletions_that_are_not_done_come_first(rig: Rig) -> None:
    """The numbers of all states stand below a long list."""
    await everywhere(rig)
    browser = await signed_in(rig)
    asked = await browser.get("/people/7/remove")
    assert len(asked.body) < MOST_BYTES
    assert "and 40 more terminals" in text_of(asked)
    await rig.api("DELETE", "/users/7?terminals=true")
    assert len(await answered(rig, "T00")) == 1
    shown = await browser.get("/people/7")
    assert len(shown.body) < MOST_BYTES
    text = text_of(shown)
    assert "T00" not in text
    assert "and 10 more terminals" in text
    assert "done 1" in text
    assert "not done yet 59" in text

"""The numbers on the page of an area: what they count, and that they are live."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest_twisted

from ..rig import Response, Rig
from ..server.test_distribution import distribute, enrol, fetch, joined, person
from .browser import document, signed_in

PAGE = "/areas/North"


async def contested(rig: Rig) -> None:
    """An area with a terminal that has another person under a user ID, and one that has not."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await fetch(rig, first, second)
    await enrol(second, "5", "Eve", finger=None)
    await fetch(rig, first, second)


def rows(tree: Element, caption: str) -> list[dict[str, str]]:
    """The rows of a table, by column."""
    for table in tree.iter("table"):
        if "".join(next(table.iter("caption")).itertext()) == caption:
            columns = ["".join(one.itertext()) for one in next(table.iter("thead")).iter("th")]
            return [
                dict(
                    zip(columns, ("".join(cell.itertext()).split()[0] for cell in row), strict=True)
                )
                for row in next(table.iter("tbody"))
            ]
    raise AssertionError(f"there is no table {caption}")


def tiles(shown: Response) -> dict[str, str]:
    """The numbers of the card, by their words."""
    return {
        words: number
        for one in document(shown).iter("ul")
        if one.get("class") == "tiles"
        for number, _, words in (" ".join(each.itertext()).partition(" ") for each in one)
    }


@pytest_twisted.ensureDeferred
async def test_a_conflict_is_not_counted_as_refused(rig: Rig) -> None:
    """It has its own number and words in the card, the table and the API, and is no refusal."""
    await contested(rig)
    shown = await (await signed_in(rig, "read")).get(PAGE)
    assert tiles(shown) == {"part is there": "1", "part waits for a decision": "1"}
    found = rows(document(shown), "How far each terminal is")
    assert [(one["Terminal"], one["Conflict"], one["Refused"]) for one in found] == [
        ("A2", "1", "0"),
        ("A1", "0", "0"),
    ]
    parts = (await rig.api("GET", f"{PAGE}/distribution")).json["parts"]
    assert (parts["conflict"], parts["refused"]) == (1, 0)
    codes = [one["code"] for one in await rig.items("/problems")]
    assert "conflict" in codes
    assert "not distributed" not in codes


@pytest_twisted.ensureDeferred
async def test_all_numbers_of_an_area_are_in_its_live_part(rig: Rig) -> None:
    """So that no table shows an older state than the card beside it."""
    await contested(rig)
    browser = await signed_in(rig)
    tree = document(await browser.get(PAGE))
    (part,) = (one for one in tree.iter("div") if one.get("sse-swap"))
    assert rows(part, "How far each terminal is")
    static = [one for one in tree.iter("table") if one not in [*part.iter("table")]]
    assert static
    texts = [text.strip() for table in static for text in table.itertext()]
    assert [text for text in texts if text.isdigit()] == []
    actions = {one.get("action") for one in part.iter("form")}
    assert f"/console{PAGE}/repair" in actions

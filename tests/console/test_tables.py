"""Tables of pages, which are cards on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pytest
import pytest_twisted

from ..rig import Rig
from .browser import document
from .test_links import QUERIES, site
from .walk import pages_of, path_of

FEW = 3
"""Least number of columns of a table that is shown as cards."""


def words(node: Element) -> str:
    """The text of an element."""
    return " ".join("".join(node.itertext()).split())


def unlabelled(table: Element) -> Iterator[str]:
    """The cells of a table that do not have the names of their columns."""
    columns = [words(one) for one in next(table.iter("thead")).iter("th")]
    is_card = "cards" in (table.get("class") or "").split()
    if table.get("class") != "month" and is_card != (len(columns) >= FEW):
        yield f"{columns} as cards: {is_card}"
    for row in next(table.iter("tbody")) if is_card else ():
        labels = [cell.get("data-label") for cell in row]
        if labels != columns:
            yield f"{columns} but {labels}"


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_each_cell_of_a_card_has_the_name_of_its_column(rig: Rig) -> None:
    """In all tables of three columns and more, but the month of a person, on all pages."""
    browser = await site(rig)
    found, count = [], 0
    for path in [*(path_of(page.path) for page in pages_of(rig)), *QUERIES]:
        if path != "/sign-in":
            for table in document(await browser.get(path)).iter("table"):
                count += 1
                found += [(path, each) for each in unlabelled(table)]
    assert found == []
    assert count > len(QUERIES)

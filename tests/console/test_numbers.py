"""Numbers of the overview: the list behind each has as many rows."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from ..promises.limited import plant
from ..rig import Rig
from ..server.test_jobs import runner
from .browser import document, signed_in
from .test_attendance import rows


@pytest.mark.parametrize("areas", [None, ["North"]], ids=["unlimited", "limited"])
@pytest_twisted.ensureDeferred
async def test_the_list_behind_a_number_has_as_many_rows(rig: Rig, areas: list[str] | None) -> None:
    """For an account of the whole site, and for one of an area, whose numbers are smaller."""
    await plant(rig)
    await runner(rig).work()
    browser = await signed_in(rig, name="seven", areas=areas)
    checked = {}
    for link in document(await browser.get("/")).iter("a"):
        number = link.find("strong")
        path = link.get("href", "").removeprefix("/console")
        if number is not None and re.match("/(terminals|commands|rejects)", path):
            page = await browser.get(path)
            listed = rows(page) if "<tbody>" in page.body.decode() else []
            assert len(listed) == int(number.text or ""), path
            checked[path] = len(listed)
    assert len(checked) >= 4
    assert sum(checked.values()) > 3

"""Lines of attendance that could not be read are mentioned where punches are shown and exported."""

from __future__ import annotations

import pytest_twisted

from ..rig import Rig
from .browser import Browser, document, signed_in, text_of
from .test_attendance import line, punch

MISSING = "could not be read"


async def links(browser: Browser, path: str) -> list[str]:
    """Where the lines about missing records lead."""
    notices = [one for one in document(await browser.get(path)).iter() if one.get("id") == "unread"]
    return [link.get("href", "") for notice in notices for link in notice.iter("a")]


@pytest_twisted.ensureDeferred
async def test_lines_that_could_not_be_read_are_mentioned_beside_the_files(rig: Rig) -> None:
    """With their number and terminal, also for a person, and only for the chosen terminal."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"alias": f"Gate {sn[1]}"})
    await punch(rig, line("1", "2026-03-01 08:00:00"), "1\tno time\n", "2\tnor this\n", "3\tnor\n")
    await punch(rig, line("1", "2026-03-01 08:00:05"), sn="T2")
    browser = await signed_in(rig, "read")
    for path in ("/attendance", "/attendance?device=T1", "/attendance/people/1"):
        assert f"3 lines from Gate 1 {MISSING}" in text_of(await browser.get(path)), path
        assert await links(browser, path) == ["/console/rejects?device=T1&table=ATTLOG"], path
    assert await links(browser, "/attendance?device=T2") == []
    (found,) = await links(browser, "/attendance")
    listed = await browser.get(found)
    assert len(document(listed).findall(".//tbody/tr")) == 3
    for one in await rig.items("/rejects"):
        assert (await rig.api("DELETE", f"/rejects/{one['id']}")).status == 204
    assert MISSING not in text_of(await browser.get("/attendance"))


@pytest_twisted.ensureDeferred
async def test_lines_of_before_the_period_and_of_other_areas_are_not_mentioned(rig: Rig) -> None:
    """A later period has none; an account of another area is told of none."""
    await rig.exchange("T1")
    await punch(rig, line("1", "2026-03-01 08:00:00"), "1\tno time\n")
    south = await signed_in(rig, name="sue", areas=["South"])
    assert MISSING not in text_of(await south.get("/attendance"))
    mine = await signed_in(rig, name="ann", areas=["default"])
    assert f"1 line from T1 {MISSING}" in text_of(await mine.get("/attendance"))
    assert f"1 line from T1 {MISSING}" in text_of(await mine.get("/attendance?area=default"))
    assert MISSING not in text_of(await mine.get("/attendance?since=2026-03-02"))
    assert MISSING in text_of(await mine.get("/attendance?period=this-month"))

"""Lines of attendance that could not be read are mentioned where punches are shown and exported."""

from __future__ import annotations

import pytest_twisted

from zkpush.device.silence import SILENT_AFTER
from zkpush.persist.devices import DeviceStore
from zkpush.persist.rejects import RejectStore
from zkpush.persist.transaction import Transaction
from zkpush.protocol.rejects import Reject

from ..rig import Rig
from .browser import Browser, document, signed_in, text_of
from .test_attendance import line, punch
from .test_payroll import sheets

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
    for path, words in (
        ("/attendance", "3 lines"),
        ("/attendance?device=T1", "3 lines"),
        ("/attendance?person=1", "1 line"),
        ("/attendance/people/1", "1 line"),
    ):
        assert f"{words} from Gate 1 {MISSING}" in text_of(await browser.get(path)), path
        assert await links(browser, path) == ["/console/rejects?device=T1&table=ATTLOG"], path
    assert await links(browser, "/attendance?device=T2") == []
    (found,) = await links(browser, "/attendance")
    listed = await browser.get(found)
    assert len(document(listed).findall(".//tbody/tr")) == 3
    for one in await rig.items("/rejects"):
        assert (await rig.api("DELETE", f"/rejects/{one['id']}")).status == 204
    assert MISSING not in text_of(await browser.get("/attendance"))


@pytest_twisted.ensureDeferred
async def test_lines_of_other_people_and_days_are_not_mentioned(rig: Rig) -> None:
    """Where the beginning of a line is a user ID, or where it has a date."""
    await rig.exchange("T1")
    await punch(
        rig,
        line("1", "2026-03-01 08:00:00"),
        line("2", "2026-03-01 08:00:05"),
        "2\t2026-02-26 8.05\n",
        "??\tno time\n",
    )
    browser = await signed_in(rig, "read")
    for path, words in (
        ("/attendance", "1 line"),
        ("/attendance?since=2026-02-26&until=2026-03-01", "2 lines"),
        ("/attendance/people/1?month=2026-02", "1 line"),
        ("/attendance/people/2?month=2026-02", "2 lines"),
        ("/attendance/people/2?month=2026-03", "1 line"),
    ):
        assert f"{words} from T1 {MISSING}" in text_of(await browser.get(path)), path


@pytest_twisted.ensureDeferred
async def test_lines_of_before_the_period_and_of_other_areas_are_not_mentioned(rig: Rig) -> None:
    """A later period shows no such line, and an account of another area sees none."""
    await rig.exchange("T1")
    await punch(rig, line("1", "2026-03-01 08:00:00"), "1\tno time\n")
    south = await signed_in(rig, name="sue", areas=["South"])
    assert MISSING not in text_of(await south.get("/attendance"))
    mine = await signed_in(rig, name="ann", areas=["default"])
    assert f"1 line from T1 {MISSING}" in text_of(await mine.get("/attendance"))
    assert f"1 line from T1 {MISSING}" in text_of(await mine.get("/attendance?area=default"))
    assert MISSING not in text_of(await mine.get("/attendance?since=2026-03-02"))
    assert MISSING in text_of(await mine.get("/attendance?period=this-month"))


@pytest_twisted.ensureDeferred
async def test_lines_are_counted_and_not_what_is_set_aside_together(rig: Rig) -> None:
    """A whole body that is set aside has all its lines; the day of its arrival is said."""
    await rig.exchange("T1")
    body = b"1\tno time\n2\tnor this\n"
    reject = Reject("ATTLOG", "test", body)

    def add(tx: Transaction) -> None:
        device = tx[DeviceStore].find("T1")
        assert device is not None
        tx[RejectStore].add(device.id, [reject], rig.daemon.registry.now())

    await rig.store.write(add)
    browser = await signed_in(rig, "read")
    shown = text_of(await browser.get("/attendance"))
    assert f"2 lines from T1 {MISSING}" in shown
    assert "received on Sun 1 Mar 2026" in shown
    assert "there may be more" not in shown


@pytest_twisted.ensureDeferred
async def test_terminals_from_which_nothing_comes_are_named_where_it_matters(rig: Rig) -> None:
    """With the way to find out why; not for days before, other terminals and other areas."""
    for sn in ("T3", "T4", "T5"):
        await rig.exchange(sn)
    await rig.api("PATCH", "/devices/T3", {"state": "blocked"})
    await rig.exchange("T6")
    await rig.api("PATCH", "/devices/T6", {"alias": "Gate 6", "networks": ["203.0.113.0/24"]})
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    await rig.api("PUT", "/devices/T2", {})
    for number in (1, 3, 4, 5):
        await rig.api("PATCH", f"/devices/T{number}", {"alias": f"Gate {number}"})
    for seconds in (SILENT_AFTER // 1000 - 10, 10):
        rig.clock.advance(seconds)
        await rig.get("getrequest?SN=T4")
        await rig.get("getrequest?SN=T6")
    browser = await signed_in(rig, "read")
    shown = await browser.get("/attendance")
    words = text_of(shown)
    assert "Nothing has come from Gate 1 yet: its punches are missing." in words
    assert "T2 waits for approval: its punches are missing." in words
    assert "Gate 3 is blocked: its punches are missing." in words
    assert "Nothing has come from Gate 5 since " in words
    assert "Gate 4 is" not in words
    assert b'href="/console/terminals/T1/doctor"' in shown.body
    before = "since=2026-02-01&until=2026-02-28"
    refused = "The server refuses Gate 6: its punches are missing."
    past = text_of(await browser.get(f"/attendance?{before}"))
    assert refused in past
    assert past.count("are missing") == 1
    notes = sheets((await browser.get(f"/attendance/days.xlsx?{before}")).body)["Notes"]
    assert [refused] in notes
    now = sheets((await browser.get("/attendance/days.xlsx?period=this-month")).body)["Notes"]
    assert ["T2 waits for approval: its punches are missing."] in now
    assert [one for one in now if "Nothing has come from Gate 5 since 2026-" in one[0]]
    assert "are missing" not in text_of(await browser.get("/attendance?device=T4"))
    south = await signed_in(rig, "read", name="sue", areas=["South"])
    assert "are missing" not in text_of(await south.get("/attendance"))

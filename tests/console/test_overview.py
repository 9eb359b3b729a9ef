"""The start page: links from problems to the pages that mend them, and photos in the feed."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.handlers.forward.handler import DEAD_LETTERS, FAILING, STOPPED, UNUSABLE
from zkpush.manage.console.mending import mending_page
from zkpush.manage.views import ProblemView
from zkpush.persist.devices import DeviceStore
from zkpush.persist.transaction import Transaction
from zkpush.problems import ProblemCode, ServerProblem

from ..rig import Rig
from .browser import document, signed_in, text_of
from .test_attendance import JPEG, line, punch, rows
from .walk import pages_of


def problem(code: str, device: str | None, subject: str) -> ProblemView:
    """A problem as the overview shows it."""
    return ProblemView(
        device=device,
        subject=subject,
        code=code,
        code_meaning="",
        detail="",
        advice="",
        since_at="",
    )


@pytest_twisted.ensureDeferred
async def test_each_problem_of_a_terminal_leads_to_a_page(rig: Rig) -> None:
    """Each code has a page that exists, with the serial number encoded in it."""
    patterns = {page.path for page in pages_of(rig)}
    for code in ProblemCode:
        page = mending_page(problem(code, "A/1", "terminal A/1"))
        assert page is not None
        assert "%s" not in page.path
        path = page.path.split("?")[0].split("#")[0].replace("A%2F1", "<sn>")
        assert path in patterns, code
    for kind in (FAILING, STOPPED, UNUSABLE, DEAD_LETTERS):
        page = mending_page(problem(kind, None, "forwarder hr"))
        assert page is not None
        assert page.path in patterns


@pytest.mark.parametrize(
    ("code", "sn", "subject", "path"),
    [
        (ProblemCode.REMOVED_PERSON, "T1", "terminal T1", "/terminals/T1/people"),
        (ProblemCode.CONFLICT, None, "people", "/people/conflicts"),
        (ProblemCode.SPACE_LOW, None, "disk", None),
    ],
)
def test_a_problem_of_the_server_leads_to_the_page_of_its_subject(
    code: str, sn: str | None, subject: str, path: str | None
) -> None:
    """One about a terminal leads to that; without a page, the advice is all there is."""
    page = mending_page(problem(code, sn, subject))
    assert (None if page is None else page.path) == path


@pytest_twisted.ensureDeferred
async def test_a_photo_is_beside_its_punch_for_those_who_may_see_it(rig: Rig) -> None:
    """The feed shows the photo taken with a punch; without the scope there is none."""
    await rig.exchange("T1")
    await punch(rig, line("1", "2026-03-01 08:00:00"))
    head = f"PIN=20260301080000-1.jpg\nSN=T1\nsize={len(JPEG)}\nCMD=uploadphoto"
    await rig.post("cdata?SN=T1&table=ATTPHOTO&Stamp=1", head.encode() + b"\0" + JPEG)
    shown = document(await (await signed_in(rig)).get("/"))
    (picture,) = [one for one in shown.iter("img") if "photos" in one.attrib["src"]]
    assert picture.attrib["alt"]
    other = await (await signed_in(rig, "read", name="bob")).get("/")
    assert b"/attendance/photos/" not in other.body


@pytest_twisted.ensureDeferred
async def test_the_last_punches_have_the_time_of_the_visitor(rig: Rig) -> None:
    """A punch in another zone has the same time as on the page of attendance."""
    for sn, zone in (("T1", "UTC"), ("T2", "Asia/Tokyo")):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"timezone": zone})
        await rig.exchange(sn)
    await punch(rig, line("1", "2026-03-01 08:00:00"))
    await punch(rig, line("2", "2026-03-01 17:05:00"), sn="T2")
    browser = await signed_in(rig)
    await browser.get("/account")
    await browser.send("/account", "/account", {"language": "zh-Hans", "zone": "UTC"})
    shown = document(await browser.get("/"))
    feed = [one for one in shown.iter("ol") if "feed" in one.attrib.get("class", "")]
    assert ["".join(one.itertext()) for one in feed[0].iter("time")][::2] == ["08:05", "08:00"]
    dated = text_of(await browser.get("/attendance?since=2026-03-01&until=2026-03-02"))
    assert "2026年3月1日" in dated


@pytest_twisted.ensureDeferred
async def test_the_list_of_terminals_counts_the_problems_that_the_overview_shows(rig: Rig) -> None:
    """Also those that the server has with a terminal, which its filter finds."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    found = ServerProblem(
        code=ProblemCode.NOT_DISTRIBUTED,
        subject="terminal T1",
        sn="T1",
        detail="People are not there",
        since_at=1,
    )
    rig.daemon.problems.add_source(lambda: [found])
    browser = await signed_in(rig)
    assert "People are not there" in text_of(await browser.get("/"))
    shown = rows(await browser.get("/terminals"))
    assert ["1 problem" in row for row in shown] == [True, False]
    (only,) = rows(await browser.get("/terminals?state=problems"))
    assert "T1" in only


@pytest_twisted.ensureDeferred
async def test_tiles_lead_to_the_terminals_that_they_count(rig: Rig) -> None:
    """Those that are connected, and those that are not."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    rig.clock.advance(100)
    seen_at = rig.daemon.registry.now()

    def hear(tx: Transaction) -> None:
        device = tx[DeviceStore].find("T2")
        assert device is not None
        tx[DeviceStore].change(device.id, {"last_seen_at": seen_at})

    await rig.store.write(hear)
    browser = await signed_in(rig)
    tiles = document(await browser.get("/"))
    links = [
        one.attrib["href"].removeprefix("/console")
        for one in tiles.iter("a")
        if "terminals?state=" in one.attrib["href"]
    ]
    ((online,), (offline,)) = [rows(await browser.get(link)) for link in links[:2]]
    assert "T2" in online
    assert "T1" in offline


@pytest_twisted.ensureDeferred
async def test_areas_without_terminals_are_not_called_well(rig: Rig) -> None:
    """The page says that there is none, to a limited account and on an empty server."""
    browser = await signed_in(rig)
    assert "No terminal has connected yet." in text_of(await browser.get("/"))
    await rig.exchange("T1")
    await rig.api("PUT", "/areas/South", {})
    assert "The server and its terminals need nothing." in text_of(await browser.get("/"))
    south = await signed_in(rig, "read", name="sue", areas=["South"])
    shown = text_of(await south.get("/"))
    assert "There is no terminal in the areas of your account." in shown
    assert "The server and its terminals need nothing." not in shown

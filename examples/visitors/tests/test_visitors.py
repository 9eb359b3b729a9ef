"""Visitors are stored once, whichever way they come."""

from __future__ import annotations

from importlib.resources import files

import pytest_twisted
import sqlalchemy
from click.testing import CliRunner
from visitors.cli import visitors as word
from visitors.handler import VisitorHandler
from visitors.pages import pages
from visitors.services import VisitorRetention
from visitors.store import visitors
from visitors.tables import VISITOR

from zkpush.plugin.api import Page
from zkpush.plugin.capability import Capability
from zkpush.plugin.handler import EventStore
from zkpush.testing.contracts import RecordHandlerContract

VISITORS = Capability("visitors", "visitors", "Visitors of reception terminals")
FIRST = b"VISITOR PIN=7\tHost=12\tCompany=Example Ltd.\tArrived=2026-03-01 08:00:00"
SECOND = b"PIN=8\tHost=12\tArrived=2026-03-01 08:05:00"


class TestContract(RecordHandlerContract):
    """What zkpush expects of every record handler."""

    is_of_capability = True

    def make_handler(self):
        """The handler of this package."""
        return VisitorHandler()


def kept(tx):
    """The rows of the table."""
    query = sqlalchemy.select(visitors).order_by(visitors.c.arrived)
    return [tuple(row)[1:] for row in tx.connection.execute(query)]


async def with_visitors(make_rig, **settings):
    """A daemon with two visitors of a terminal."""
    rig = await make_rig(plugins=[VISITORS], **settings)
    await rig.exchange("R1")
    for body in (FIRST.removeprefix(b"VISITOR "), SECOND):
        await rig.post("cdata?SN=R1&table=VISITOR&Stamp=1", body)
    await rig.settle()
    return rig


@pytest_twisted.ensureDeferred
async def test_visitors_are_kept_with_their_terminal(make_rig) -> None:
    """Among other lines or by themselves; a line without a number is a reject."""
    rig = await make_rig(plugins=[VISITORS])
    await rig.exchange("R1")
    body = FIRST + b"\nVISITOR PIN=none\tArrived=2026-03-01 08:01:00"
    assert (await rig.post("cdata?SN=R1&table=OPERLOG&Stamp=1", body)).body == b"OK: 1"
    assert (await rig.post("cdata?SN=R1&table=VISITOR&Stamp=1", SECOND)).body == b"OK: 1"
    await rig.settle()
    assert await rig.store.read(kept) == [
        ("R1", "7", "2026-03-01 08:00:00", "12", "Example Ltd."),
        ("R1", "8", "2026-03-01 08:05:00", "12", None),
    ]
    (reject,) = await rig.items("/rejects")
    assert (reject["table"], reject["reason"][:4]) == (VISITOR.name, "PIN:")


@pytest_twisted.ensureDeferred
async def test_other_terminals_go_on_with_their_work(make_rig) -> None:
    """Punches of a simulated terminal are stored beside visitors."""
    rig = await make_rig(plugins=[VISITORS])
    terminal = rig.terminal("SIM1")
    await terminal.exchange()
    terminal.punch()
    await terminal.upload()
    await rig.exchange("R1")
    assert (await rig.post("cdata?SN=R1&table=OPERLOG&Stamp=1", FIRST)).body == b"OK: 1"
    await rig.settle()
    assert [punch["device"] for punch in await rig.items("/attendance")] == ["SIM1"]
    assert len(await rig.store.read(kept)) == 1


@pytest_twisted.ensureDeferred
async def test_the_api_lists_visitors(make_rig) -> None:
    """In pages, of one terminal or of all, and described with the other routes."""
    rig = await with_visitors(make_rig)
    assert [one["pin"] for one in await rig.items("/visitors")] == ["7", "8"]
    assert [one["pin"] for one in await rig.items("/visitors?limit=1")] == ["7"]
    assert len(await rig.items("/visitors?device=R1")) == 2
    described = (await rig.api("GET", "/openapi.json")).json
    assert any(path.endswith("/visitors") for path in described["paths"])


@pytest_twisted.ensureDeferred
async def test_an_arrival_is_an_event_once(make_rig) -> None:
    """A visitor who is sent again is no news."""
    rig = await with_visitors(make_rig)
    await rig.post("cdata?SN=R1&table=VISITOR&Stamp=1", SECOND)
    await rig.settle()
    found = await rig.store.read(lambda tx: tx[EventStore].page(Page(100)))
    assert [one.data for one in found if one.kind == "visitors.arrived"] == [
        {"device": "R1", "pin": "7", "host": "12"},
        {"device": "R1", "pin": "8", "host": "12"},
    ]
    unknown = await rig.api("GET", "/events?kinds=visitors.left")
    assert b"visitors.arrived" in unknown.body


@pytest_twisted.ensureDeferred
async def test_old_visitors_are_deleted_as_configured(make_rig) -> None:
    """A job deletes them at the start and each hour."""
    rig = await with_visitors(make_rig, visitors={"keep_days": 30})
    await rig.post("cdata?SN=R1&table=VISITOR&Stamp=1", b"PIN=9\tArrived=2025-01-31 08:00:00")
    await rig.settle()
    (job,) = (one for one in rig.daemon.jobs if isinstance(one, VisitorRetention))
    await job.run()
    assert [row[1] for row in await rig.store.read(kept)] == ["7", "8"]


@pytest_twisted.ensureDeferred
async def test_visitors_stay_without_a_setting(make_rig) -> None:
    """The metric counts them."""
    rig = await with_visitors(make_rig)
    (job,) = (one for one in rig.daemon.jobs if isinstance(one, VisitorRetention))
    await job.run()
    figures = await rig.api("GET", "/metrics", prefix="")
    assert b"zkpush_visitors_kept 2.0" in figures.body


def test_the_word_has_a_help() -> None:
    """It needs no daemon for it."""
    said = CliRunner().invoke(word, ["list", "--help"])
    assert said.exit_code == 0
    assert "List visitors of reception terminals." in said.output


def test_the_page_is_declared_and_its_template_is_there():
    """The console finds the page by the part, and the template beside it."""
    (page,) = pages(None)
    assert page.path == "/visitors"
    assert (files("visitors") / "templates" / "visitors.html").is_file()

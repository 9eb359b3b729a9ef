"""Visitors are stored once, whichever way they come."""

from __future__ import annotations

import pytest_twisted
import sqlalchemy
from visitors import VISITOR, VisitorHandler, visitors

from zkpush.testing.contracts import RecordHandlerContract

FIRST = b"VISITOR PIN=7\tHost=12\tCompany=Example Ltd.\tArrived=2026-03-01 08:00:00"
SECOND = b"PIN=8\tHost=12\tArrived=2026-03-01 08:05:00"


class TestContract(RecordHandlerContract):
    """What zkpush expects of every record handler."""

    def make_handler(self):
        """The handler of this package."""
        return VisitorHandler()


def kept(tx):
    """The rows of the table."""
    query = sqlalchemy.select(visitors).order_by(visitors.c.arrived)
    return [tuple(row) for row in tx.connection.execute(query)]


@pytest_twisted.ensureDeferred
async def test_visitors_are_kept_with_their_terminal(make_rig) -> None:
    """Among other lines or by themselves; a line without a number is a reject."""
    rig = await make_rig(plugins=[VisitorHandler()])
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
    rig = await make_rig(plugins=[VisitorHandler()])
    terminal = rig.terminal("SIM1")
    await terminal.exchange()
    terminal.punch()
    await terminal.upload()
    await rig.exchange("R1")
    assert (await rig.post("cdata?SN=R1&table=OPERLOG&Stamp=1", FIRST)).body == b"OK: 1"
    await rig.settle()
    assert [punch["device"] for punch in await rig.items("/attendance")] == ["SIM1"]
    assert len(await rig.store.read(kept)) == 1

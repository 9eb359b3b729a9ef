"""What a plugin stores later goes by the rules for what is stored at once."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import blockingCallFromThread
from zope.interface import implementer

from zkpush.interfaces import IRecordHandler
from zkpush.persist.inbox import InboxStore
from zkpush.persist.pluginconnection import PluginConnection
from zkpush.protocol.fields import Field, Layout, Table

from ..plugged import plug_in

TEMPLATE = base64.b64encode(bytes(range(256)) * 4).decode()
OPERLOG = "cdata?SN=T1&table=OPERLOG&Stamp=1"
RARE = Table(
    name="RARE",
    section="-",
    meaning="Lines for a handler of a package",
    layout=Layout.KEYED,
    keyword="RARE",
    key=("id",),
    fields=(Field(wire="Id", name="id", required=True, meaning="Any number"),),
)


@implementer(IRecordHandler)
class RareHandler:
    """Remembers its rows."""

    name = "rare"
    tables = (RARE,)
    changes_device = False

    def __init__(self) -> None:
        self.rows: list[tuple[object, ...]] = []
        self.is_robbed = False
        """Whether another process stores the items first."""

    def persist(self, tx, device, batch, now):
        self.rows += batch.rows
        if self.is_robbed:
            tx.connection.exec_driver_sql("DELETE FROM inbox")

    def stored(self, device, batch):
        """Do nothing."""


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> RareHandler:
    """A handler of another package, for the daemons of the test."""
    handler = RareHandler()
    plug_in(monkeypatch, IRecordHandler, handler)
    return handler


async def called(handler: RareHandler, count: int) -> None:
    """Wait until the handler has had some rows."""
    while len(handler.rows) < count:
        await deferLater(reactor, 0.01)


async def emptied(rig) -> None:
    """Wait until nothing is in the inbox."""
    while await rig.store.read(lambda tx: tx[InboxStore].states()):
        await deferLater(reactor, 0.01)


@pytest_twisted.ensureDeferred
async def test_a_plugin_is_given_no_template_where_none_are_kept(
    make_rig, tmp_path, handler: RareHandler
) -> None:
    """Neither in columns that are not declared, nor in rejects beyond those of the upload."""
    database = f"sqlite:///{tmp_path / 'db.sqlite'}"
    rig = await make_rig(database=database, privacy={"templates": False})
    await rig.exchange()
    lines = [f"RARE Id=1\tDept=Sales\tTMP={TEMPLATE}"]
    lines += [f"RARE Id=1\tId={number}\tTMP={TEMPLATE}" for number in range(110)]
    assert (await rig.post(OPERLOG, "\n".join(lines).encode())).status == 200
    await called(handler, 1)
    await emptied(rig)
    assert handler.rows == [("1", '{"Dept":"Sales"}', None)]
    rejects = await rig.items("/rejects?limit=500")
    assert {reject["table"] for reject in rejects} >= {"RARE"}
    assert not any(TEMPLATE[:8].encode() in base64.b64decode(one["raw"]) for one in rejects)


@pytest_twisted.ensureDeferred
async def test_a_handler_that_another_process_was_faster_than_is_not_late(
    make_rig, tmp_path, handler: RareHandler
) -> None:
    """It has returned, however long ago that was."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'db.sqlite'}")
    await rig.exchange()
    handler.is_robbed = True
    assert (await rig.post(OPERLOG, b"RARE Id=1")).body == b"OK: 1"
    await called(handler, 1)
    await rig.stop()  # the thread has ended
    worker = rig.daemon.inbox.worker(handler.name)
    assert worker.running is None
    rig.clock.advance(3600)
    assert worker.watch() is None
    assert rig.daemon.inbox.problems() == []


@pytest_twisted.ensureDeferred
async def test_a_handler_is_not_late_while_the_database_is_locked(
    make_rig, tmp_path, handler: RareHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time begins with its transaction: nothing is held against it before."""
    rigs = []
    locked, aborted = [], []
    run, abort = PluginConnection.run_thd, PluginConnection.abort_thd

    def run_late(self, unit):
        if not locked:
            locked.append(unit)
            blockingCallFromThread(reactor, rigs[0].clock.advance, 20)
        return run(self, unit)

    monkeypatch.setattr(PluginConnection, "run_thd", run_late)
    monkeypatch.setattr(PluginConnection, "abort_thd", lambda self: aborted.append(abort(self)))
    rigs.append(await make_rig(database=f"sqlite:///{tmp_path / 'db.sqlite'}"))
    await rigs[0].exchange()
    assert (await rigs[0].post(OPERLOG, b"RARE Id=1")).body == b"OK: 1"
    await emptied(rigs[0])
    assert (len(locked), aborted, len(handler.rows)) == (1, [], 1)

"""A failure of the database is not held against the plugin that was called when it failed."""

from __future__ import annotations

import pytest
import pytest_twisted
from sqlalchemy.exc import OperationalError
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import blockingCallFromThread
from zope.interface import implementer

from zkpush.device.pluginworker import LOCK_SECONDS, MOST_EXCUSED
from zkpush.interfaces import IRecordHandler
from zkpush.persist.inbox import InboxStore

from ..plugged import plug_in
from ..postgres import OwnServer
from .test_plugin_inbox import OPERLOG, RARE


@implementer(IRecordHandler)
class MeetsFailures:
    """Does in turn what a test wants, then writes nothing."""

    name = "meets"
    tables = (RARE,)
    changes_device = False

    def __init__(self) -> None:
        self.acts = []
        self.calls = 0

    def persist(self, tx, device, batch, now):
        self.calls += 1
        if self.acts:
            self.acts.pop(0)(tx)

    def stored(self, device, batch):
        """Do nothing."""


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> MeetsFailures:
    """A handler of another package, for the daemons of the test."""
    handler = MeetsFailures()
    plug_in(monkeypatch, IRecordHandler, handler)
    return handler


def fill_the_disk(tx) -> None:
    """Write more than the file may grow to."""
    pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar()
    tx.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    tx.connection.exec_driver_sql("CREATE TABLE much (x)")
    tx.connection.exec_driver_sql("INSERT INTO much VALUES (zeroblob(1000000))")


def misspell(tx) -> None:
    """Fail by a mistake of the plugin."""
    tx.connection.exec_driver_sql("SELEKT 1")


async def problems(rig) -> list[str]:
    """What is said of plugins."""
    return [one["code"] for one in await rig.items("/problems") if "plugin" in one["code"]]


async def a_moment(rig) -> None:
    """Let a moment pass, unless a call goes on: its time on this clock is short.

    A call that begins just before is not late either.
    """
    if rig.daemon.inbox.worker(MeetsFailures.name).running is None:
        rig.clock.advance(0.9 * LOCK_SECONDS[0])
    await deferLater(reactor, 0.01)


async def called(rig, handler: MeetsFailures, count: int) -> None:
    """Turn the clock until the handler was called so many times."""
    while handler.calls < count:
        await a_moment(rig)


async def states(rig):
    """What waits for the plugin."""
    return await rig.store.read(lambda tx: tx[InboxStore].states())


async def emptied(rig) -> None:
    """Turn the clock until nothing waits."""
    while await states(rig):
        await a_moment(rig)


def tries(rig):
    """How often each item counts as tried."""
    query = "SELECT tries, isolated, error FROM inbox ORDER BY id"
    return rig.store.read(lambda tx: tx.connection.exec_driver_sql(query).all())


@pytest_twisted.ensureDeferred
async def test_a_full_disk_is_not_the_plugin_s_fault(make_rig, tmp_path, handler) -> None:
    """Its lines are stored once there is room, and were not tried, as far as anybody can tell."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'db.sqlite'}")
    await rig.exchange()
    handler.acts = [fill_the_disk] * MOST_EXCUSED
    assert (await rig.post(OPERLOG, b"RARE Id=1")).body == b"OK: 1"
    await called(rig, handler, 1)
    while (found := await tries(rig)) and found[0].error == "no result":  # it is claimed
        await deferLater(reactor, 0.01)
    assert [tuple(row) for row in found] == [(0, 0, None)]
    assert await problems(rig) == []
    await emptied(rig)
    assert handler.calls == MOST_EXCUSED + 1


@pytest_twisted.ensureDeferred
async def test_a_plugin_is_to_blame_where_only_it_meets_failures(
    make_rig, tmp_path, handler
) -> None:
    """One whose calls always end like that, while all others can use the database, is failing."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'db.sqlite'}")
    await rig.exchange()
    handler.acts = [fill_the_disk] * (MOST_EXCUSED + 1)
    await rig.post(OPERLOG, b"RARE Id=1")
    await called(rig, handler, MOST_EXCUSED + 1)
    while await problems(rig) != ["plugin failing"]:
        await deferLater(reactor, 0.01)
    await emptied(rig)


@pytest_twisted.ensureDeferred
async def test_a_mistake_of_a_plugin_is_its_own(make_rig, tmp_path, handler) -> None:
    """SQL that is wrong is an error of the database, too, and no failure of it."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'db.sqlite'}")
    await rig.exchange()
    handler.acts = [misspell]
    await rig.post(OPERLOG, b"RARE Id=1")
    while await problems(rig) != ["plugin failing"]:
        await deferLater(reactor, 0.01)
    assert [tuple(row) for row in await tries(rig)] == [(1, 0, OperationalError.__name__)]
    await emptied(rig)


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_restart_of_the_server_is_not_the_plugin_s_fault(
    make_rig, own_postgres: OwnServer, handler
) -> None:
    """PostgreSQL goes down in the middle of a call: the lines wait, and nobody is blamed."""
    rig = await make_rig(database=own_postgres.url)
    await rig.exchange()

    def go_down(tx) -> None:
        blockingCallFromThread(reactor, own_postgres.stop)
        tx.connection.exec_driver_sql("SELECT 1")

    handler.acts = [go_down]
    assert (await rig.post(OPERLOG, b"RARE Id=1")).body == b"OK: 1"
    await called(rig, handler, 1)
    worker = rig.daemon.inbox.worker(handler.name)
    while worker.running is not None:
        await deferLater(reactor, 0.01)
    for _ in range(10):  # the plugin's inbox is looked at while there is no server
        rig.clock.advance(0.5)
        await deferLater(reactor, 0.02)
    own_postgres.start()
    await emptied(rig)
    assert handler.calls == 2
    assert await problems(rig) == []
    assert rig.daemon.inbox.failure("record handler", "meets") is None

"""Contract of record handlers."""

from __future__ import annotations

import pathlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import pytest
import pytest_twisted
import sqlalchemy
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from ...interfaces import IBringsTables, INamesPictures
from ...model import Device, DeviceState
from ...persist import schema
from ...persist.devices import DeviceStore
from ...persist.inbox import InboxStore
from ...persist.transaction import Transaction, TransactionEnded
from ...plugincheck import plugin_faults
from ...pluginkinds import RECORD_HANDLERS
from ...protocol.dialect import Dialect
from ...protocol.packets import PacketLimits
from ...protocol.records import Batch
from ...protocol.uploads import UploadDecoder
from ...tablecheck import example_upload
from ..clock import NOON
from ..databases import copying_stores
from ..rig import IN_MEMORY, KEY, Rig
from .substitute import Substitute, substitute

Contents = Mapping[str, Sequence[str]]
"""Rows of each table."""
_MANY_TURNS = 1_000
_TURN_SECONDS = 0.01
_RETRY_SECONDS = 30
"""Seconds on the clock of the daemon: many times the pause after a first failure."""
_LATER = 3_600_000
_NO_PICTURE = "0" * 64


class RecordHandlerContract:
    """Contract of a record handler: it stores each line once, in the given transaction.

    The lines are the `examples` of its tables; without examples the suite fails.
    """

    is_of_capability = False
    """Whether the handler is in `HANDLERS` of a capability, so that Twisted need not find it."""

    def make_handler(self) -> Any:
        """Make the handler."""
        raise NotImplementedError("say how the handler is made")

    def contents(self, tx: Transaction) -> Contents:
        """Return the content of the database. Override to omit changing parts, such as counters."""
        names = sqlalchemy.inspect(tx.connection).get_table_names()
        return {
            name: [
                repr(row)
                for row in tx.connection.execute(
                    sqlalchemy.select(sqlalchemy.text("*")).select_from(sqlalchemy.table(name))
                )
            ]
            for name in sorted(names)
        }

    # pytest_twisted has no types.
    @pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
    async def stage(self) -> AsyncIterator[_Stage]:
        """A handler with an empty store."""
        stage = _Stage(self)
        yield await stage.start()
        await stage.store.stop()

    def test_it_is_a_sound_plugin(self) -> None:
        """It provides its interfaces, and its tables read their own examples."""
        assert (
            plugin_faults(
                RECORD_HANDLERS, self.make_handler(), is_of_capability=self.is_of_capability
            )
            == []
        )

    def test_each_table_has_an_example(self) -> None:
        """Each table has an example, without which the other tests prove nothing."""
        assert [one.name for one in self.make_handler().tables if not one.examples] == []

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_lines_are_stored(self, stage: _Stage) -> None:
        """The examples change what the database holds."""
        before = await stage.store.read(self.contents)
        await stage.persist()
        assert await stage.store.read(self.contents) != before

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_the_same_lines_again_change_nothing(self, stage: _Stage) -> None:
        """Lines that a terminal sends again, an hour later for example, change nothing."""
        await stage.persist()
        stored = await stage.store.read(self.contents)
        await stage.persist(_LATER)
        assert await stage.store.read(self.contents) == stored

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_lines_may_come_one_by_one(self, stage: _Stage) -> None:
        """The division of lines into uploads makes no difference."""
        other = await _Stage(self).start()
        await stage.persist()
        for batch in other.batches():
            for row in batch.rows:
                await other.persist(batches=[Batch(batch.table, [row], [])])
        together, apart = [await one.store.read(self.contents) for one in (stage, other)]
        await other.store.stop()
        assert _own(apart) == _own(together)

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_a_transaction_that_is_rolled_back_leaves_nothing(self, stage: _Stage) -> None:
        """The handler commits nothing itself, and stores lines again after a rollback."""
        before = await stage.store.read(self.contents)

        def unit(tx: Transaction) -> None:
            stage.persist_in(tx)
            raise RuntimeError("rolled back by the contract")

        with pytest.raises(RuntimeError, match="rolled back by the contract"):
            await stage.run(unit)
        assert await stage.store.read(self.contents) == before
        await stage.persist()
        assert await stage.store.read(self.contents) != before

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_it_does_not_end_its_transaction(self, stage: _Stage) -> None:
        """The handler neither commits nor rolls back; zkpush does so afterwards."""
        try:
            await stage.persist()
        except TransactionEnded as ended:
            raise AssertionError(
                "persist ended its transaction; it must neither commit nor roll back"
            ) from ended

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_tables_are_made_once(self, stage: _Stage) -> None:
        """`prepare` runs at every start, and changes nothing after the first."""
        if not IBringsTables.providedBy(stage.handler):
            pytest.skip("the handler brings no tables")
        await stage.persist()
        stored = await stage.store.read(self.contents)
        await stage.run(stage.handler.prepare)
        assert await stage.store.read(self.contents) == stored

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_only_its_own_pictures_are_named(self, stage: _Stage) -> None:
        """The handler does not name a picture without a row of its own."""
        if not INamesPictures.providedBy(stage.handler):
            pytest.skip("the handler names no pictures")
        await stage.persist()
        keys = frozenset({_NO_PICTURE})
        assert not await stage.store.read(
            lambda tx: set(stage.handler.pictures_named(tx, keys)) & keys
        )

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_a_daemon_stores_what_it_acknowledges(self, tmp_path: pathlib.Path) -> None:
        """Each example is acknowledged and stored by the handler, without a reject."""
        handler = self.make_handler()
        rig = await Rig(tmp_path, plugins=[handler]).start()
        try:
            await rig.exchange("T1")
            await _upload(rig, handler)
            await rig.settle()
            assert await rig.items("/rejects") == []
            (plugin,) = (
                one
                for one in await rig.items("/plugins")
                if (one["kind"], one["name"]) == (RECORD_HANDLERS.title, handler.name)
            )
            assert (plugin["state"], plugin["waiting"]) == ("ok", 0)
        finally:
            await rig.stop()

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_lines_of_a_failed_call_are_kept(self, tmp_path: pathlib.Path) -> None:
        """If `persist` raises at its end, nothing is stored, and the lines are passed again."""
        handler = substitute(self.make_handler(), _Failing)
        rig = await Rig(tmp_path, plugins=[handler]).start()
        try:
            before = await rig.store.read(self.contents)
            await rig.exchange("T1")
            await _upload(rig, handler)
            await _until_called(handler)
            assert _own(await rig.store.read(self.contents)) == _own(before)
            assert await rig.store.read(lambda tx: tx[InboxStore].states())
            handler.fails = False
            for _ in range(_RETRY_SECONDS):
                if not await rig.store.read(lambda tx: tx[InboxStore].states()):
                    break
                rig.clock.advance(1)
                await deferLater(reactor, _TURN_SECONDS)
            else:
                raise AssertionError("the lines were not stored when they came again")
        finally:
            await rig.stop()


class _Stage:
    """A handler, an empty store in memory, and a terminal."""

    def __init__(self, contract: RecordHandlerContract) -> None:
        self.handler = contract.make_handler()
        own_reactor: Any = reactor
        self.store = copying_stores().open(IN_MEMORY, KEY, own_reactor)

    async def start(self) -> _Stage:
        """Open the store, with the tables of the handler."""
        self.store.start([self.handler] if IBringsTables.providedBy(self.handler) else [])
        assert list(self.store.unprepared) == []
        self.device: Device = await self.store.write(
            lambda tx: tx[DeviceStore].add("T1", DeviceState.APPROVED, "UTC", 1000 * NOON)
        )
        return self

    def batches(self) -> list[Batch]:
        """Return the decoded examples."""
        decoder = UploadDecoder(self.handler.tables, PacketLimits())
        return [
            Batch(batch.table, batch.rows, [])
            for table in self.handler.tables
            for line in table.examples
            for batch in decoder.decode(example_upload(table, line), Dialect()).batches
        ]

    def persist_in(
        self, tx: Transaction, after: int = 0, batches: Sequence[Batch] | None = None
    ) -> None:
        """Make the handler store batches, by default the examples, some milliseconds after noon."""
        for batch in self.batches() if batches is None else batches:
            self.handler.persist(tx, self.device, batch, 1000 * NOON + after)

    async def persist(self, after: int = 0, batches: Sequence[Batch] | None = None) -> None:
        """Make the handler store batches in a transaction; see `persist_in`."""
        await self.run(lambda tx: self.persist_in(tx, after, batches))

    async def run(self, unit: Callable[[Transaction], None]) -> None:
        """Run a unit of work as handlers do: on a thread, in a transaction of its own."""

        def run_thd() -> None:
            connection = self.store.connection()
            try:
                connection.run_thd(unit)
            finally:
                connection.close_thd()

        await deferToThread(run_thd)


class _Failing(Substitute):
    """A handler whose `persist` raises after its work while `fails` is set."""

    fails = True
    calls = 0

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Do the handler's work, then fail."""
        self.plugin.persist(tx, device, batch, now)
        self.calls += 1
        if self.fails:
            raise RuntimeError("failed by the contract")


async def _until_called(handler: Any) -> None:
    for _ in range(_MANY_TURNS):
        if handler.calls:
            # Its transaction is rolled back on its thread a moment later.
            await deferLater(reactor, _TURN_SECONDS)
            return
        await deferLater(reactor, _TURN_SECONDS)
    raise AssertionError("the handler was not called")


async def _upload(rig: Rig, handler: Any) -> None:
    """Send all examples, each in an upload of its own."""
    for table in handler.tables:
        for line in table.examples:
            upload = example_upload(table, line)
            reply = await rig.post(f"cdata?SN=T1&table={upload.table}&Stamp=1", upload.body)
            assert (reply.status, reply.body) == (200, b"OK: 1"), line


def _own(contents: Contents) -> Contents:
    """Select the tables that do not belong to zkpush."""
    ours = {*schema.metadata.tables, "alembic_version"}
    return {name: rows for name, rows in contents.items() if name not in ours}

"""Contract of stores: units of work are committed completely, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import gatherResults
from twisted.internet.threads import deferToThread
from zope.interface.verify import verifyObject

from ...interfaces import IPluginConnection, IStore, StoreError
from ...model import Device, DeviceState
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction


def _add(tx: Transaction, sn: str) -> Device:
    return tx[DeviceStore].add(sn, DeviceState.APPROVED, "UTC", 1000)


class StoreContract:
    """Contract of a store; `make_store` makes an empty one, which is not started."""

    def make_store(self, request: pytest.FixtureRequest) -> Any:
        """Make an empty store."""
        raise NotImplementedError("say how the store is made")

    # pytest_twisted has no types.
    @pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
    async def empty_store(self, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
        """An empty, started store."""
        store = self.make_store(request)
        store.start()
        yield store
        await store.stop()

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_a_store_provides_its_interface(self, empty_store: Any) -> None:
        """The store provides `IStore`."""
        verifyObject(IStore, empty_store)
        verifyObject(IPluginConnection, empty_store.connection())

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_a_unit_that_fails_is_rolled_back_alone(self, empty_store: Any) -> None:
        """A failed unit is rolled back alone, and re-raises; the other units are stored."""

        def bad(tx: Transaction) -> None:
            _add(tx, "BAD")
            raise ZeroDivisionError("poison")

        units = (lambda tx: _add(tx, "T1").sn, bad, lambda tx: _add(tx, "T2").sn)
        outcomes = await gatherResults(
            [
                empty_store.write(unit).addErrback(lambda failure: failure.type.__name__)
                for unit in units
            ]
        )
        assert outcomes == ["T1", "ZeroDivisionError", "T2"]
        found = [
            await empty_store.read(lambda tx, sn=sn: tx[DeviceStore].find(sn) is not None)
            for sn in ("T1", "BAD", "T2")
        ]
        assert found == [True, False, True]

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_a_query_sees_what_was_committed(self, empty_store: Any) -> None:
        """A later query sees every committed unit."""
        for number in range(10):
            await empty_store.write(lambda tx, sn=f"T{number}": _add(tx, sn))
            sn = f"T{number}"
            assert await empty_store.read(lambda tx, sn=sn: tx[DeviceStore].find(sn).sn) == sn

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_a_database_error_is_a_store_error(self, empty_store: Any) -> None:
        """A driver error becomes a StoreError without the parameters, which may be secret."""

        def unit(tx: Transaction) -> None:
            tx.connection.exec_driver_sql("SELECT * FROM no_such_table_secret42")

        with pytest.raises(StoreError, match="no_such_table"):
            await empty_store.write(unit)
        with pytest.raises(StoreError):
            await empty_store.read(unit)

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_stopping_commits_what_was_handed_in(
        self, request: pytest.FixtureRequest
    ) -> None:
        """Pending units are committed before the store closes; later ones are refused."""
        store = self.make_store(request)
        counts = store.counts()
        assert (counts["units"], counts["commits"], counts["pending"]) == (0, 0, 0)
        store.start()
        waiting = [store.write(lambda tx, n=n: _add(tx, f"T{n}")) for n in range(20)]
        await store.stop()
        added = await gatherResults(waiting)
        assert {device.sn for device in added} == {f"T{n}" for n in range(20)}
        with pytest.raises(StoreError):
            await store.write(lambda tx: None)
        await store.stop()

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_a_plugin_has_transactions_of_its_own(self, empty_store: Any) -> None:
        """A plugin's transaction is committed when it returns, and rolled back when it raises."""
        connection = empty_store.connection()

        def bad(tx: Transaction) -> None:
            _add(tx, "BAD")
            raise ZeroDivisionError("poison")

        def run() -> None:
            connection.run_thd(lambda tx: _add(tx, "T1"))
            with pytest.raises(ZeroDivisionError):
                connection.run_thd(bad)
            connection.close_thd()

        await deferToThread(run)
        assert await empty_store.read(lambda tx: tx[DeviceStore].find("T1")) is not None
        assert await empty_store.read(lambda tx: tx[DeviceStore].find("BAD")) is None

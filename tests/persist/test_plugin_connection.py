"""The connection of a plugin, whose transaction another thread may end."""

from __future__ import annotations

import pathlib
import threading

import pytest
import pytest_twisted
from sqlalchemy.exc import DatabaseError
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from zkpush.persist.sqlite import SQLiteStores

from ..keys import KEY

ROUNDS = 40
BUSY = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
    "SELECT count(*) FROM n"
)


@pytest_twisted.ensureDeferred
async def test_an_abort_ends_a_unit_that_runs_one_statement_after_the_other(
    tmp_path: pathlib.Path,
) -> None:
    """Its next statement fails, others may write at once, and the process lives on."""
    store = SQLiteStores().open(f"sqlite:///{tmp_path / 'store.sqlite'}", KEY, reactor)
    store.start()
    try:
        for _ in range(ROUNDS):
            connection, begun = store.connection(), threading.Event()

            def unit(tx, begun=begun) -> None:
                while True:
                    tx.connection.exec_driver_sql(BUSY)
                    begun.set()

            running = deferToThread(connection.run_thd, unit)
            assert await deferToThread(begun.wait, 20)
            await deferToThread(connection.abort_thd)
            with pytest.raises(DatabaseError):
                await running
            await store.write(lambda tx: None)
            connection.close_thd()
    finally:
        await store.stop()

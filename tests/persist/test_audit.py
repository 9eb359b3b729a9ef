"""The audit log in the store: on every database."""

from __future__ import annotations

import pytest
import pytest_twisted
from sqlalchemy import text
from twisted.internet.defer import gatherResults

from zkpush.interfaces import StoreError
from zkpush.model import Page
from zkpush.persist.audit import AuditStore
from zkpush.values.audit import AuditRecord

from .contract import EVERYTHING, NOW, in_file, in_memory, on_postgresql, with_store

CHANGES = (
    "UPDATE audit SET actor = 'nobody'",
    "UPDATE audit SET id = id + 1 WHERE id = 1",
    "DELETE FROM audit WHERE id = 1",
    "DELETE FROM audit",
)
OF_SQLITE = (
    "INSERT OR REPLACE INTO audit (id, at, actor, action, subject) VALUES (1, 0, 'x', 'x', 'x')",
    "UPDATE OR REPLACE audit SET id = 1 WHERE id = 2",
)
OF_POSTGRESQL = (
    "TRUNCATE audit",
    "INSERT INTO audit (id, at, actor, action, subject) VALUES (1, 0, 'x', 'x', 'x') "
    "ON CONFLICT (id) DO UPDATE SET actor = 'nobody'",
)


def recorded(tx) -> None:
    """A unit that records what three callers did."""
    tx[AuditStore].add("token hr", "change terminal", "terminal T1", None, NOW)
    tx[AuditStore].add("token it", "change terminal", "terminal T2", "alias=Gate", NOW + 1)
    tx[AuditStore].add("token hr", "remove file", "file 3", None, NOW + 2)


def make_audit_tests(factory, more):
    """The tests of the audit log; `more` are ways to change it on that database."""

    class AuditTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_records_are_listed_in_order(self, store) -> None:
            """With everything that was recorded, part by part."""
            await store.write(recorded)
            first = await store.read(lambda tx: tx[AuditStore].page(Page(2)))
            rest = await store.read(lambda tx: tx[AuditStore].page(Page(2, first[-1].id)))
            assert first[1] == AuditRecord(
                id=2,
                at=NOW + 1,
                actor="token it",
                action="change terminal",
                subject="terminal T2",
                detail="alias=Gate",
            )
            assert [record.subject for record in rest] == ["file 3"]

        @pytest.mark.parametrize(
            ("wanted", "ids"),
            [
                ({"actor": "token hr"}, [1, 3]),
                ({"action": "change terminal"}, [1, 2]),
                ({"actor": "token hr", "action": "change terminal"}, [1]),
                ({"since": NOW + 1}, [2, 3]),
                ({"until": NOW + 1}, [1]),
                ({"since": NOW + 1, "until": NOW + 2}, [2]),
                ({"actor": "token"}, []),
            ],
        )
        @pytest_twisted.ensureDeferred
        async def test_records_are_chosen(self, store, wanted, ids) -> None:
            """By who did it, what it was, and when."""
            await store.write(recorded)
            found = await store.read(lambda tx: tx[AuditStore].page(EVERYTHING, **wanted))
            assert [record.id for record in found] == ids

        @pytest.mark.parametrize("statement", [*CHANGES, *more])
        @pytest_twisted.ensureDeferred
        async def test_the_database_refuses_to_change_it(self, store, statement) -> None:
            """Whoever tries, and in whatever way: nothing of it is changed or dropped."""
            await store.write(recorded)
            before = await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))
            with pytest.raises(StoreError, match="append-only"):
                await store.write(lambda tx: tx.connection.execute(text(statement)))
            assert await store.read(lambda tx: tx[AuditStore].page(EVERYTHING)) == before
            await store.write(recorded)
            assert len(await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))) == 6

        @pytest_twisted.ensureDeferred
        async def test_what_is_rolled_back_is_not_recorded(self, store) -> None:
            """Who did nothing did nothing; its neighbours in the same commit are recorded."""

            def fail(tx):
                tx[AuditStore].add("token hr", "fail", "x", None, NOW)
                raise RuntimeError

            done = [store.write(recorded), store.write(fail), store.write(recorded)]
            with pytest.raises(RuntimeError):
                await done[1]
            await gatherResults([done[0], done[2]])
            found = await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))
            assert [record.action for record in found].count("fail") == 0
            assert len(found) == 6

        @pytest_twisted.ensureDeferred
        async def test_any_text_is_recorded(self, store) -> None:
            """A NUL, which a database may not hold, is marked."""
            await store.write(
                lambda tx: tx[AuditStore].add("a\0", "ü€", "\U0001f512", "'\";--\n", NOW)
            )
            (found,) = await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))
            assert (found.actor, found.action) == ("a\ufffd", "ü€")
            assert (found.subject, found.detail) == ("\U0001f512", "'\";--\n")

    return AuditTests


class TestSQLiteInMemory(make_audit_tests(in_memory, OF_SQLITE)):
    """SQLite in memory."""


class TestSQLiteFile(make_audit_tests(in_file, OF_SQLITE)):
    """SQLite in a file."""


class TestPostgreSQL(make_audit_tests(on_postgresql, OF_POSTGRESQL)):
    """PostgreSQL."""


@pytest.mark.parametrize("factory", [in_file, on_postgresql])
@pytest_twisted.ensureDeferred
async def test_whoever_reads_on_misses_nothing(request, factory) -> None:
    """Ids ascend in the order of the commits, also where several nodes write at once."""
    stores = [factory(request), factory(request)]
    for store in stores:
        store.start()
    rounds, seen, after = 40, [], 0
    writing = [store.write(recorded) for _ in range(rounds) for store in stores]
    for _ in range(1000):
        page = await stores[0].read(lambda tx: tx[AuditStore].page(Page(7, after)))  # noqa: B023
        seen += [record.id for record in page]
        after = seen[-1] if seen else 0
        if len(seen) == 6 * rounds:
            break
    await gatherResults(writing)
    everything = await stores[1].read(lambda tx: tx[AuditStore].page(EVERYTHING))
    assert seen == [record.id for record in everything]
    assert len(seen) == 6 * rounds
    for store in stores:
        await store.stop()

"""Groups of units: one that fails does so alone, on every database."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.defer import DeferredList

from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.interfaces import StoreError
from zkpush.model import DeviceState, Page
from zkpush.persist.audit import AuditStore
from zkpush.persist.devices import DeviceStore
from zkpush.persist.events import EventStore
from zkpush.persist.rejects import RejectStore
from zkpush.persist.transaction import TransactionEnded
from zkpush.protocol.records import Reject

from .contract import NOW, UTC, in_file, on_postgresql, punches, rows, with_store


def punch(device, pin: int):
    """A unit with one attendance record."""
    body = b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin
    return lambda tx: tx[AttendanceInserts].add(device.id, rows(body), UTC, NOW)


def driver_of(tx):
    """The connection below SQLAlchemy's."""
    return tx.connection.connection.driver_connection


def commit(tx):
    """Commit, through SQLAlchemy."""
    tx.connection.commit()


def roll_back(tx):
    """Roll back, through SQLAlchemy."""
    tx.connection.rollback()


def commit_below(tx):
    """Commit, through the driver."""
    driver_of(tx).commit()


def roll_back_below(tx):
    """Roll back, through the driver."""
    driver_of(tx).rollback()


def commit_in_sql(tx):
    """Commit by a statement of the driver."""
    driver_of(tx).execute("COMMIT")


def commit_in_sqlalchemy(tx):
    """Commit by a statement of SQLAlchemy."""
    tx.connection.exec_driver_sql("COMMIT")


def commit_and_begin(tx):
    """Leave another transaction behind."""
    driver_of(tx).commit()
    driver_of(tx).execute("BEGIN")


def commit_and_work(tx):
    """Go on in another transaction."""
    tx.connection.commit()
    tx.connection.exec_driver_sql("UPDATE devices SET alias = 'mine'")


def roll_back_and_raise(tx):
    """Roll back, and fail."""
    tx.connection.rollback()
    raise KeyError("and more")


def close(tx):
    """Close the connection."""
    tx.connection.close()


def close_below(tx):
    """Close the driver's connection."""
    driver_of(tx).close()


def close_and_use(tx):
    """Use a connection that is closed."""
    driver_of(tx).close()
    tx.connection.exec_driver_sql("SELECT 1")


def invalidate(tx):
    """Let SQLAlchemy take another connection."""
    tx.connection.invalidate()


ENDINGS = [
    commit,
    roll_back,
    commit_below,
    roll_back_below,
    commit_in_sql,
    commit_in_sqlalchemy,
    commit_and_begin,
    commit_and_work,
    roll_back_and_raise,
    close,
    close_below,
    close_and_use,
    invalidate,
]


def fail_with(error):
    """A handler that raises."""

    def work(*_):
        raise error

    return work


async def outcomes_of(store, *units, risky: bool = False):
    """What came of units that were handed in together: a result, or an error."""
    done = [store.write(unit, risky) for unit in units]
    listed = await DeferredList(done, consumeErrors=True)
    return [outcome if is_done else outcome.value for is_done, outcome in listed]


def make_group_tests(factory):
    """The tests of groups; `factory` makes an empty store."""

    class GroupTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_the_units_beside_one_that_fails_share_one_commit(
            self, store, device
        ) -> None:
            """A group is run twice at most, however many units it has; the guilty one fails."""
            runs = []

            def counted(pin):
                unit = punch(device, pin)
                return lambda tx: (runs.append(pin), unit(tx))

            commits = store.writer.commits
            units = [counted(pin) for pin in range(1, 20)]
            units.insert(9, fail_with(KeyError("poison")))
            outcomes = await outcomes_of(store, *units)
            assert [type(one) for one in outcomes if isinstance(one, Exception)] == [KeyError]
            assert store.writer.commits == commits + 1
            assert max(runs.count(pin) for pin in range(1, 20)) == 2
            found = await store.read(punches)
            assert [item.pin for item in found] == [str(pin) for pin in range(1, 20)]

        @pytest_twisted.ensureDeferred
        async def test_events_of_a_unit_that_fails_are_not_told(self, store, device) -> None:
            """What waits for the end of a group is undone with the unit that it is of."""

            def poison(tx):
                tx[EventStore].add("device", {"of": "poison"})
                tx[AuditStore].add("operator", "look", "poison", None, NOW)
                raise KeyError("poison")

            def good(tx):
                tx[EventStore].add("device", {"of": "good"})

            before = await store.read(lambda tx: tx[EventStore].last())
            await outcomes_of(store, good, poison, good)
            told = await store.read(lambda tx: tx[EventStore].page(Page(10, before)))
            assert [event.data for event in told] == [{"of": "good"}] * 2
            audited = await store.read(lambda tx: tx[AuditStore].page(Page(1000)))
            assert "poison" not in [entry.subject for entry in audited]

        @pytest.mark.parametrize("trusted", [True, False])
        @pytest.mark.parametrize(
            "error", [KeyError("poison"), SystemExit(1), MemoryError(), KeyboardInterrupt()]
        )
        @pytest_twisted.ensureDeferred
        async def test_a_handler_that_raises_is_undone_without_its_unit(
            self, store, device, error, trusted
        ) -> None:
            """The unit learns of it, and its other handlers and units are stored."""

            def bad(tx):
                punch(device, 7)(tx)
                tx[EventStore].add("device", {"of": "bad"})
                raise error

            def unit(tx):
                assert tx.attempt("good", True, punch(device, 1), tx) is None
                failed = tx.attempt("bad", trusted, bad, tx)
                tx[RejectStore].add(device.id, [Reject("T", "the handler failed", b"line")], NOW)
                return failed

            outcomes = await outcomes_of(store, punch(device, 2), unit, risky=not trusted)
            assert outcomes == [None, error]
            found = await store.read(punches)
            assert sorted(item.pin for item in found) == ["1", "2"]

        @pytest_twisted.ensureDeferred
        async def test_a_trusted_handler_of_a_database_that_fails_fails_its_unit(
            self, store, device
        ) -> None:
            """What is not the fault of a handler is no reason to store its upload without it."""

            def bad(tx):
                raise StoreError("there is no room")

            def unit(tx):
                tx.attempt("bad", True, bad, tx)

            (outcome,) = await outcomes_of(store, unit)
            assert str(outcome) == "there is no room"

        @pytest.mark.parametrize("ending", ENDINGS)
        @pytest_twisted.ensureDeferred
        async def test_a_handler_that_ends_the_transaction_is_left_out(
            self, store, device, ending
        ) -> None:
            """It is noticed before anybody is told of success; all others are stored, and once."""
            calls = []

            def bad(tx):
                calls.append(1)
                tx.connection.exec_driver_sql("SELECT 1")  # SQLAlchemy begins a transaction
                ending(tx)

            def unit(pin):
                def run(tx):
                    punch(device, pin)(tx)
                    failed = tx.attempt("bad", False, bad, tx)
                    punch(device, 10 + pin)(tx)
                    return failed

                return run

            outcomes = await outcomes_of(store, *[unit(pin) for pin in (1, 2, 3)], risky=True)
            assert [type(one) for one in outcomes] == [TransactionEnded] * 3
            assert len(calls) <= 2
            found = await store.read(punches)
            assert sorted(int(item.pin) for item in found) == [1, 2, 3, 11, 12, 13]
            assert await outcomes_of(store, punch(device, 4)) == [None]

        @pytest_twisted.ensureDeferred
        async def test_a_unit_that_needs_a_handler_that_is_left_out_fails_alone(
            self, store, device
        ) -> None:
            """It raises the error of that handler again, and is not run over and over."""
            calls = []

            def needs(tx):
                calls.append(1)
                raise tx.attempt("bad", False, commit_below, tx)

            outcomes = await outcomes_of(store, needs, punch(device, 1), risky=True)
            assert [type(one) for one in outcomes] == [TransactionEnded, type(None)]
            assert len(calls) <= 3
            assert [item.pin for item in await store.read(punches)] == ["1"]

        @pytest_twisted.ensureDeferred
        async def test_what_is_risky_shares_no_commit_with_anything_else(
            self, store, device
        ) -> None:
            """A unit that must not be done twice is not in reach of a handler that commits."""
            runs = []
            add = lambda tx: runs.append(tx[EventStore].add("device", {}))  # noqa: E731
            risky = lambda tx: tx.attempt("bad", False, commit, tx)  # noqa: E731
            before = await store.read(lambda tx: tx[EventStore].last())
            listed = await DeferredList([store.write(add), store.write(risky, True)])
            assert [is_done for is_done, _ in listed] == [True, True]
            assert len(runs) == 1
            assert await store.read(lambda tx: tx[EventStore].last()) == before + 1

        @pytest_twisted.ensureDeferred
        async def test_units_that_break_their_transaction_fail(self, store, device) -> None:
            """Of our own code, too: each is left out, and after some of them the rest fails."""
            units = [punch(device, 1), *[close_below] * 2, punch(device, 2)]
            outcomes = await outcomes_of(store, *units)
            assert [isinstance(one, Exception) for one in outcomes] == [False, True, True, False]
            found = await store.read(punches)
            assert sorted(item.pin for item in found) == ["1", "2"]
            outcomes = await outcomes_of(store, *[close_below] * 9, punch(device, 3))
            assert all(isinstance(one, Exception) for one in outcomes)
            add = lambda tx: tx[DeviceStore].add("T9", DeviceState.APPROVED, "UTC", 1)  # noqa: E731
            await store.write(add)

    return GroupTests


class TestSQLiteFile(make_group_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_group_tests(on_postgresql)):
    """PostgreSQL."""

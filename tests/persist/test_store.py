"""The contract of a store, and of units of work: on every database."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.defer import DeferredList, gatherResults

from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.model import PunchFilter
from zkpush.handlers.attendance.photos import AttendancePhotoStore
from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.handlers.entries.store import EntryStore
from zkpush.handlers.logs.store import ErrorStore, IdCardStore, OperationStore
from zkpush.handlers.people.store import PeopleStore
from zkpush.interfaces import StoreError
from zkpush.persist.devices import DeviceStore
from zkpush.persist.rejects import RejectStore
from zkpush.persist.stamps import StampStore
from zkpush.protocol.photos import Photo
from zkpush.testing.contracts import StoreContract

from .contract import (
    EVERYTHING,
    NOW,
    UTC,
    in_file,
    in_memory,
    on_postgresql,
    punches,
    rows,
    say,
    with_store,
)


def make_store_tests(factory):
    """The tests of units of work; `factory` makes an empty store, from pytest's request."""

    class StoreTests(with_store(factory), StoreContract):
        def make_store(self, request):
            return factory(request)

        def test_the_counts_of_a_store_begin_at_zero(self, request) -> None:
            """There are these four, before the store is opened as well."""
            counts = {"units": 0, "commits": 0, "failed": 0, "pending": 0}
            assert factory(request).counts() == counts

        @pytest_twisted.ensureDeferred
        async def test_a_unit_that_fails_leaves_nothing_behind(self, store, device) -> None:
            """What a failed unit wrote is gone; the units beside it are stored."""

            def bad(tx):
                tx[AttendanceInserts].add(
                    device.id, rows(b"9\t2026-01-05 08:00:00\t0\t1\n"), UTC, NOW
                )
                tx[RejectStore].add(device.id, [], NOW)
                raise SystemExit("poison")

            def good(pin):
                body = b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin
                return lambda tx: tx[AttendanceInserts].add(device.id, rows(body), UTC, NOW)

            outcomes = await gatherResults(
                store.write(unit).addErrback(lambda failure: failure.value)
                for unit in (good(1), bad, good(2))
            )
            assert [str(outcome) for outcome in outcomes] == [
                "None",
                "a unit of work raised SystemExit",
                "None",
            ]
            assert isinstance(outcomes[1], Exception)
            found = await store.read(punches)
            assert [item.pin for item in found] == ["1", "2"]

        @pytest_twisted.ensureDeferred
        async def test_a_unit_that_fails_takes_back_records_of_all_kinds(
            self, store, device
        ) -> None:
            """Nothing of an upload is kept by halves; the same upload is stored when it succeeds.

            A picture that no row names may stay: it does no harm.
            """
            body = (
                "OPLOG 4\t14\t2026-01-05 08:00:00\t0\t0\t0\t0\n"
                "ERRORLOG ErrCode=E1\n"
                "IDCARD PIN=1\tIDNum=5\n"
                "USER PIN=1\tName=Ann\n"
                "FP PIN=1\tFID=6\tTMP=AAAA\n"
                "BIOPHOTO PIN=1\tType=9\tContent=AAAA\n"
                "WORKCODE CODE=5\tNAME=Paint\n"
            )
            fails = True

            def unit(tx):
                tx[AttendanceInserts].add(
                    device.id, rows("1\t2026-01-05 08:00:00\t0\t1\n"), UTC, NOW
                )
                tx[AttendancePhotoStore].add(
                    device.id, Photo("20260105080000-1.jpg", b"\xff\xd8\xff"), UTC, NOW
                )
                tx[StampStore].remember(device.id, "OPERLOG", "9")
                say(device, body)(tx)
                if fails:
                    raise RuntimeError("poison")

            def kept(tx):
                return [
                    punches(tx),
                    tx[StampStore].of(device.id),
                    tx[AttendancePhotoStore].page(EVERYTHING, None, None),
                    tx[OperationStore].page(EVERYTHING, None),
                    tx[ErrorStore].page(EVERYTHING, None),
                    tx[IdCardStore].page(EVERYTHING, None),
                    tx[PeopleStore].users(EVERYTHING),
                    tx[PeopleStore].templates("1"),
                    tx[PeopleStore].photos("1"),
                    tx[EntryStore].page(EVERYTHING, None, None),
                ]

            with pytest.raises(RuntimeError, match="poison"):
                await store.write(unit)
            assert not any(await store.read(kept))
            fails = False
            await store.write(unit)
            assert [len(part) for part in await store.read(kept)] == [1] * 10

        @pytest_twisted.ensureDeferred
        async def test_what_a_unit_wrote_it_can_read(self, store, device) -> None:
            """A unit sees its own records and stamps, in whatever order it writes and reads."""

            def unit(tx):
                seen = []
                for pin in (b"1", b"2"):
                    line = pin + b"\t2026-01-05 08:00:00\t0\t1\n"
                    tx[AttendanceInserts].add(device.id, rows(line), UTC, NOW)
                    tx[StampStore].remember(device.id, "ATTLOG", pin.decode())
                    seen.append(
                        (tx[AttendanceStore].count(device.id), tx[StampStore].of(device.id))
                    )
                return seen

            assert await store.write(unit) == [(1, {"ATTLOG": "1"}), (2, {"ATTLOG": "2"})]

        @pytest_twisted.ensureDeferred
        async def test_ids_ascend_in_the_order_of_storing(self, store, device) -> None:
            """Records of many units, in one commit or in several, are listed as they came."""

            def upload(pin):
                body = b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin
                return store.write(
                    lambda tx: tx[AttendanceInserts].add(device.id, rows(body), UTC, NOW)
                )

            await gatherResults([upload(pin) for pin in range(50, 0, -1)])
            await upload(99)
            found = await store.read(punches)
            assert [int(item.pin) for item in found] == [*range(50, 0, -1), 99]
            counts = store.counts()
            assert counts["units"] > counts["commits"] > 0

        @pytest_twisted.ensureDeferred
        async def test_a_text_with_nul_is_shown_marked(self, store, device) -> None:
            """No database has to hold NUL: it shows as U+FFFD, and is found as nothing."""
            await store.write(lambda tx: tx[DeviceStore].change(device.id, {"alias": "a\0b"}))
            found = await store.read(lambda tx: tx[DeviceStore].find("T1"))
            assert found.alias == "a\ufffdb"
            assert await store.read(lambda tx: tx[DeviceStore].find("T\0")) is None
            assert (
                await store.read(
                    lambda tx: tx[AttendanceStore].page(EVERYTHING, PunchFilter(pin="\0"))
                )
                == []
            )

        @pytest_twisted.ensureDeferred
        async def test_a_row_that_cannot_be_stored_hurts_nobody_else(self, store, device) -> None:
            """A record for a terminal that is gone fails its unit; those beside it are stored."""

            def upload(device_id, pin):
                body = b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin
                return store.write(
                    lambda tx: tx[AttendanceInserts].add(device_id, rows(body), UTC, NOW)
                )

            uploads = [upload(device.id, 1), upload(99, 2), upload(device.id, 3)]
            outcomes = await DeferredList(uploads, consumeErrors=True)
            assert [done for done, _ in outcomes] == [True, False, True]
            assert outcomes[1][1].check(StoreError)
            assert "2026" not in str(outcomes[1][1].value)
            found = await store.read(punches)
            assert [item.pin for item in found] == ["1", "3"]

        @pytest_twisted.ensureDeferred
        async def test_a_query_writes_nothing(self, store, device) -> None:
            """Records that are given to a query are refused, or stored: never dropped."""
            body = b"1\t2026-01-05 08:00:00\t0\t1\n"
            try:
                await store.read(
                    lambda tx: tx[AttendanceInserts].add(device.id, rows(body), UTC, NOW)
                )
                stored = 1
            except StoreError:
                stored = 0
            assert await store.read(lambda tx: tx[AttendanceStore].count(None)) == stored

    return StoreTests


class TestSQLiteInMemory(make_store_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_store_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_store_tests(on_postgresql)):
    """PostgreSQL."""

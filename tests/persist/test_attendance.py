"""Attendance records in the store: on every database."""

from __future__ import annotations

import contextlib

import pytest
import pytest_twisted
from sqlalchemy import select
from twisted.internet.defer import gatherResults

from zkpush.handlers.attendance import store as module
from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.model import PunchFilter
from zkpush.handlers.attendance.schema import attendance
from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.model import Page
from zkpush.persist.sealed import opened

from .contract import (
    DAY,
    EVERYTHING,
    MADRID,
    NOW,
    UTC,
    in_file,
    in_memory,
    on_postgresql,
    punches,
    rows,
    shown,
    with_store,
)


def make_attendance_tests(factory):
    """The tests of attendance records; `factory` makes an empty store, from pytest's request."""

    class AttendanceTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_a_record_is_stored_once(self, store, device) -> None:
            """The same terminal, user, time, status, verification and work code are one record."""
            body = (
                b"1\t2026-01-05 08:00:00\t0\t1\n"
                b"1\t2026-01-05 08:00:00\t0\t1\t0\t0\tx\n"
                b"1\t2026-01-05 08:00:00\t0\t1\t5\t0\t0\n"
                b"1\t2026-01-05 08:00:00\t1\t1\n"
            )
            for _ in range(2):
                await store.write(
                    lambda tx: tx[AttendanceInserts].add(device.id, rows(body), UTC, NOW)
                )
            found = await store.read(punches)
            assert [(item.pin, item.status, item.work_code) for item in found] == [
                ("1", 0, None),
                ("1", 0, "5"),
                ("1", 1, None),
            ]
            assert await store.read(lambda tx: tx[AttendanceStore].count(device.id)) == 3

        @pytest_twisted.ensureDeferred
        async def test_records_are_found_by_when_they_came(self, store, device) -> None:
            """Exactly: also where the clock was set back, and where a transaction has failed."""
            minutes = [0, 3, 14, 15, 29, 90, 2, 91, 45, 600, 120, 121]  # the clock was set twice
            came = [NOW + minute * 60_000 for minute in minutes]

            def stored(number: int, fails: bool = False):
                body = f"{number}\t2026-01-05 08:{number:02}:00\t0\t1\n".encode()

                def unit(tx) -> None:
                    tx[AttendanceInserts].add(device.id, rows(body), UTC, came[number])
                    tx.flush()
                    if fails:
                        raise ValueError("a handler failed")

                return store.write(unit)

            for number in range(len(came)):
                with contextlib.suppress(ValueError):
                    await stored(number, fails=True)
                await stored(number)
            for since in sorted({at + step for at in came for step in (-1, 0, 1)}):
                found = await store.read(
                    lambda tx, since=since: tx[AttendanceStore].page(
                        EVERYTHING, PunchFilter(received_since=since)
                    )
                )
                expected = [str(number) for number, at in enumerate(came) if at >= since]
                assert [punch.pin for punch in found] == expected

        @pytest_twisted.ensureDeferred
        @pytest.mark.parametrize("count", [1, 15, 16, 17, 40, 256, 600])
        async def test_any_number_of_records_is_stored_as_it_came(
            self, store, device, count
        ) -> None:
            """Those that have most in common, too, and those that are all there already."""
            sent = [
                (str(number), f"2026-01-05 08:{number // 60:02}:{number % 60:02}", 0, number % 2)
                for number in range(count)
            ]
            body = "".join(
                f"{pin}\t{time}\t{status}\t{verify}\t0\t\tx\n" for pin, time, status, verify in sent
            )
            for _ in range(2):
                await store.write(
                    lambda tx: tx[AttendanceInserts].add(device.id, rows(body), UTC, NOW)
                )
            found = await store.read(lambda tx: tx[AttendanceStore].page(Page(1000)))
            names = ("pin", "time", "status", "verify")
            assert [tuple(getattr(item, name) for name in names) for item in found] == sent
            assert {(item.work_code, item.reserved_1) for item in found} == {("0", None)}
            assert {item.reserved_2 for item in found} == {"x"}

        @pytest_twisted.ensureDeferred
        async def test_every_field_of_a_record_comes_back(self, store, device) -> None:
            """Columns of every kind, and what did not fit them, are read as they were written."""
            body = "1\t2026-01-05 08:00:00\t255\t15\t3\tr1\tr2\t1\t36.6\tx\t+28800\te30=\tmore\n"
            await store.write(lambda tx: tx[AttendanceInserts].add(device.id, rows(body), UTC, NOW))
            (item,) = await store.read(
                lambda tx: tx[AttendanceStore].page(EVERYTHING, PunchFilter(device="T1", pin="1"))
            )
            assert shown(item) == {
                "id": item.id,
                "device": "T1",
                "pin": "1",
                "time": "2026-01-05 08:00:00",
                "utc": 1_767_571_200,
                "doubt": None,
                "received_at": NOW,
                "status": 255,
                "verify": 15,
                "work_code": "3",
                "reserved_1": "r1",
                "reserved_2": "r2",
                "id_number": None,
                "record_type": None,
                "mask": 1,
                "temperature": 36.6,
                "converted_temperature": None,
                "time_offset": 28800,
                "extend_data": "e30=",
                "extra": {"ConvTemperature": "x", "Column13": "more"},
            }

        @pytest_twisted.ensureDeferred
        async def test_bytes_that_are_no_text_are_kept_as_they_came(self, store, device) -> None:
            """A name in another encoding is shown marked, and its line is there to be read."""
            line = "Müller\t2026-01-05 08:00:00\t0\t1".encode("latin-1")
            plain = b"7\t2026-01-05 08:00:00\t0\t1"
            body = plain + b"\n" + line + b"\n"
            await store.write(lambda tx: tx[AttendanceInserts].add(device.id, rows(body), UTC, NOW))

            def raw(tx):
                found = tx.connection.execute(select(attendance).order_by(attendance.c.id))
                kept = [opened(tx.vault, attendance, row._mapping) for row in found]
                return [(row["pin"], row["raw"]) for row in kept]

            assert await store.read(raw) == [("7", None), ("M\ufffdfcller", line)]

        @pytest_twisted.ensureDeferred
        async def test_records_are_found_by_instant(self, store, device, monkeypatch) -> None:
            """`since` is inclusive, `until` is not, whatever the clock of the record says."""
            body = (
                b"1\t2026-01-05 08:00:00\t0\t1\n"
                b"2\t2026-01-05 08:00:01\t0\t1\n"
                b"3\t2026-01-06 07:00:00\t0\t1\t0\t0\t0\t0\t36.6\t97.9\t+86400\t\n"
            )
            await store.write(lambda tx: tx[AttendanceInserts].add(device.id, rows(body), UTC, NOW))
            eight = UTC.utc("2026-01-05 08:00:00")
            for few in (0, 1000):  # in the order of ids, and sorted
                monkeypatch.setattr(module, "FEW", few)
                for sn in ("T1", None):
                    for since, until, pins in (
                        (eight, None, "12"),
                        (eight + 1, None, "2"),
                        (None, eight + 1, "13"),
                        (eight - 3600, eight, "3"),
                        (-(10**12), 10**12, "123"),
                        (10**12, None, ""),
                    ):
                        found = await store.read(
                            lambda tx, sn=sn, since=since, until=until: tx[AttendanceStore].page(
                                EVERYTHING, PunchFilter(device=sn, since=since, until=until)
                            )
                        )
                        assert "".join(str(item.pin) for item in found) == pins

        @pytest_twisted.ensureDeferred
        async def test_the_instants_of_many_records_are_those_of_each(self, store, device) -> None:
            """On days with and without a change of the clock, with and without own offsets."""
            times = [
                f"2026-{month:02}-{day:02} {hour:02}:30:{hour:02}"
                for month, day in ((3, 28), (3, 29), (3, 30), (10, 25))
                for hour in range(24)
            ]
            body = "".join(f"1\t{time}\t0\t1\n" for time in times)
            own = "2\t2026-03-29 12:00:00\t0\t1\t0\t0\t0\t0\t36.6\t97.9\t+3600\t\n"
            together = rows(body + own)
            await store.write(
                lambda tx: tx[AttendanceInserts].add(device.id, together, MADRID, NOW)
            )
            found = await store.read(punches)
            expected = [*map(MADRID.utc, times), UTC.utc("2026-03-29 11:00:00")]
            assert [item.utc for item in found] == expected

        @pytest_twisted.ensureDeferred
        async def test_uploads_of_all_widths_and_zones_share_a_commit(
            self, store, device, other
        ) -> None:
            """Each record keeps its own terminal, clock, doubt and columns beside the others."""
            uploads = [
                (device, b"1\t2026-01-05 08:00:00\t0\t1\n", UTC),
                (other, b"2\t2026-01-05 08:00:00\t1\t4\t5\t\tx\n", MADRID),
                (device, b"3\t2026-01-05 08:00:00\n3\t2036-01-05 08:00:00\t0\t1\n", MADRID),
                (
                    other,
                    b"4\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\t0\t36.6\t97.9\t+3600\t\n"
                    b"5\t2025-10-26 02:30:00\t0\t1\n",
                    MADRID,
                ),
                (device, b"6\t2026-01-05 08:00:00\t2\t1\t\t\t\n", UTC),
            ]
            commits = store.writer.commits
            await gatherResults(
                store.write(
                    lambda tx, known=known, body=body, clock=clock: tx[AttendanceInserts].add(
                        known.id, rows(body), clock, NOW
                    )
                )
                for known, body, clock in uploads
            )
            assert store.writer.commits == commits + 1
            names = ("pin", "device", "status", "verify", "work_code", "reserved_2", "doubt")
            found = await store.read(punches)
            assert [tuple(getattr(item, name) for name in names) for item in found] == [
                ("1", "T1", 0, 1, None, None, None),
                ("2", "T2", 1, 4, "5", "x", None),
                ("3", "T1", 255, 0, None, None, None),
                ("3", "T1", 0, 1, None, None, "future"),
                ("4", "T2", 0, 1, "0", "0", None),
                ("5", "T2", 0, 1, None, None, "ambiguous"),
                ("6", "T1", 2, 1, None, None, None),
            ]
            eight, six = UTC.utc("2026-01-05 08:00:00"), UTC.utc("2026-01-05 07:00:00")
            assert [item.utc for item in found] == [
                *(eight, six, six),
                UTC.utc("2036-01-05 07:00:00"),
                six,
                UTC.utc("2025-10-26 00:30:00"),
                eight,
            ]
            assert [item.temperature for item in found] == [None] * 4 + [36.6, None, None]

        @pytest_twisted.ensureDeferred
        async def test_a_large_body_is_stored_whole(self, store, device) -> None:
            """More rows than wait for the end of a group are stored, in their order."""
            body = b"".join(b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin for pin in range(10_500))
            await store.write(lambda tx: tx[AttendanceInserts].add(device.id, rows(body), UTC, NOW))
            assert await store.read(lambda tx: tx[AttendanceStore].count(None)) == 10_500
            part = Page(2, after=0)
            found = await store.read(lambda tx: tx[AttendanceStore].page(part))
            assert [item.pin for item in found] == ["0", "1"]

        @pytest_twisted.ensureDeferred
        async def test_times_that_a_zone_has_twice_or_not_at_all_are_doubted(
            self, store, device
        ) -> None:
            """Where Madrid turns its clocks; the first of two instants is taken, and said so."""
            expected = {
                "2026-03-29 01:59:59": (None, "2026-03-29 00:59:59"),
                "2026-03-29 02:00:00": ("nonexistent", "2026-03-29 01:00:00"),
                "2026-03-29 02:59:59": ("nonexistent", "2026-03-29 01:59:59"),
                "2026-03-29 03:00:00": (None, "2026-03-29 01:00:00"),
                "2026-10-25 01:59:59": (None, "2026-10-24 23:59:59"),
                "2026-10-25 02:00:00": ("ambiguous", "2026-10-25 00:00:00"),
                "2026-10-25 02:59:59": ("ambiguous", "2026-10-25 00:59:59"),
                "2026-10-25 03:00:00": (None, "2026-10-25 02:00:00"),
            }
            body = "".join(f"1\t{time}\t0\t1\n" for time in expected)
            later = NOW + 365 * DAY
            await store.write(
                lambda tx: tx[AttendanceInserts].add(device.id, rows(body), MADRID, later)
            )
            found = await store.read(punches)
            assert {item.time: (item.doubt, item.utc) for item in found} == {
                time: (doubt, UTC.utc(instant)) for time, (doubt, instant) in expected.items()
            }

        @pytest_twisted.ensureDeferred
        async def test_times_far_from_now_are_doubted(self, store, device) -> None:
            """More than a day ahead, or more than ten years of 365 days ago; by own offsets too."""
            expected = {
                "2026-01-06 09:00:00": None,
                "2026-01-06 09:00:01": "future",
                "2016-01-08 09:00:00": None,
                "2016-01-08 08:59:59": "past",
                "2026-10-25 02:30:00": "future",  # and ambiguous, which matters less
            }
            own = {
                "2026-01-06 10:00:00\t0\t1\t0\t0\t0\t0\t36.6\t97.9\t+3600\t": None,
                "2026-01-06 10:00:02\t0\t1\t0\t0\t0\t0\t36.6\t97.9\t+3600\t": "future",
            }
            for clock, lines in (
                (UTC, {f"{time}\t0\t1": doubt for time, doubt in expected.items()}),
                (MADRID, own),
            ):
                body = "".join(f"{clock is UTC:d}\t{line}\n" for line in lines)
                await store.write(
                    lambda tx, body=body, clock=clock: tx[AttendanceInserts].add(
                        device.id, rows(body), clock, NOW
                    )
                )
            found = await store.read(punches)
            assert [item.doubt for item in found] == [*expected.values(), *own.values()]

        @pytest_twisted.ensureDeferred
        async def test_an_own_offset_leaves_no_doubt_about_the_zone(self, store, device) -> None:
            """A time that Madrid leaves out is an instant where the record says its offset."""
            line = "1\t2025-03-30 02:30:00\t0\t1\t0\t0\t0\t0\t36.6\t97.9\t+3600\t\n"
            await store.write(
                lambda tx: tx[AttendanceInserts].add(device.id, rows(line), MADRID, NOW)
            )
            (item,) = await store.read(punches)
            assert (item.doubt, item.utc) == (None, UTC.utc("2025-03-30 01:30:00"))

        @pytest_twisted.ensureDeferred
        async def test_doubts_stay_with_their_records(self, store, device) -> None:
            """Uploads with and without doubts, in one commit and in one statement, keep apart."""

            def unit(tx):
                for pin, year in ((1, 2026), (2, 1999), (3, 2026)):
                    body = rows(f"{pin}\t{year}-01-05 08:00:00\t0\t1\n")
                    tx[AttendanceInserts].add(device.id, body, UTC, NOW)

            await store.write(unit)
            found = await store.read(punches)
            assert [(item.pin, item.doubt) for item in found] == [
                ("1", None),
                ("2", "past"),
                ("3", None),
            ]

    return AttendanceTests


class TestSQLiteInMemory(make_attendance_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_attendance_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_attendance_tests(on_postgresql)):
    """PostgreSQL."""

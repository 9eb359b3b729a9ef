"""First and last punch of a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest_twisted
from sqlalchemy import column, event, select, table
from twisted.internet.task import Clock

from zkpush.handlers.attendance.ends import PunchEnds
from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.jobs import EVERY, EndsExtension
from zkpush.handlers.attendance.store import AttendanceStore, erase_person
from zkpush.model import DeviceState
from zkpush.persist.devices import DeviceStore
from zkpush.persist.erasing import PersonErasure
from zkpush.persist.store import Store
from zkpush.persist.transaction import Transaction

from ..keys import KEY
from .conftest import opened
from .contract import NOW, UTC, rows
from .old import DEVICE, old_database
from .test_list_plans import IDENTITY

VERIFICATION = "9\t2020-01-01 00:00:00\t0\t1\t0\t0\t0\t999999200001011239\t1\n"


def set_up(tx: Transaction) -> None:
    """Two terminals."""
    for sn in ("T1", "T2"):
        tx[DeviceStore].add(sn, DeviceState.APPROVED, None, NOW)


def punched(*times: str, terminal: int = 1, pin: str = "1") -> Callable[[Transaction], None]:
    """Store punches of a person at times of the first days of 2026, one after the other."""

    def unit(tx: Transaction) -> None:
        for time in times:
            line = f"{pin}\t2026-01-{time}:00\t0\t1\n"
            tx[AttendanceInserts].add(terminal, rows(line.encode()), UTC, NOW)
            tx.flush()

    return unit


async def ends(store: Store, terminal: int = 1) -> list[str]:
    """The days and times of the first and the last punch."""

    def find(tx: Transaction) -> Sequence[str]:
        return [one.time[8:16] for one in tx[AttendanceStore].first_and_last(terminal)]

    return list(await store.read(find))


@pytest_twisted.ensureDeferred
async def test_the_ends_are_those_of_all_punches_however_many_are_taken_into_account(
    url: str,
) -> None:
    """Late and early ones count, whenever they come; those of another terminal do not."""
    store = opened(url, KEY)
    job = EndsExtension(store, Clock(), 2)
    try:
        await store.write(set_up)
        assert await ends(store) == []
        await store.write(punched("09 09:00", terminal=2))
        await store.write(punched("03 08:00"))
        assert await ends(store) == ["03 08:00", "03 08:00"]
        for times, expected in (
            (("02 08:00", "04 08:00"), ["02 08:00", "04 08:00"]),
            (("01 08:00",), ["01 08:00", "04 08:00"]),
            (("05 08:00", "02 09:00"), ["01 08:00", "05 08:00"]),
        ):
            await store.write(punched(*times))
            assert await ends(store) == expected
            await job.extend()
            assert await ends(store) == expected
        assert await ends(store, 2) == ["09 09:00", "09 09:00"]
        last = await store.read(lambda tx: tx[AttendanceStore].last())
        assert await store.read(lambda tx: tx[PunchEnds].read_until()) == last
    finally:
        await store.stop()


@pytest_twisted.ensureDeferred
async def test_a_verification_of_an_identity_card_is_no_punch(url: str) -> None:
    """Neither one that is taken into account nor a newer one."""
    store = opened(url, KEY)
    try:
        await store.write(set_up)
        verified = rows(VERIFICATION.encode())
        assert verified
        await store.write(lambda tx: tx[AttendanceInserts].add(1, verified, UTC, NOW))
        await store.write(punched("03 08:00"))
        assert await ends(store) == ["03 08:00", "03 08:00"]
        await EndsExtension(store, Clock(), 1).extend()
        assert await ends(store) == ["03 08:00", "03 08:00"]
    finally:
        await store.stop()


@pytest_twisted.ensureDeferred
async def test_the_next_punch_takes_the_place_of_an_erased_one(url: str) -> None:
    """Also if the erasure comes while a job extends the ends; a terminal may have none left."""
    store = opened(url, KEY)
    job = EndsExtension(store, Clock(), 1)

    def erase(pin: str) -> Callable[[Transaction], int]:
        return lambda tx: erase_person(PersonErasure(tx=tx, pin=pin, now=NOW, with_attendance=True))

    try:
        await store.write(set_up)
        await store.write(punched("01 08:00", "09 08:00", pin="7"))
        await store.write(punched("02 08:00", "08 08:00"))
        new = await store.read(lambda tx: tx[PunchEnds].next_ends(1))
        await job.extend()
        assert await ends(store) == ["01 08:00", "09 08:00"]
        await store.write(erase("7"))
        assert await store.read(lambda tx: tx[PunchEnds].known(1)[1:]) == (
            "2026-01-02 08:00:00",
            "2026-01-08 08:00:00",
        )
        assert await ends(store) == ["02 08:00", "08 08:00"]
        await store.write(lambda tx: tx[PunchEnds].extend(new))
        assert await ends(store) == ["02 08:00", "08 08:00"]
        await store.write(erase("1"))
        assert await ends(store) == []
    finally:
        await store.stop()


@pytest_twisted.ensureDeferred
async def test_ends_are_extended_by_themselves(url: str) -> None:
    """The job looks for new records every few seconds."""
    store, clock = opened(url, KEY), Clock()
    job = EndsExtension(store, clock, 2)
    try:
        await store.write(set_up)
        job.startService()
        await store.write(punched("01 08:00", "02 08:00"))
        while await store.read(lambda tx: tx[PunchEnds].read_until()) < 2:
            clock.advance(EVERY)
        await job.stopService()
        assert await ends(store) == ["01 08:00", "02 08:00"]
    finally:
        await store.stop()


@pytest_twisted.ensureDeferred
async def test_the_punches_of_the_ends_are_found_in_the_index_of_identities(url: str) -> None:
    """Newer records are found by their id; nothing is read from end to end."""
    store = opened(url, KEY)

    def plans(tx: Transaction) -> list[str]:
        asked: list[tuple[str, Any]] = []

        def note(_c: Any, _k: Any, statement: str, arguments: Any, *_: Any) -> None:
            asked.append((statement, arguments))

        event.listen(tx.connection, "before_cursor_execute", note)
        tx[AttendanceStore].first_and_last(1)
        event.remove(tx.connection, "before_cursor_execute", note)
        is_sqlite = tx.connection.dialect.name == "sqlite"
        if not is_sqlite:
            tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
        return [
            " ".join(
                " ".join(map(str, row))
                for row in tx.connection.exec_driver_sql(explain + statement, arguments)
            )
            for statement, arguments in asked
            if "FROM attendance" in statement
        ]

    try:
        await store.write(set_up)
        await store.write(punched("01 08:00", "02 08:00"))
        await EndsExtension(store, Clock(), 1).extend()
        newer, first, last, *records = await store.read(plans)
        by_id = r"USING INTEGER PRIMARY KEY \(rowid|attendance_pkey"
        assert re.search(by_id, newer), newer
        for plan in (first, last):
            assert re.search(IDENTITY, plan), plan
        assert all(re.search(by_id, plan) for plan in records), records
    finally:
        await store.stop()


def test_the_ends_of_an_older_database_are_taken_over(empty_url: str) -> None:
    """The migration reads all records; verifications are no punches."""
    with old_database(empty_url, "0066") as old:
        for key in (1, 2):
            old.put("devices", {**DEVICE, "id": key, "sn": f"T{key}"})
        for key, time, kind in (
            (1, "2026-01-02 08:00:00", None),
            (1, "2026-01-01 08:00:00", 0),
            (1, "2026-01-03 08:00:00", 1),
            (2, "2026-01-03 08:00:00", 1),
        ):
            old.put(
                "attendance",
                {
                    "device_id": key,
                    "utc": 0,
                    "received_at": 0,
                    "time": time,
                    "pin": "1",
                    "status": 0,
                    "verify": 1,
                    "record_type": kind,
                },
            )
        old.upgrade("0067")
        names = ("device_id", "first_time", "last_time")
        found = old.connection.execute(select(table("punch_ends", *map(column, names)))).all()
        assert [tuple(one) for one in found] == [(1, "2026-01-01 08:00:00", "2026-01-02 08:00:00")]
        last = select(table("punch_ends_read", column("last_id")))
        assert old.connection.execute(last).scalar_one() == 4

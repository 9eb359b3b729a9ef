"""Many records in one upload, and the same records one by one: on every database."""

from __future__ import annotations

import base64
import contextlib
import random

import pytest
import pytest_twisted
from sqlalchemy import event

from zkpush.handlers.entries.store import EntryStore
from zkpush.handlers.logs.store import OperationStore
from zkpush.handlers.people.store import PeopleStore
from zkpush.persist.events import EventStore

from .contract import (
    EVERYTHING,
    NOW,
    add_terminal,
    in_file,
    in_memory,
    on_postgresql,
    say,
    shown,
    with_store,
)

PINS = 7
CONTENTS = [base64.b64encode(text).decode() for text in (b"one", b"two", b"three", b"four")]


def lines(seed: int, prefix: str) -> list[str]:
    """Records in random order, of few people and entries: some are equal, others contradict."""
    pick = random.Random(seed)
    made = []
    for _ in range(150):
        pin = f"{prefix}{pick.randrange(PINS)}"
        content, number = pick.choice(CONTENTS), pick.randrange(3)
        name = pick.choice(("\tName=Ann", "\tName=Bea", "\tName=", ""))
        card = pick.choice(("\tCard=77", "\tCard=[15CD5B07]", ""))
        group = pick.choice(("\tGrp=1", "\tGrp=2\tNew=x", ""))
        made.append(
            pick.choice(
                (
                    f"USER PIN={pin}{name}{card}{group}",
                    f"FP PIN={pin}\tFID={number}\tTMP={content}",
                    f"FACE PIN={pin}\tFID={number}\tTMP={base64.b64encode(bytes(16)).decode()}",
                    f"BIODATA Pin={pin}\tNo={number}\tType=8\tMajorVer=5\tTmp={content}",
                    f"BIOPHOTO PIN={pin}\tType=9\tContent={content}",
                    f"USERPIC PIN={pin}\tContent={content}",
                    f"WORKCODE PIN={number}\tCODE={pin}{name.replace('Name', 'NAME')}",
                    f"SMS MSG={content}\tTAG=253\tUID={pin}\tMIN={number}",
                    f"OPLOG {number}\t{pin}\t2026-01-05 08:0{number}:00\t{number}\t0\t0\t0",
                )
            )
        )
    return made


def kept(tx, device: str, prefix: str) -> dict[str, list[object]]:
    """All that is kept of the people and of a terminal, without what numbers rows."""

    def plain(record) -> list[object]:
        values = record if isinstance(record, dict) else shown(record)
        kept_ = {name: value for name, value in values.items() if name not in ("id", "device")}
        return sorted((name, repr(value)) for name, value in kept_.items())

    pins = [f"{prefix}{number}" for number in range(PINS)]
    events = [
        (one.kind, one.data["what"], one.data["pin"])
        for one in tx[EventStore].page(EVERYTHING)
        if one.kind == "user" and one.data["device"] == device
    ]
    found = {
        "users": [plain(user) for pin in pins for user in tx[PeopleStore].users(EVERYTHING, pin)],
        "templates": [plain(one) for pin in pins for one in tx[PeopleStore].templates(pin)],
        "photos": [plain(one) for pin in pins for one in tx[PeopleStore].photos(pin)],
        "entries": [
            [one.table, *plain(one.fields), *plain(one.extra), one.updated_at]
            for table in ("WORKCODE", "SMS")
            for one in tx[EntryStore].page(EVERYTHING, device, table)
        ],
        "operations": [plain(one) for one in tx[OperationStore].page(EVERYTHING, device)],
        "events": sorted(set(events)),
    }
    return {
        name: sorted(str(row).replace(f"'{prefix}", "'") for row in rows)
        for name, rows in found.items()
    }


@contextlib.contextmanager
def counted(connection):
    """The statements that SQLAlchemy sends meanwhile."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_others) -> None:
        seen.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(connection, "before_cursor_execute", note)


def make_tests(factory):
    """The tests of uploads of many records; `factory` makes an empty store."""

    class TogetherTests(with_store(factory)):
        @pytest.mark.long
        @pytest.mark.parametrize("seed", range(4))
        @pytest_twisted.ensureDeferred
        async def test_an_upload_leaves_what_its_records_leave_one_by_one(
            self, store, device, seed
        ) -> None:
            """In random order, with equal records and records that contradict each other."""
            single = await add_terminal(store, "T2")
            await store.write(say(device, "\n".join(lines(seed, "a.")) + "\n"))
            for line in lines(seed, "b."):
                await store.write(say(single, line + "\n"))
            together = await store.read(lambda tx: kept(tx, "T1", "a."))
            apart = await store.read(lambda tx: kept(tx, "T2", "b."))
            assert together == apart
            assert all(together.values())

        @pytest.mark.parametrize(
            "line",
            [
                "USER PIN={n}",
                "FP PIN={n}\tFID=1\tTMP=AAAA",
                "BIOPHOTO PIN={n}",
                "SMS UID={n}",
                "OPLOG 1\t{n}\t2026-01-05 08:00:00\t0\t0\t0\t0",
            ],
        )
        @pytest_twisted.ensureDeferred
        async def test_more_records_take_no_more_queries(self, store, device, line) -> None:
            """The rows that are there are read for all records of a table at once."""

            def queries(first: int, count: int):
                numbers = range(first, first + count)
                unit = say(device, "".join(f"{line}\n".replace("{n}", str(n)) for n in numbers))

                def work(tx) -> list[str]:
                    with counted(tx.connection) as seen:
                        unit(tx)
                    return seen

                return work

            few = await store.write(queries(0, 2))
            many = await store.write(queries(1000, 1500))
            assert len(many) == len(few)

        @pytest_twisted.ensureDeferred
        async def test_what_is_there_is_found_among_many(self, store, device) -> None:
            """A terminal that sends thousands of users again, and one new, adds one event."""
            users = "".join(f"USER PIN={number}\tName=A\n" for number in range(3000))
            await store.write(say(device, users))
            before = await store.read(lambda tx: tx[EventStore].last())
            await store.write(say(device, f"{users}USER PIN=new\tName=A\n", now=NOW + 1000))
            assert await store.read(lambda tx: tx[EventStore].last()) == before + 1

    return TogetherTests


class TestSQLiteInMemory(make_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_tests(on_postgresql)):
    """PostgreSQL."""

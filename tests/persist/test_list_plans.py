"""Lists find what they are filtered by in an index, on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from sqlalchemy import event, select, text

from zkpush.handlers.attendance.chronology import ChronologicalPunches
from zkpush.handlers.attendance.lists import LISTS, set_last_listed
from zkpush.handlers.attendance.model import PunchFilter
from zkpush.handlers.attendance.photos import AttendancePhotoStore
from zkpush.handlers.attendance.schema import attendance
from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.handlers.commands.model import CommandFilter
from zkpush.handlers.commands.store import CommandList
from zkpush.handlers.entries.store import EntryStore
from zkpush.handlers.logs.store import ErrorStore, IdCardStore, OperationStore
from zkpush.handlers.people.model import PeopleFilter
from zkpush.handlers.people.store import PeopleStore
from zkpush.model import DeviceState, Page
from zkpush.persist.audit import AuditStore
from zkpush.persist.devices import DeviceStore
from zkpush.persist.rejects import RejectStore
from zkpush.persist.transaction import Transaction
from zkpush.protocol.codes import RecordType
from zkpush.values.commands import CommandState
from zkpush.values.setaside import RejectSelection

from ..keys import KEY
from .conftest import opened

ROWS = 60_000
"""Enough that no planner takes a scan of all of them for cheap."""
MOST_STEPS = ROWS // 1000
"""Most thousands of instructions for a list: reading all rows takes several for each."""
IDENTITY = "attendance_identity|sqlite_autoindex_attendance_1"
PUNCH = RecordType.ATTENDANCE


def punches(**wanted: Any) -> Callable[[Transaction, Page], object]:
    """A list of attendance with filters."""
    return lambda tx, part: tx[AttendanceStore].page(part, PunchFilter(record_type=PUNCH, **wanted))


def commands(**wanted: Any) -> Callable[[Transaction, Page], object]:
    """A list of commands with filters."""
    return lambda tx, part: tx[CommandList].page(part, CommandFilter(**wanted))


def people(**wanted: Any) -> Callable[[Transaction, Page], object]:
    """A search for people."""
    return lambda tx, part: tx[PeopleStore].search(part, PeopleFilter(**wanted))


def by_time(**wanted: Any) -> Callable[[Transaction, Page], object]:
    """A page of attendance records by their time, in the order of the page."""
    return lambda tx, part: tx[ChronologicalPunches].page(
        PunchFilter(**wanted), part.limit, oldest_first=not part.newest_first
    )


QUERIES: dict[str, tuple[str, Callable[[Transaction, Page], object]]] = {
    "people in order": (
        "users_natural",
        lambda tx, part: tx[PeopleStore].in_order(part.limit, PeopleFilter(), "500"),
    ),
    "pin": ("punches_of_people", punches(pin="77")),
    "pin of a terminal": ("punches_of_people", punches(pin="77", device="T3")),
    "pin and time": ("punches_of_people", punches(pin="77", since=0, until=10**9)),
    "device": ("punches_of_terminals", punches(device="T3")),
    "doubts of a terminal": ("punches_of_terminals", punches(device="T3", doubt="future")),
    "doubt": ("attendance_doubt", punches(doubt="future")),
    "time": (IDENTITY, punches(since=1_700_000_000, until=1_700_000_050)),
    "time of a terminal": (
        IDENTITY,
        punches(device="T3", since=1_700_000_000, until=1_700_000_050),
    ),
    "punches by time": (IDENTITY, by_time()),
    "punches of a period by time": (IDENTITY, by_time(since=1_700_000_000, until=1_700_600_000)),
    "punches of a person by time": ("punches_of_people", by_time(pin="77")),
    "punches of a terminal and a period by time": (
        "punches_of_terminals",
        by_time(device="T3", since=1_700_000_000, until=1_700_600_000),
    ),
    "verifications": (
        "attendance_verification",
        lambda tx, part: tx[AttendanceStore].page(
            part, PunchFilter(record_type=RecordType.VERIFICATION)
        ),
    ),
    "operations": (
        "operations_",
        lambda tx, part: tx[OperationStore].page(part, "T3"),
    ),
    "operations of a code": (
        "operations_code",
        lambda tx, part: tx[OperationStore].page(part, None, {"code": 77}),
    ),
    "idcards of a pin": (
        "idcards_pin",
        lambda tx, part: tx[IdCardStore].page(part, None, {"pin": "77"}),
    ),
    "errors": ("errors_", lambda tx, part: tx[ErrorStore].page(part, "T3")),
    "idcards": ("idcards_", lambda tx, part: tx[IdCardStore].page(part, "T3")),
    "photos": (
        "attendance_photos_(device|identity)",
        lambda tx, part: tx[AttendancePhotoStore].page(part, "T3", None),
    ),
    "photos of a pin": (
        "attendance_photos_pin",
        lambda tx, part: tx[AttendancePhotoStore].page(part, None, "77"),
    ),
    "entries": (
        "entries_",
        lambda tx, part: tx[EntryStore].page(part, "T3", None),
    ),
    "entries of a table": (
        "entries_table",
        lambda tx, part: tx[EntryStore].page(part, None, "WORKCODE"),
    ),
    "audit of a terminal": (
        "audit_(actor|subject)",
        lambda tx, part: tx[AuditStore].page(part, device="T3"),
    ),
    "audit of an actor": (
        "audit_actor",
        lambda tx, part: tx[AuditStore].page(part, actor="device T3"),
    ),
    "commands": ("SCAN commands|INTEGER PRIMARY KEY|commands_pkey", commands()),
    "commands of a terminal": ("commands_(of_device|idempotency)", commands(device="T3")),
    "commands in a state": ("commands_state", commands(state=CommandState.FAILED)),
    "commands of a name": ("commands_name", commands(command="SET OPTION")),
    "commands of a job": ("commands_(of_)?job", commands(job="j7")),
    "commands of a time": ("commands_created", commands(since=1_700_000_000_000 + ROWS - 1000)),
    "failed commands of a terminal": (
        "commands_(of_device|idempotency)",
        commands(device="T3", state=CommandState.FAILED, command="INFO", since=1),
    ),
    "failed commands of a job": (
        "commands_(of_)?job",
        commands(job="j7", state=CommandState.FAILED, device="T3"),
    ),
    "people with a card": ("users_(vice_)?card", people(card="77")),
    "people with a privilege": ("users_privilege", people(privilege=14)),
    "rejects": ("rejects_(of_device|identity)", lambda tx, part: tx[RejectStore].page(part, "T3")),
    "rejects of a table": (
        "rejects_table",
        lambda tx, part: tx[RejectStore].page(part, selection=RejectSelection(table="T77")),
    ),
}
FILLED = {
    "attendance": "device_id, utc, received_at, distinction, pin, time, status, verify, doubt",
    "operations": "device_id, utc, received_at, identity, code, time",
    "errors": "device_id, received_at, identity, code",
    "idcards": "device_id, received_at, identity, pin",
    "attendance_photos": "device_id, received_at, name, picture, size, pin",
    "entries": "device_id, table_name, key, updated_at, fields",
    "commands": "id, device_id, command, body, state, attempts, created_at, job",
    "rejects": "device_id, table_name, raw, digest, received_at, reason",
    "audit": "at, actor, action, subject, mac",
    "users": "pin, device_id, updated_at, card, vice_card, privilege",
}
OWN = {("users", "pin"): "'u' || n"}
"""Values of columns that other tables fill otherwise."""
VALUES = {
    "device_id": "1 + n % 100",
    "at": "1700000000000 + n",
    "actor": "case when n % 2 = 0 then 'device T' || (n % 1000) else 'token hr' end",
    "action": "'refused'",
    "subject": "case when n % 2 = 1 then 'terminal T' || (n % 1000) else 'a reason' end",
    "mac": "{bytes}",
    "utc": "1700000000 + 600 * n",
    "received_at": "1700000000000 + n",
    "updated_at": "n",
    "distinction": "''",
    "pin": "cast(n % 500 as text)",
    "status": "0",
    "verify": "1",
    "size": "1",
    "code": "1",
    "doubt": "case when n % 500 = 7 then 'future' end",
    "identity": "{bytes}",
    "digest": "{bytes}",
    "raw": "{bytes}",
    "reason": "{bytes}",
    "fields": "{bytes}",
    "name": "cast(n as text)",
    "key": "cast(n as text)",
    "picture": "'p'",
    "id": "cast(n as text)",
    "command": "case when n % 300 = 5 then 'SET OPTION' else 'INFO' end",
    "body": "{bytes}",
    "state": "case when n % 300 = 5 then 'failed' else 'done' end",
    "attempts": "1",
    "created_at": "1700000000000 + n",
    "job": "case when n % 3 = 0 then 'j' || (n % 200) end",
    "table_name": "case when n % 300 = 5 then 'WORKCODE' else 'T' || (n % 200) end",
    "time": "{time}",
    "card": "cast(n as text)",
    "vice_card": "case when n % 300 = 5 then 'c' || n end",
    "privilege": "case when n % 300 = 5 then 14 else 0 end",
}
SQLITE = {
    "bytes": "cast(n as blob)",
    "time": "datetime(1700000000 + 600 * n, 'unixepoch')",
    "numbers": "WITH RECURSIVE numbers(n) AS "  # noqa: S608 - names from the declarations
    f"(SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS})",
    "from": "numbers",
}
POSTGRESQL = {
    "bytes": "cast(cast(n as text) as bytea)",
    "time": "to_char(to_timestamp(1700000000 + 600 * n) at time zone 'UTC', "
    "'YYYY-MM-DD HH24:MI:SS')",
    "numbers": "",
    "from": f"generate_series(1, {ROWS}) AS numbers(n)",
}


def fill(tx: Transaction) -> None:
    """Fill the tables, and let the database look at what they hold."""
    is_sqlite = tx.connection.dialect.name == "sqlite"
    words = SQLITE if is_sqlite else POSTGRESQL
    for number in range(1, 101):
        tx[DeviceStore].add(f"T{number}", DeviceState.APPROVED, None, 0)
    for table, columns in FILLED.items():
        names = columns.split(", ")
        shapes = [OWN.get((table, name), VALUES[name]) for name in names]
        values = ", ".join(shape.format(**words) for shape in shapes)
        statement = (
            f"INSERT INTO {table} ({columns}) {words['numbers']} "  # noqa: S608 - names from the declarations
            f"SELECT {values} FROM {words['from']}"
        )
        tx.connection.execute(text(statement))
    extend_lists(tx)
    if not is_sqlite:
        tx.connection.execute(text("ANALYZE"))


def extend_lists(tx: Transaction) -> None:
    """List the records by person and terminal, but for the last hundred."""
    last = ROWS - 100
    for one in LISTS:
        tx.connection.execute(
            one.table.insert().from_select(
                [one.key, one.record_id],
                select(one.column, attendance.c.id).where(attendance.c.id <= last),
            )
        )
    set_last_listed(tx, last)


def plans(tx: Transaction, find: Callable[[Transaction, Page], object], part: Page) -> str:
    """How the database carries out the statements of a list."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _k: Any, statement: str, arguments: Any, *_: Any) -> None:
        if not statement.startswith("EXPLAIN"):
            asked.append((statement, arguments))

    event.listen(tx.connection, "before_cursor_execute", note)
    find(tx, part)
    event.remove(tx.connection, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if tx.connection.dialect.name == "sqlite" else "EXPLAIN "
    found = []
    for statement, arguments in asked:
        rows = tx.connection.exec_driver_sql(explain + statement, arguments)
        found += [" ".join(map(str, row)) for row in rows]
    return "\n".join(found)


def steps(tx: Transaction, find: Callable[[Transaction, Page], object], part: Page) -> int:
    """How many thousand instructions SQLite needs for a list; 0 on another database."""
    if tx.connection.dialect.name != "sqlite":
        return 0
    driver: Any = tx.connection.connection.driver_connection
    thousands = 0

    def count() -> None:
        nonlocal thousands
        thousands += 1

    driver.set_progress_handler(count, 1000)
    try:
        find(tx, part)
    finally:
        driver.set_progress_handler(None, 1000)
    return thousands


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_lists_read_no_table_from_end_to_end(url: str) -> None:
    """Each filter is found in its index, the oldest and the newest first, and in the middle.

    A plan does not show how much of a range is read, so that instructions are counted, too.
    """
    store = opened(url, KEY)
    try:
        await store.write(fill)
        scans = {}
        for name, (index, find) in QUERIES.items():
            for part in (Page(100), Page(100, newest_first=True), Page(100, 9000)):
                plan = await store.read(lambda tx, find=find, part=part: plans(tx, find, part))
                taken = await store.read(lambda tx, find=find, part=part: steps(tx, find, part))
                if not re.search(index, plan) or _SCAN.search(plan) or taken > MOST_STEPS:
                    plan += f"\n{taken} thousand instructions"
                    scans[name, part] = plan
        assert not scans, "\n\n".join(f"{key}\n{plan}" for key, plan in scans.items())
    finally:
        await store.stop()


_SCAN = re.compile(rf"SCAN ({'|'.join(FILLED)})\b(?! USING)|Seq Scan on ({'|'.join(FILLED)})\b")

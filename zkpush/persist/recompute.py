"""Recomputation of the instants of stored records, with the present time zone of the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Table, bindparam, select, text, update

from ..protocol.times import NO_ZONE, WallClock, doubt_about, far_off, wall_seconds
from .schema import devices, metadata
from .transaction import Transaction

_WAITING = text(f"doubt = '{NO_ZONE}'")  # literal, to match the partial index


class TimedRecord(NamedTuple):
    """Instant of a stored record, and the values that it is computed from."""

    id: int
    time: str
    offset: int | None
    """Offset from UTC in seconds that the record itself states."""
    received_at: int
    utc: int
    doubt: str | None


class Reckoned(NamedTuple):
    """Record whose instant, or the doubt about it, has changed."""

    key: int
    instant: int
    about: str | None
    was: str | None
    """The doubt before."""


def timed_tables() -> list[Table]:
    """List the tables of records with a time by the clock of their terminal."""
    return [table for table in metadata.tables.values() if "doubt" in table.c]


def terminals_waiting(tx: Transaction) -> list[str]:
    """List the terminals with a known time zone and records stored without one."""
    found: set[int] = set()
    for table in timed_tables():
        after = 0
        while True:
            query = (
                select(table.c.device_id)
                .where(_WAITING, table.c.device_id > after)
                .order_by(table.c.device_id)
                .limit(1)
            )
            device_id = tx.connection.execute(query).scalar_one_or_none()
            if device_id is None:
                break
            found.add(device_id)
            after = device_id
    known = select(devices.c.sn).where(devices.c.id.in_(found), devices.c.timezone.is_not(None))
    return list(tx.connection.execute(known.order_by(devices.c.id)).scalars())


def read_part(
    tx: Transaction, table: Table, device_id: int, after: int, limit: int, *, waiting: bool
) -> list[TimedRecord]:
    """Return the next records of a terminal after an id; `waiting` selects those without a zone."""
    offset = table.c.time_offset if "time_offset" in table.c else text("NULL")
    query = (
        select(table.c.id, table.c.time, offset, table.c.received_at, table.c.utc, table.c.doubt)
        .where(table.c.device_id == device_id, table.c.id > after, table.c.utc.is_not(None))
        .order_by(table.c.id)
        .limit(limit)
    )
    if waiting:
        query = query.where(_WAITING)
    return [TimedRecord(*row) for row in tx.connection.execute(query)]


def reckon_anew(
    records: Iterable[TimedRecord], clock: WallClock, since: int | None, until: int | None
) -> list[Reckoned]:
    """Return the changed records; `since` and `until` (exclusive) bound the new instants (s)."""
    changed = []
    for one in records:
        now = one.received_at // 1000
        if one.offset is None:
            instant = clock.utc(one.time)
            doubt = doubt_about(clock, one.time, instant, now)
        else:
            instant = wall_seconds([one.time])[0] - one.offset
            doubt = far_off(instant, now)
        if (since is not None and instant < since) or (until is not None and instant >= until):
            continue
        if (instant, doubt) != (one.utc, one.doubt):
            changed.append(Reckoned(one.id, instant, doubt, one.doubt))
    return changed


def write_part(tx: Transaction, table: Table, changed: Sequence[Reckoned]) -> None:
    """Write new instants."""
    statement = (
        update(table)
        .where(table.c.id == bindparam("key"))
        .values(utc=bindparam("instant"), doubt=bindparam("about"))
    )
    tx.connection.execute(
        statement,
        [{"key": one.key, "instant": one.instant, "about": one.about} for one in changed],
    )

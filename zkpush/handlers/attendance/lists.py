"""Lists of attendance records by person and by terminal: indexes that are written late.

An index of the database is written with each record, in a different place for each person. That
costs more than the rest of an upload. These lists hold the same entries, sorted, and are extended
by many records at a time (`zkpush.handlers.attendance.jobs`). A query reads a list up to its last
id, and the few newer records directly. Ids of records are never used again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Column, Connection, FromClause, Table, func, select

from ...persist.databases import Insert, in_arrays, insert
from ...persist.transaction import Transaction
from .schema import attendance, punches_listed, punches_of_people, punches_of_terminals

DUE = 50_000
"""Number of records by which the lists are extended; at most about twice as many are unlisted."""
_ROW = 1


class LateIndex(NamedTuple):
    """A list: the ids of records by the value of one of their columns, in place of an index."""

    table: Table
    column: Column[Any]
    """Column of the records."""
    key: Column[Any]
    """Column of the list."""

    @property
    def record_id(self) -> Column[int]:
        """Ids of the records."""
        return self.table.c.record_id

    def joined(self) -> FromClause:
        """Return the entries with their records."""
        return self.table.join(attendance, attendance.c.id == self.record_id)


PEOPLE = LateIndex(punches_of_people, attendance.c.pin, punches_of_people.c.pin)
TERMINALS = LateIndex(
    punches_of_terminals, attendance.c.device_id, punches_of_terminals.c.device_id
)
LISTS = (PEOPLE, TERMINALS)


class Entries(NamedTuple):
    """Sorted entries of a list: values of its column, and ids of records."""

    of: LateIndex
    keys: Sequence[object]
    ids: Sequence[int]

    def parts(self, size: int) -> Iterator[Entries]:
        """Split the entries into parts of at most this size."""
        for start in range(0, len(self.ids), size):
            end = start + size
            yield Entries(self.of, self.keys[start:end], self.ids[start:end])


class Extension(NamedTuple):
    """Records to add to the lists."""

    last_id: int
    """Last id of the lists once they are extended."""
    entries: Sequence[Entries]
    """Entries for each list."""


def last_listed(connection: Connection) -> int:
    """Return the last id of the lists; 0 if they are empty."""
    last: int | None = connection.execute(select(punches_listed.c.last_id)).scalar_one_or_none()
    return last or 0


def next_extension(tx: Transaction, due: int = DUE) -> Extension | None:
    """Return the next `due` records to add to the lists; None while there are fewer."""
    connection = tx.connection
    last = last_listed(connection)
    newest = connection.execute(select(func.max(attendance.c.id))).scalar_one() or 0
    if newest - last < due:
        return None
    query = (
        select(attendance.c.id, *(one.column for one in LISTS))
        .where(attendance.c.id > last, attendance.c.id <= last + due)
        .order_by(attendance.c.id)
    )
    arrays = connection.execute(in_arrays(connection.dialect.name, query)).one()
    ids, *keys = (msgspec.json.decode(array, type=list[Any]) for array in arrays)
    entries = [_sorted(one, values, ids) for one, values in zip(LISTS, keys, strict=True)]
    return Extension(last + due, entries)


def _sorted(one: LateIndex, keys: Sequence[Any], ids: Sequence[int]) -> Entries:
    """Sort entries by key; `ids` ascend, and those of one key keep their order."""
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return Entries(one, [keys[place] for place in order], [ids[place] for place in order])


def add_entries(tx: Transaction, entries: Entries) -> None:
    """Add entries to their list, unless it has them."""
    one = entries.of
    names = one.key.name, one.record_id.name
    tx.insert(Insert(one.table, names, (entries.keys, entries.ids), idempotent=True))


def set_last_listed(tx: Transaction, last: int) -> None:
    """Record that the lists are complete up to an id, unless they were complete beyond it."""
    row = insert(tx.connection, punches_listed).values(id=_ROW, last_id=last)
    tx.connection.execute(
        row.on_conflict_do_update(
            index_elements=[punches_listed.c.id],
            set_={"last_id": last},
            where=punches_listed.c.last_id < last,
        )
    )

"""Entries of areas, in the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import RowMapping, and_, delete, func, select, update

from ...model import Page
from ...persist.damage import damaged_in
from ...persist.databases import insert
from ...persist.events import EventStore
from ...persist.paging import part_of
from ...persist.sealed import opened, sealed
from ..areas.store import AreaStore
from .declared import MESSAGES
from .fields import Value
from .model import ACCESS_DATA, ENTRY, AccessEntry
from .schema import access_areas, access_entries

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

USERS = "users"
Name = tuple[str, str, str]
"""Table, key and part of an entry."""


class AccessStore:
    """Access data of areas."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection

    def page(self, area: str, table: str, part: Page) -> list[AccessEntry]:
        """List the entries of a table, in the order in which they were added."""
        query = select(access_entries).where(
            access_entries.c.area == area, access_entries.c.table_name == table
        )
        rows = self._connection.execute(part_of(query, access_entries.c.id, part))
        return [self._entry(row._mapping) for row in rows]

    def find(self, area: str, table: str, key: str) -> AccessEntry | None:
        """Return an entry; None if it does not exist."""
        row = self._connection.execute(select(access_entries).where(_is(area, table, key))).first()
        return None if row is None else self._entry(row._mapping)

    def keys(self, area: str, table: str) -> set[str]:
        """Return the keys of a table."""
        query = select(access_entries.c.entry).where(
            access_entries.c.area == area, access_entries.c.table_name == table
        )
        return set(self._connection.execute(query).scalars())

    def of_table(self, area: str, table: str) -> list[AccessEntry]:
        """Return all entries of a table."""
        query = select(access_entries).where(
            access_entries.c.area == area, access_entries.c.table_name == table
        )
        return [self._entry(row._mapping) for row in self._connection.execute(query)]

    def counts(self, area: str) -> dict[str, int]:
        """Return the number of entries by table."""
        query = select(access_entries.c.table_name, func.count()).where(
            access_entries.c.area == area
        )
        rows = self._connection.execute(query.group_by(access_entries.c.table_name))
        return {row[0]: int(row[1]) for row in rows}

    def put(self, area: str, table: str, key: str, fields: Mapping[str, Value], now: int) -> bool:
        """Add or replace an entry; returns whether it is another one than before."""
        before = self.find(area, table, key)
        if before is not None and before.fields == fields and not before.damaged:
            return False
        issued = {name: value for name, value in fields.items() if name != USERS}
        row = {
            "area": area,
            "table_name": table,
            "entry": key,
            "fields": msgspec.json.encode(fields).decode(),
            "digest": self._vault.index(msgspec.json.encode(issued)),
            "updated_at": now,
        }
        self._tx[AreaStore].put(area, {})
        values = sealed(self._vault, access_entries, row)
        statement = insert(self._connection, access_entries).values(values)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[
                    access_entries.c.area,
                    access_entries.c.table_name,
                    access_entries.c.entry,
                ],
                set_={name: values[name] for name in ("fields", "digest", "updated_at")},
            )
        )
        self._revise(area, now)
        self._tell("added" if before is None else "changed", area, table, key, now)
        return True

    def remove(self, area: str, table: str, key: str, now: int) -> None:
        """Remove an entry."""
        self._connection.execute(delete(access_entries).where(_is(area, table, key)))
        self._revise(area, now)
        self._tell("removed", area, table, key, now)

    def revisions(self) -> dict[str, int]:
        """Return the revisions of the areas with access data."""
        rows = self._connection.execute(select(access_areas))
        return {row.area: int(row.revision) for row in rows}

    def digests(self, area: str) -> dict[Name, bytes]:
        """Return the digests of everything that terminals of an area are sent."""
        columns = access_entries.c.table_name, access_entries.c.entry, access_entries.c.digest
        rows = self._connection.execute(select(*columns).where(access_entries.c.area == area))
        found: dict[Name, bytes] = {
            (row.table_name, row.entry, ENTRY): bytes(row.digest) for row in rows
        }
        for message in self.of_table(area, MESSAGES.name):
            for pin in _users(message):
                name = (MESSAGES.name, message.key, pin)
                found[name] = self._vault.index(msgspec.json.encode(name))
        return found

    def forget_person(self, pin: str, now: int) -> int:
        """Take a person off all messages; returns the number of messages."""
        query = select(access_entries).where(access_entries.c.table_name == MESSAGES.name)
        count = 0
        for row in self._connection.execute(query).all():
            message = self._entry(row._mapping)
            users = _users(message)
            if pin in users:
                left = [one for one in users if one != pin]
                self.put(
                    message.area, message.table, message.key, {**message.fields, USERS: left}, now
                )
                count += 1
        return count

    def _tell(self, what: str, area: str, table: str, key: str, now: int) -> None:
        data = {"area": area, "table": table, "key": key, "what": what}
        self._tx[EventStore].add(ACCESS_DATA, data, now, [area])

    def _revise(self, area: str, now: int) -> None:
        changed = self._connection.execute(
            update(access_areas)
            .where(access_areas.c.area == area)
            .values(revision=access_areas.c.revision + 1)
        ).rowcount
        if not changed:
            # The time, so that an area of the same name as a deleted one has another revision.
            self._connection.execute(access_areas.insert().values(area=area, revision=now))

    def _entry(self, row: RowMapping) -> AccessEntry:
        values = opened(self._vault, access_entries, row)
        text = values["fields"]
        return AccessEntry(
            id=row["id"],
            area=row["area"],
            table=row["table_name"],
            key=row["entry"],
            fields={} if text is None else msgspec.json.decode(text, type=dict[str, Any]),
            digest=bytes(row["digest"]),
            updated_at=row["updated_at"],
            damaged=bool(damaged_in(values)),
        )


def _is(area: str, table: str, key: str) -> Any:
    return and_(
        access_entries.c.area == area,
        access_entries.c.table_name == table,
        access_entries.c.entry == key,
    )


def _users(message: AccessEntry) -> list[str]:
    users = message.fields.get(USERS)
    return [str(one) for one in users] if isinstance(users, list) else []

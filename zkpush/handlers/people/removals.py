"""Records of people that were removed from terminals by commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy
from sqlalchemy import ColumnElement, Text, bindparam, delete, func, select, update

from ...persist.databases import Insert, texts
from ...persist.schema import devices
from .model import Key, Removal, key_text
from .schema import (
    IS_REMOVED,
    REMOVED,
    holdings,
    person_photos,
    removed_people,
    templates,
    users,
)
from .tables import BIODATA, BIOPHOTO, USER

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

KeyColumns = Mapping[str, object]
"""A key by the names of its columns."""
_KEYS = {users: USER.key, templates: BIODATA.key, person_photos: (*BIOPHOTO.key, "kind")}
_NAMES = ("table_name", "key", "device_id", "digest", "at")
_REPLACE = (
    "(table_name, key, device_id) DO UPDATE SET digest = excluded.digest, at = excluded.at "
    "WHERE excluded.at >= holdings.at"
)


class RemovalStore:
    """What terminals no longer hold of people; a later statement of the terminal ends that."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def remove(
        self,
        device_id: int,
        table: sqlalchemy.Table,
        pin: str,
        is_removed: Callable[[KeyColumns], bool],
        now: int,
    ) -> None:
        """Record that a terminal no longer has some records of a person.

        `is_removed` decides by the key of each record that is stored for the person.
        """
        keys: list[Key] = [(pin,)]
        if table is not users:
            names = _KEYS[table]
            query = select(*(table.c[name] for name in names)).where(table.c.pin == pin)
            found = [tuple(row) for row in self._connection.execute(query)]
            keys = [key for key in found if is_removed(dict(zip(names, key, strict=True)))]
        if keys:
            count = len(keys)
            columns: Sequence[Sequence[object]] = (
                *([str(table.name)] * count, sorted(map(key_text, keys)), [device_id] * count),
                *([REMOVED] * count, [now] * count),
            )
            self._tx.insert(Insert(holdings, _NAMES, columns, _REPLACE))

    def remove_all(self, device_id: int, pin: str, now: int) -> None:
        """Record that a terminal no longer has anything of a person that it stated."""
        is_older = about(holdings, pin) & (holdings.c.device_id == device_id)
        self._connection.execute(
            update(holdings).where(is_older, holdings.c.at <= now).values(digest=REMOVED, at=now)
        )

    def forget(self, device_id: int, pin: str) -> None:
        """Forget what a terminal stated about a person."""
        is_own = about(holdings, pin) & (holdings.c.device_id == device_id)
        self._connection.execute(delete(holdings).where(is_own))

    def removed(self, device_id: int, table: sqlalchemy.Table, keys: Iterable[Key]) -> set[Key]:
        """Return the keys of records that were removed from a terminal, or from all that had them.

        Such records are not sent to the terminal again with others.
        """
        by_text = {key_text(key): key for key in keys}
        listed = texts(self._connection.dialect.name, "keys")
        of_table = holdings.c.table_name == bindparam("table", type_=Text())
        removals = select(holdings.c.key, holdings.c.device_id)
        removals = removals.where(of_table, holdings.c.key.in_(listed), IS_REMOVED)
        place = {"table": str(table.name), "keys": msgspec.json.encode([*by_text]).decode()}
        terminals: dict[str, set[int]] = {}
        for key, terminal in self._connection.execute(removals, place):
            terminals.setdefault(key, set()).add(terminal)
        elsewhere = [key for key, places in terminals.items() if device_id not in places]
        place["keys"] = msgspec.json.encode(elsewhere).decode()
        is_held = func.length(holdings.c.digest) > 0
        held = select(holdings.c.key).where(of_table, holdings.c.key.in_(listed), is_held)
        there = set(self._connection.execute(held, place).scalars())
        return {by_text[key] for key in terminals if key not in there}

    def still_there(self) -> list[Removal]:
        """List removed people and the terminals that last stated that they have them."""
        query = (
            select(removed_people.c.pin, removed_people.c.at, devices.c.sn)
            .join(holdings, holdings.c.key == '["' + removed_people.c.pin + '"]')
            .join(devices, devices.c.id == holdings.c.device_id)
            .where(
                holdings.c.table_name == users.name,
                holdings.c.digest != REMOVED,
            )
            .order_by(removed_people.c.at, devices.c.sn)
        )
        return [Removal(row.pin, row.at, row.sn) for row in self._connection.execute(query)]


def about(table: sqlalchemy.Table, pin: str) -> ColumnElement[bool]:
    """Select the rows of statements about a person, by a range of the primary key.

    After the user ID, the JSON text of a key has a comma or a bracket.
    """
    begin = key_text((pin,)).removesuffix("]")
    return (
        table.c.table_name.in_([str(kept.name) for kept in _KEYS])
        & (table.c.key >= f"{begin},")
        & (table.c.key <= f"{begin}]")
    )

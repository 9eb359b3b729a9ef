"""Entries on terminals, in the store: work codes, short messages, lists of identity cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import RowMapping, select

from ...model import Page
from ...persist.damage import damaged_in
from ...persist.databases import Insert
from ...persist.forgetting import Erasure
from ...persist.paging import key_of, part_of
from ...persist.schema import devices
from ...persist.sealed import opened, seal_columns
from ...protocol.secrecy import EXTRA
from .model import Entry
from .schema import entries
from .tables import TABLES

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_NAMES = ("device_id", "table_name", "key", "fields", "digest", "updated_at")
_DECLARED = {table.name: frozenset(table.names) for table in TABLES}
_REPLACE = (
    "(device_id, table_name, key) DO UPDATE SET fields = excluded.fields, "
    "digest = excluded.digest, updated_at = excluded.updated_at "
    "WHERE excluded.updated_at >= entries.updated_at AND excluded.digest <> entries.digest"
)


class EntryStore:
    """Entries on terminals: work codes, short messages, lists of identity cards."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection

    def keep(
        self,
        device_id: int,
        table: str,
        said: Sequence[tuple[Sequence[object], Mapping[str, object]]],
        now: int,
    ) -> None:
        """Store entries of a terminal, each with its key and fields; `now` is in milliseconds."""
        newest = {msgspec.json.encode(key).decode(): fields for key, fields in said}
        count = len(newest)
        if not count:
            return
        keys = sorted(newest)
        fields = [msgspec.json.encode(newest[key]) for key in keys]
        digests = [self._vault.index(one) for one in fields]
        columns = ([device_id] * count, [table] * count, keys, fields, digests, [now] * count)
        written = seal_columns(self._vault, entries, _NAMES, columns)
        self._tx.insert(Insert(entries, _NAMES, written, _REPLACE))

    def page(self, part: Page, device: str | None, table: str | None) -> list[Entry]:
        """List entries by id."""
        query = select(entries, devices.c.sn).join(devices)
        if device is not None:
            query = query.where(entries.c.device_id == key_of(device))
        if table is not None:
            query = query.where(entries.c.table_name == table)
        found = self._connection.execute(part_of(query, entries.c.id, part))
        return [self._entry(row._mapping) for row in found]

    def _entry(self, row: RowMapping) -> Entry:
        values = opened(self._vault, entries, row)
        said = msgspec.json.decode(values["fields"] or "{}")
        fields, extra = _declared(row["table_name"], said)
        return Entry(
            id=row["id"],
            device=row["sn"],
            table=row["table_name"],
            fields=fields,
            extra=extra,
            updated_at=row["updated_at"],
            damaged=damaged_in(values),
        )


def _declared(table: str, said: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split the fields of an entry into declared and undeclared ones.

    Older rows were written before the two were separated.
    """
    names = _DECLARED.get(table, frozenset())
    fields = {name: value for name, value in said.items() if name in names}
    extra = {name: value for name, value in said.items() if name not in names}
    undeclared = extra.get(EXTRA)
    if isinstance(undeclared, dict):
        extra = {**extra, **undeclared}
        if EXTRA not in undeclared:
            del extra[EXTRA]
    return fields, extra


def forget_templates(erasure: Erasure) -> int:
    """Remove undeclared values that may be templates."""
    vault, rules = erasure.vault, erasure.rules
    for row in erasure.connection.execute(select(entries)).all():
        fields = opened(vault, entries, row._mapping)["fields"]
        said = {} if not fields else msgspec.json.decode(fields, type=dict[str, Any])
        extra = said.get(EXTRA)
        if not extra or rules.kept_pairs(extra) == extra:
            continue
        fields = msgspec.json.encode({**said, EXTRA: rules.kept_pairs(extra)})
        erasure.change(entries, row, {"fields": fields, "digest": vault.index(fields)})
    return 0

"""When records of terminals were received, for those who only know their terminal and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import func, select

from ..protocol import fields
from .schema import RECORDS, metadata

if TYPE_CHECKING:
    from .transaction import Transaction

_COLUMNS = ("device_id", "time", "received_at")


def is_new_thd(
    tx: Transaction, table: fields.Table, device_id: int, time: str, received_at: int
) -> bool:
    """Return whether a record of a terminal was new when it was received at `received_at` (ms).

    `time` is the terminal's wall clock time of the record. A record that was sent again is stored
    with the time of its first receipt. Records of tables that do not keep it count as new.
    """
    kept = _stored(table)
    if kept is None:
        return True
    query = select(func.max(kept.c.received_at)).where(
        kept.c.time == time, kept.c.device_id == device_id
    )
    last = tx.connection.execute(query).scalar_one()
    return last is not None and int(last) >= received_at


def _stored(table: fields.Table) -> sqlalchemy.Table | None:
    """Find the table in which records are stored with their times and times of receipt."""
    for kept in metadata.tables.values():
        if any(one is table for one in kept.info.get(RECORDS, ())):
            return kept if all(name in kept.c for name in _COLUMNS) else None
    return None

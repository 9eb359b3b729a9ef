"""The end of a terminal: what it holds of people is not known any more."""

from __future__ import annotations

from sqlalchemy import delete, update

from ...persist.ending import TerminalEnding
from .claims import ClaimStore
from .schema import (
    conflicts,
    contested_parts,
    erased_holders,
    holdings,
    person_words,
    strangers,
)


def end_terminal(ending: TerminalEnding) -> None:
    """Forget what a terminal holds, and close its conflicts: nobody can settle them there."""
    connection, device_id = ending.tx.connection, ending.device.id
    for table in (holdings, person_words, erased_holders, contested_parts, strangers):
        connection.execute(delete(table).where(table.c.device_id == device_id))
    is_open = (conflicts.c.device_id == device_id) & conflicts.c.settled_at.is_(None)
    connection.execute(
        update(conflicts).where(is_open).values(settled_at=ending.now, settled_by="retirement")
    )
    ending.tx[ClaimStore].end_all(device_id, ending.now)

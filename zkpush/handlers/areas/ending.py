"""The end of a terminal: nobody belongs there any more."""

from __future__ import annotations

from sqlalchemy import delete

from ...persist.ending import TerminalEnding
from .schema import distribution_terminals, drifts, emptied_terminals, places


def end_terminal(ending: TerminalEnding) -> None:
    """Forget who belongs on a terminal; its successor is compared as a new terminal."""
    for table in (places, distribution_terminals, drifts, emptied_terminals):
        ending.tx.connection.execute(delete(table).where(table.c.device_id == ending.device.id))

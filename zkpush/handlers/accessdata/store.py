"""Access data in the store."""

from __future__ import annotations

from sqlalchemy import delete

from ...persist.devices import DeviceStore
from ...persist.ending import TerminalEnding
from ...persist.erasing import PersonErasure
from ...problems import ProblemCode
from .entries import AccessStore
from .placing import IssueStore
from .schema import access_places, access_terminals

__all__ = ["AccessStore", "IssueStore", "end_terminal", "erase_person"]


def end_terminal(ending: TerminalEnding) -> None:
    """Forget what belongs on a terminal; its successor is compared as a new terminal."""
    for table in (access_places, access_terminals):
        ending.tx.connection.execute(delete(table).where(table.c.device_id == ending.device.id))
    ending.tx[DeviceStore].clear_problem(ending.device.id, ProblemCode.ACCESS_REFUSED)


def erase_person(erasure: PersonErasure) -> int:
    """Take a person off messages; people has the person deleted on terminals."""
    tx = erasure.tx
    count = tx[AccessStore].forget_person(erasure.pin, erasure.now)
    return count + tx[IssueStore].forget_person(erasure.pin)

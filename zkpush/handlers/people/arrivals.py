"""People whom terminals add, in the audit log: one record for each terminal and unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...persist.audit import AuditStore
from ...persist.buffers import BufferedInserts
from ...persist.databases import Insert
from ...values.audit import device_actor, terminal_subject

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

BRING = "bring people"
MOST_NAMED = 10
"""People of a record who are named."""


class ArrivalLog(BufferedInserts):
    """Collects new people, and records them before the audit log is written.

    An upload may state people in several tables. Takes no lock but that of the audit log.
    """

    order = 1

    def __init__(self, tx: Transaction) -> None:
        self._audit = tx[AuditStore]
        super().__init__(tx)

    def add(self, sn: str, pins: Sequence[str], now: int) -> None:
        """Note the user IDs of people whom nobody had stated before a terminal did."""
        self.waiting.setdefault((sn, now), []).extend(pins)

    def take(self) -> list[Insert]:
        """Hand the records over to the audit log, which is written later."""
        for (sn, now), pins in self.waiting.items():
            detail = f"{len(pins)} people: " if len(pins) > 1 else "1 person: "
            detail += ", ".join(map(self._audit.person, pins[:MOST_NAMED]))
            if len(pins) > MOST_NAMED:
                detail += ", …"
            self._audit.add(device_actor(sn), BRING, terminal_subject(sn), detail, now)
        self.forget_waiting()
        return []

    def forget_waiting(self) -> None:
        """Drop what was noted: its transaction is not committed."""
        self.waiting: dict[tuple[str, int], list[str]] = {}

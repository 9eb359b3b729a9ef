"""Operations, errors and identity cards in the store."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import delete, update

from ...persist.erasing import PersonErasure
from ...persist.forgetting import Erasure
from ...persist.logs import LogStore
from ...protocol.records import Batch, value_of
from ...protocol.secrecy import RAW
from ...protocol.times import WallClock
from ..people.store import ErasedPeople
from .model import (
    STORED_ERROR,
    STORED_ID_CARD,
    STORED_OPERATION,
    ErrorRecord,
    IdCardRecord,
    OperationRecord,
)
from .schema import errors, idcards, operations
from .tables import ERRORLOG, IDCARD, OPLOG


class OperationStore(LogStore[OperationRecord]):
    """Operations of administrators on terminals (11.4)."""

    records = OPLOG
    kept = operations
    values = STORED_OPERATION


class ErrorStore(LogStore[ErrorRecord]):
    """Errors of terminals."""

    records = ERRORLOG
    kept = errors
    values = STORED_ERROR


class IdCardStore(LogStore[IdCardRecord]):
    """Records of identity cards; those of people who were erased are not stored."""

    records = IDCARD
    kept = idcards
    values = STORED_ID_CARD

    def add(self, device_id: int, batch: Batch, clock: WallClock, now: int) -> None:
        """Store decoded records; see `LogStore.add`."""
        pins = [value_of(IDCARD, row, "pin") for row in batch.rows]
        gone = self._tx[ErasedPeople].found_at(device_id, {str(pin) for pin in pins if pin})
        rows = [row for pin, row in zip(pins, batch.rows, strict=True) if pin not in gone]
        super().add(device_id, msgspec.structs.replace(batch, rows=rows), clock, now)


STORES: tuple[type[LogStore[Any]], ...] = (OperationStore, ErrorStore, IdCardStore)


def erase_person(erasure: PersonErasure) -> int:
    """Remove the identity cards that terminals read for a person, and their raw lines."""
    of_person = delete(idcards).where(idcards.c.pin == erasure.pin)
    return erasure.tx.connection.execute(of_person).rowcount


def forget_templates(erasure: Erasure) -> int:
    """Remove the fingerprints of identity cards, and the raw lines that may contain them."""
    names = [field.name for field in IDCARD.fields if field.holds_template]
    erasure.connection.execute(update(idcards).values(dict.fromkeys([*names, RAW])))
    return 0

"""Operations, errors and identity cards in the store."""

from __future__ import annotations

from typing import Any

from ...persist.logs import LogStore
from ...persist.schema import errors, idcards, operations
from ...protocol.tables import ERRORLOG, IDCARD, OPLOG
from ...values.logs import (
    STORED_ERROR,
    STORED_ID_CARD,
    STORED_OPERATION,
    ErrorRecord,
    IdCardRecord,
    OperationRecord,
)


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
    """Records of identity cards."""

    records = IDCARD
    kept = idcards
    values = STORED_ID_CARD


STORES: tuple[type[LogStore[Any]], ...] = (OperationStore, ErrorStore, IdCardStore)

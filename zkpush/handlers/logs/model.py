"""Logs: operations, errors and identity cards, kept as received."""

from __future__ import annotations

from ...stored import DatedRecord, TerminalRecord, stored_type
from .tables import ERRORLOG, IDCARD, OPLOG


class OperationRecord(DatedRecord, frozen=True, kw_only=True):
    """Operation on a terminal (11.4)."""

    code: int
    value_1: str | None = None
    value_2: str | None = None
    value_3: str | None = None
    value_4: str | None = None


class ErrorRecord(TerminalRecord, frozen=True, kw_only=True):
    """Error reported by a terminal."""

    code: str


class IdCardRecord(TerminalRecord, frozen=True, kw_only=True):
    """Identity card read by a terminal."""

    nation: int | None = None


STORED_OPERATION = stored_type(OperationRecord, OPLOG)
STORED_ERROR = stored_type(ErrorRecord, ERRORLOG)
STORED_ID_CARD = stored_type(IdCardRecord, IDCARD)

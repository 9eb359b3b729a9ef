"""Database tables of operations, errors and identity cards."""

from __future__ import annotations

from ...persist.logs import log_table
from .tables import ERRORLOG, IDCARD, OPLOG

operations = log_table("operations", OPLOG)

errors = log_table("errors", ERRORLOG)

idcards = log_table("idcards", IDCARD)

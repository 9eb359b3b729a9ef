"""The tables of logs (11.4, 11.6, 11.16)."""

from __future__ import annotations

from ...protocol.tables import ERRORLOG, IDCARD, OPLOG

TABLES = (OPLOG, ERRORLOG, IDCARD)

"""The tables of what terminals hold beside people (12.1.1.9 to 12.1.1.12, 12.1.1.18)."""

from __future__ import annotations

from ...protocol.tables import ENTRY_TABLES

TABLES = ENTRY_TABLES

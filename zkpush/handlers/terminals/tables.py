"""What terminals say of themselves (8, 9)."""

from __future__ import annotations

from ...protocol.reports import INFO, OPTIONS

TABLES = (OPTIONS, INFO)

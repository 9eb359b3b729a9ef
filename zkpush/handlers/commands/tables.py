"""The commands that are not declared by another noun (12)."""

from __future__ import annotations

from ...protocol import tables

COMMANDS = tables.COMMANDS

"""Everything that the capabilities declare."""

from __future__ import annotations

from zkpush.declarations import declarations
from zkpush.protocol.reports import INFO, OPTIONS

TABLES = declarations().tables
CATALOGUE = declarations().catalogue
COMMANDS = CATALOGUE.commands
RECORD_TABLES = tuple(table for table in TABLES if table not in (OPTIONS, INFO))
"""What is uploaded as records."""


def table(name: str):
    """The table of a name or alias."""
    found = TABLES.get(name)
    assert found is not None, name
    return found

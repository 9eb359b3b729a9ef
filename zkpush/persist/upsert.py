"""`INSERT … ON CONFLICT`, which SQLAlchemy has in the dialects only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> Any:
    """An insert of the connection's own dialect, with `on_conflict_do_nothing` and `…_update`."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)

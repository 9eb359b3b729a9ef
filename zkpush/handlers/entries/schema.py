"""Database table of entries on terminals."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)

from ...persist.schema import RECORDS, KeyText, RowId, metadata
from ...persist.sealed import KEY, SealedText
from .tables import TABLES

entries = Table(
    "entries",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_id", RowId, ForeignKey("devices.id"), nullable=False),
    Column("table_name", KeyText, nullable=False),
    Column("key", KeyText, nullable=False),
    Column("fields", SealedText(), nullable=False, server_default=text("''")),
    Column("digest", LargeBinary(), nullable=False, server_default=text("''")),
    Column("updated_at", BigInteger(), nullable=False),
    UniqueConstraint("device_id", "table_name", "key", name="entries_identity"),
    Index("entries_device", "device_id", "id"),
    Index("entries_table", "table_name", "id"),
    info={KEY: ("device_id", "table_name", "key"), RECORDS: TABLES},
)
"""Work codes, messages and lists of terminals; one row per entry and terminal."""

"""Database table of the trace."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table

from ...persist.schema import KeyText, PlainText, RowId, metadata

trace = Table(
    "trace",
    metadata,
    Column("writer", KeyText, primary_key=True),
    Column("number", BigInteger(), primary_key=True),
    Column("device_id", RowId, ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
    Column("since_at", BigInteger(), nullable=False),
    Column("at", BigInteger(), nullable=False),
    Column("count", BigInteger(), nullable=False),
    Column("refused", Integer(), nullable=False),
    Column("request", PlainText(), nullable=False),
    Index("trace_of_device", "device_id", "refused", "at"),
)
"""Last requests of terminals, as JSON without secrets; see `zkpush.handlers.trace`."""

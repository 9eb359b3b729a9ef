"""Database tables of completeness."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, text

from ...persist.schema import KeyText, PlainText, RowId, metadata

_OPEN = text("state IN ('counting', 'fetching', 'recounting', 'waiting')")
_SHORT = text("state = 'short'")

day_counts = Table(
    "day_counts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_id", RowId, ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
    Column("day", KeyText, nullable=False),
    Column("run", KeyText),
    Column("state", KeyText, nullable=False),
    Column("command", KeyText),
    Column("asked", Integer(), nullable=False, server_default=text("0")),
    Column("counted", BigInteger()),
    Column("stored", BigInteger()),
    Column("fetched", BigInteger()),
    Column("sent", BigInteger()),
    Column("verifications", BigInteger()),
    Column("rejects", BigInteger()),
    Column("detail", PlainText()),
    Column("not_before_at", BigInteger(), nullable=False),
    Column("deadline_at", BigInteger(), nullable=False),
    Column("created_at", BigInteger(), nullable=False),
    Column("finished_at", BigInteger()),
    Index("day_counts_open", "device_id", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("day_counts_short", "device_id", "day", sqlite_where=_SHORT, postgresql_where=_SHORT),
    Index("day_counts_day", "device_id", "day", "id"),
    Index("day_counts_device", "device_id", "id"),
    Index("day_counts_state", "state", "id"),
    Index("day_counts_run", "run", "id"),
    Index("day_counts_command", "command"),
)
"""Counts of the days of terminals, in the order in which they were planned."""

counted_terminals = Table(
    "counted_terminals",
    metadata,
    Column(
        "device_id",
        RowId,
        ForeignKey("devices.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    # The night, as `YYYY-MM-DD` of its begin, for which the terminal was planned last.
    Column("night", PlainText()),
    # When and how it refused to count; empty after it has counted.
    Column("refused_at", BigInteger()),
    Column("refusal", PlainText()),
)
"""What is known about terminals that count."""

"""Database tables of areas."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Table, text

from ...persist.schema import KeyText, PlainText, metadata

areas = Table(
    "areas",
    metadata,
    Column("name", KeyText, primary_key=True),
    Column("description", PlainText()),
    Column("distributes", Boolean(), nullable=False, server_default=text("false")),
)
"""Areas that are described or distribute people. Others exist by their terminals and people."""

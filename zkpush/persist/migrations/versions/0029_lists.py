"""Indexes for the filters of record lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

_INDEXES = (
    ("attendance", "pin", "pin"),
    ("attendance", "device", "device_id"),
    ("operations", "device", "device_id"),
    ("errors", "device", "device_id"),
    ("idcards", "device", "device_id"),
    ("attendance_photos", "device", "device_id"),
    ("attendance_photos", "pin", "pin"),
    ("entries", "device", "device_id"),
    ("entries", "table", "table_name"),
    ("rejects", "table", "table_name"),
)


def upgrade() -> None:
    """Create the indexes."""
    for table, name, column in _INDEXES:
        op.create_index(f"{table}_{name}", table, [column, "id"])
    verification = sa.text("record_type = 1")
    op.create_index(
        "attendance_verification",
        "attendance",
        ["record_type", "id"],
        sqlite_where=verification,
        postgresql_where=verification,
    )

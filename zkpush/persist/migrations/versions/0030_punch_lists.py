"""Lists of attendance records by person and by terminal, in place of two indexes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Create the lists from the indexes, and drop these."""
    text = sa.Text()
    if op.get_bind().dialect.name == "postgresql":
        text = sa.Text(collation="C")
    for table, key, kind in (
        ("punches_of_people", "pin", text),
        ("punches_of_terminals", "device_id", sa.BigInteger()),
    ):
        op.create_table(
            table,
            sa.Column(key, kind, primary_key=True, autoincrement=False),
            sa.Column("record_id", sa.BigInteger(), primary_key=True, autoincrement=False),
            sqlite_with_rowid=False,
        )
        op.execute(
            f"INSERT INTO {table} ({key}, record_id) "  # noqa: S608 - names from above
            f"SELECT {key}, id FROM attendance ORDER BY {key}, id"
        )
    op.create_table(
        "punches_listed",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
    )
    op.execute(
        "INSERT INTO punches_listed (id, last_id) "
        "SELECT 1, max(id) FROM attendance HAVING max(id) IS NOT NULL"
    )
    op.drop_index("attendance_pin", "attendance")
    op.drop_index("attendance_device", "attendance")

"""Counts of the days of terminals, to prove that all attendance records are stored."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
OPEN = sa.text("state IN ('counting', 'fetching', 'recounting', 'waiting')")
SHORT = sa.text("state = 'short'")


def upgrade():
    op.create_table(
        "day_counts",
        sa.Column("id", row_id, primary_key=True),
        sa.Column(
            "device_id", row_id, sa.ForeignKey("devices.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("day", key_text, nullable=False),
        sa.Column("run", key_text),
        sa.Column("state", key_text, nullable=False),
        sa.Column("command", key_text),
        sa.Column("asked", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("counted", sa.BigInteger()),
        sa.Column("stored", sa.BigInteger()),
        sa.Column("fetched", sa.BigInteger()),
        sa.Column("sent", sa.BigInteger()),
        sa.Column("verifications", sa.BigInteger()),
        sa.Column("rejects", sa.BigInteger()),
        sa.Column("detail", sa.Text()),
        sa.Column("not_before_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
    )
    for name, columns, where in (
        ("day_counts_open", ["device_id", "id"], OPEN),
        ("day_counts_short", ["device_id", "day"], SHORT),
        ("day_counts_day", ["device_id", "day", "id"], None),
        ("day_counts_device", ["device_id", "id"], None),
        ("day_counts_state", ["state", "id"], None),
        ("day_counts_run", ["run", "id"], None),
        ("day_counts_command", ["command"], None),
    ):
        op.create_index(name, "day_counts", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "counted_terminals",
        sa.Column(
            "device_id",
            row_id,
            sa.ForeignKey("devices.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("night", sa.Text()),
        sa.Column("refused_at", sa.BigInteger()),
        sa.Column("refusal", sa.Text()),
    )

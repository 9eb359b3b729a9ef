"""Trace: the last requests of terminals."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.create_table(
        "trace",
        sa.Column("writer", key_text, primary_key=True),
        sa.Column("number", sa.BigInteger(), primary_key=True),
        sa.Column(
            "device_id", row_id, sa.ForeignKey("devices.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
    )
    op.create_index("trace_of_device", "trace", ["device_id", "refused", "at"])

"""Rejects that can be read again: how they were sent, and how often they were tried."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.add_column("rejects", sa.Column("packed", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("rejects", sa.Column("name", sa.LargeBinary()))
    op.add_column("rejects", sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("rejects", sa.Column("tried_at", sa.BigInteger()))
    op.create_index("rejects_of_device", "rejects", ["device_id", "id"])
    op.create_table(
        "reject_readers",
        sa.Column(
            "device_id", row_id, sa.ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("reader", sa.Text(), nullable=False),
    )

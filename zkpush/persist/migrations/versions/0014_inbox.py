"""Inbox of plugins."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.create_table(
        "inbox",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("plugin", key_text, nullable=False),
        sa.Column("device_id", row_id, sa.ForeignKey("devices.id"), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("mark", key_text, nullable=False, unique=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("next_at", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("isolated", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("error", sa.Text()),
        sa.Column("failed_at", sa.BigInteger()),
    )
    op.create_index("inbox_order", "inbox", ["plugin", "isolated", "device_id", "id"])

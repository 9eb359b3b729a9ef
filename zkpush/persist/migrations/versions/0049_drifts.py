"""Differences between what terminals hold of people and what is recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"

key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.create_table(
        "drifts",
        sa.Column(
            "device_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.ForeignKey("devices.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("differs", sa.Text()),
        sa.Column("since_at", sa.BigInteger()),
        sa.Column("settled", sa.Text()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("subject", sa.Integer()),
        sa.Column("following", sa.Text()),
        sa.Column("command", key_text),
        sa.Column("asked_at", sa.BigInteger()),
        sa.Column("known", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("checked_at", sa.BigInteger()),
        sa.Column("lost", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("lost_templates", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("found", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("reason", sa.Text()),
    )

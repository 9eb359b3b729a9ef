"""Encrypted sessions, and session tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    for column in (
        sa.Column("encryption", sa.Text()),
        sa.Column("cipher", sa.Text()),
        sa.Column("generation", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("token_policy", sa.Text(), nullable=False, server_default=sa.text("'check'")),
        sa.Column("tokens", sa.Text(), nullable=False, server_default=sa.text("'[]'")),
    ):
        op.add_column("devices", column)
    op.create_table(
        "sessions",
        sa.Column(
            "device_id",
            row_id,
            sa.ForeignKey("devices.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("secret", sa.LargeBinary()),
        sa.Column("generation", sa.BigInteger()),
        sa.Column("suite", sa.Text()),
        sa.Column("state", sa.LargeBinary()),
        sa.Column("number", sa.BigInteger()),
        sa.Column("next_generation", sa.BigInteger()),
        sa.Column("next_suite", sa.Text()),
        sa.Column("next_state", sa.LargeBinary()),
        sa.Column("next_step", sa.Text()),
    )

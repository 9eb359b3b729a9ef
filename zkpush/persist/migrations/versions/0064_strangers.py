"""Terminals that have somebody else under the user ID of a person."""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"


def upgrade():
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    device = sa.ForeignKey("devices.id", ondelete="CASCADE")
    op.create_table(
        "strangers",
        sa.Column("pin", key, primary_key=True),
        sa.Column("device_id", row_id, device, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )

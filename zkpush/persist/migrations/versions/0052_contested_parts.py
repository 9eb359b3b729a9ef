"""Templates and photos of two people under one user ID, kept apart."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.create_table(
        "contested_parts",
        sa.Column("table_name", key, primary_key=True),
        sa.Column("key", key, primary_key=True),
        sa.Column(
            "device_id",
            row_id,
            sa.ForeignKey("devices.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("pin", key, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False),
    )
    op.create_index("contested_parts_pin", "contested_parts", ["pin", "device_id"])

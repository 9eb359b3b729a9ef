"""People who left, and whose user ID somebody else has got since."""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0069"


def upgrade():
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "earlier_holders",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("pin", key, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("areas", sa.Text()),
    )
    op.create_index("ix_earlier_holders_pin", "earlier_holders", ["pin"])

"""The process that distributes people."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.create_table(
        "distribution_turn",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("owner", sa.Text(), nullable=False),
    )

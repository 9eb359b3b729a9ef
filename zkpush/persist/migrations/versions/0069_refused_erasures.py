"""Terminals that refused to delete an erased person: how often, why, and when the next try is."""

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0068"


def upgrade():
    never = sa.text("0")
    op.add_column(
        "erased_holders", sa.Column("refusals", sa.Integer(), nullable=False, server_default=never)
    )
    for name in ("return_code", "refused_at", "due_at"):
        op.add_column("erased_holders", sa.Column(name, sa.BigInteger()))

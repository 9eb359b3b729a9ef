"""How often the same rejected data came, when it came last, and from where."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"


def upgrade():
    one = sa.text("1")
    op.add_column("rejects", sa.Column("times", sa.Integer(), nullable=False, server_default=one))
    op.add_column("rejects", sa.Column("last_at", sa.BigInteger()))
    op.add_column("rejects", sa.Column("address", sa.Text()))

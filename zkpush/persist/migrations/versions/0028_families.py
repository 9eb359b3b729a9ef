"""Terminal families: the protocol of each terminal and of each command."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade():
    for table in ("devices", "commands"):
        op.add_column(
            table,
            sa.Column("family", sa.Text(), nullable=False, server_default=sa.text("'attendance'")),
        )
    op.add_column("devices", sa.Column("offered_family", sa.Text()))

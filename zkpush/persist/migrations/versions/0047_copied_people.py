"""People who are copied to a terminal whose area does not distribute."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade():
    op.add_column(
        "places",
        sa.Column("is_copied", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )

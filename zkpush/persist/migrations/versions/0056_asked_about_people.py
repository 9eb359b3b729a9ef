"""Whether a terminal was asked whose the templates and photos are that are stored apart."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"


def upgrade():
    op.add_column(
        "contested_parts",
        sa.Column("asked", sa.Boolean(), nullable=False, server_default=sa.true()),
    )

"""Networks from which each terminal may connect."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade():
    op.add_column(
        "devices", sa.Column("networks", sa.Text(), nullable=False, server_default=sa.text("'[]'"))
    )

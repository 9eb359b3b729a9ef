"""Areas that accounts of the console are limited to."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"


def upgrade():
    op.add_column("accounts", sa.Column("areas", sa.Text()))

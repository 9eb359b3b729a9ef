"""Areas that tokens are limited to."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade():
    op.add_column("tokens", sa.Column("areas", sa.Text()))

"""Intervals of terminals that poll less often than they are told."""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"


def upgrade():
    op.add_column("devices", sa.Column("poll_interval", sa.BigInteger()))

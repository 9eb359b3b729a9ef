"""Replays of forwarders."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade():
    op.add_column("forwarders", sa.Column("replay", sa.Text()))

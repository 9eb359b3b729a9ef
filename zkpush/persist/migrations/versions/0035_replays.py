"""Replays of forwarders."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade():
    op.add_column("forwarders", sa.Column("replay", sa.Text()))

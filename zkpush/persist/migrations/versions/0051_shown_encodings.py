"""Encodings in which terminals set to Chinese have sent texts."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"


def upgrade():
    op.add_column("devices", sa.Column("shown_encoding", sa.Text()))

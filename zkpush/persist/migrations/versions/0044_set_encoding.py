"""Text encoding of a terminal, as set by an operator."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"


def upgrade():
    op.add_column("devices", sa.Column("encoding", sa.Text()))

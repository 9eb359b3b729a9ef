"""Protocol version of a terminal, as set by an operator."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade():
    op.add_column("devices", sa.Column("version", sa.Text()))

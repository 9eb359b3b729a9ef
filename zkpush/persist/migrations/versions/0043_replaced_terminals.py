"""The terminal that has replaced another one."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade():
    op.add_column("devices", sa.Column("replaced_by", sa.Text()))

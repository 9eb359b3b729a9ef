"""Rejects that are whole bodies: the request that brought them."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade():
    op.add_column("rejects", sa.Column("origin", sa.LargeBinary()))

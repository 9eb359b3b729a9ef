"""Public reasons of rejects, by which the problem of a terminal counts them."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"


def upgrade():
    op.add_column("rejects", sa.Column("cause", sa.Text()))

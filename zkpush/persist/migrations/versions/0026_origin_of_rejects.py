"""Original requests of rejects that are whole bodies."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade():
    op.add_column("rejects", sa.Column("origin", sa.LargeBinary()))

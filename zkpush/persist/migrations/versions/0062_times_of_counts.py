"""The time when a terminal reported the present numbers of its users and templates."""

from alembic import op
from sqlalchemy import BigInteger, Column

revision = "0062"
down_revision = "0061"


def upgrade():
    op.add_column("devices", Column("counts_at", BigInteger()))

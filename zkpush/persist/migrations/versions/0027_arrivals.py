"""First ids of attendance records by ten-minute period, in place of an index of all records."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade():
    op.create_table(
        "arrivals",
        sa.Column("period", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
    )
    op.execute(
        "INSERT INTO arrivals (period, first_id) "
        "SELECT received_at / 600000, min(id) FROM attendance GROUP BY received_at / 600000"
    )
    op.drop_index("attendance_received", "attendance")

"""Times of the first and the last punch of each terminal."""

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"


def upgrade():
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "punch_ends",
        sa.Column("device_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("first_time", key, nullable=False),
        sa.Column("last_time", key, nullable=False),
    )
    op.create_table(
        "punch_ends_read",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
    )
    op.execute(
        "INSERT INTO punch_ends (device_id, first_time, last_time) "
        "SELECT device_id, min(time), max(time) FROM attendance "
        "WHERE record_type IS NULL OR record_type = 0 GROUP BY device_id"
    )
    op.execute(
        "INSERT INTO punch_ends_read (id, last_id) "
        "SELECT 1, max(id) FROM attendance HAVING max(id) IS NOT NULL"
    )

"""Times of the first and the last punch of each terminal."""

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"
STEP = 50_000
"""Records read at once."""
PART = sa.text(
    "SELECT device_id, min(time), max(time) FROM attendance "
    "WHERE id > :begin AND id <= :end AND (record_type IS NULL OR record_type = 0) "
    "GROUP BY device_id"
)


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
    connection = op.get_bind()
    newest = connection.execute(sa.text("SELECT max(id) FROM attendance")).scalar_one() or 0
    ends = {}
    for begin in range(0, newest, STEP):  # a database sorts few rows in memory
        found = connection.execute(PART, {"begin": begin, "end": begin + STEP})
        for device_id, first, last in found:
            before = ends.get(device_id, (first, last))
            ends[device_id] = min(first, before[0]), max(last, before[1])
    if ends:
        rows = [{"device_id": key, "first": one[0], "last": one[1]} for key, one in ends.items()]
        connection.execute(sa.text("INSERT INTO punch_ends VALUES (:device_id, :first, :last)"), rows)
    if newest:
        connection.execute(sa.text("INSERT INTO punch_ends_read VALUES (1, :id)"), {"id": newest})

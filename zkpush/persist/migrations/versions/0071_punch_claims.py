"""Spans of time in which terminals have somebody else under a user ID, for the punches of them.

There is one for each open conflict about a name, for each that was decided against a terminal, and
for each terminal that still has somebody else after such a conflict. A terminal that reported the
user first had the right person until an hour before. They take the place of `doubtful_until`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"

_OPEN_END = 2**62
_NAMED = "' ' || conflicts.fields || ' ' LIKE '% name %'"
_SINCE = (
    "CASE WHEN (SELECT users.device_id FROM users WHERE users.pin = conflicts.pin) "
    "= conflicts.device_id THEN conflicts.at - 3600000 END"
)
_IS_LAST = (
    "conflicts.id = (SELECT max(other.id) FROM conflicts AS other "
    "WHERE other.pin = conflicts.pin AND other.device_id = conflicts.device_id "
    "AND ' ' || other.fields || ' ' LIKE '% name %')"
)
_STILL = (
    "EXISTS (SELECT 1 FROM strangers WHERE strangers.pin = conflicts.pin "
    "AND strangers.device_id = conflicts.device_id)"
)
_GOES_ON = f"({_IS_LAST} AND (settled_at IS NULL OR {_STILL}))"
_UNTIL = (
    f"CASE WHEN {_GOES_ON} THEN NULL WHEN doubtful_until < {_OPEN_END} THEN doubtful_until "
    "ELSE settled_at END"
)


def upgrade():
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    device = sa.ForeignKey("devices.id", ondelete="CASCADE")
    op.create_table(
        "punch_claims",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("pin", key, nullable=False),
        sa.Column("device_id", row_id, device, nullable=False),
        sa.Column("name", sa.LargeBinary()),
        sa.Column("conflict_id", sa.BigInteger()),
        sa.Column("since_at", sa.BigInteger()),
        sa.Column("until_at", sa.BigInteger()),
        sa.Column("owner", sa.Text()),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("decided_by", sa.Text()),
    )
    is_open = sa.text("until_at IS NULL")
    op.create_index(
        "punch_claims_open",
        "punch_claims",
        ["pin", "device_id"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("punch_claims_pin", "punch_claims", ["pin"])
    op.execute(
        "INSERT INTO punch_claims (pin, device_id, conflict_id, since_at, until_at) "
        f"SELECT pin, device_id, id, {_SINCE}, {_UNTIL} FROM conflicts "
        f"WHERE {_NAMED} AND ({_GOES_ON} OR doubtful_until IS NOT NULL) ORDER BY id"
    )
    op.drop_index("conflicts_doubtful", "conflicts")
    op.drop_column("conflicts", "doubtful_until")

"""When a terminal last stated the person, before it named somebody else, and when it named that one.

Earlier versions have not stored the former. The latter is known of the claims of conflicts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"


def upgrade():
    for name in ("stated_at", "named_at"):
        op.add_column("punch_claims", sa.Column(name, sa.BigInteger()))
    op.execute(
        "UPDATE punch_claims SET named_at = since_at + 3600000 "
        "WHERE conflict_id IS NOT NULL AND since_at IS NOT NULL"
    )

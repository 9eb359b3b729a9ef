"""Until when punches at a terminal may be another person's, after a conflict is settled."""

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0067"


def upgrade():
    op.add_column("conflicts", sa.Column("doubtful_until", sa.BigInteger()))
    is_doubtful = sa.text("doubtful_until IS NOT NULL")
    op.create_index(
        "conflicts_doubtful",
        "conflicts",
        ["pin"],
        sqlite_where=is_doubtful,
        postgresql_where=is_doubtful,
    )

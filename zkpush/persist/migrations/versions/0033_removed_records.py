"""Index of the records of people that were removed from terminals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Create the index."""
    is_removed = sa.text("length(digest) = 0")
    op.create_index(
        "holdings_removed",
        "holdings",
        ["table_name", "key"],
        sqlite_where=is_removed,
        postgresql_where=is_removed,
    )

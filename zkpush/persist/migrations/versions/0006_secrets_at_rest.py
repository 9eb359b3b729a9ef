"""What is secret is sealed, under keys that are wrapped under the site key."""

import sqlalchemy as sa
from alembic import op

from zkpush.persist.keys import ensure_vault

revision = "0006"
down_revision = "0005"

# What is in an index is compared by its bytes, as on SQLite.
key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.create_table(
        "keys",
        sa.Column("id", key, primary_key=True),
        sa.Column("site", key, primary_key=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
    )
    database = op.get_context().config.attributes["database"]
    ensure_vault(op.get_bind(), database.site)

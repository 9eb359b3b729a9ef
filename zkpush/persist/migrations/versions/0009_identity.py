"""Identity of the database."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.create_table("identity", sa.Column("id", key, primary_key=True))

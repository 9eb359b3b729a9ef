"""Areas that are described."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"

key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.create_table(
        "areas",
        sa.Column("name", key_text, primary_key=True),
        sa.Column("description", sa.Text()),
        sa.Column("distributes", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )

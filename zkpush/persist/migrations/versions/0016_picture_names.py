"""References to pictures: indexes, and the plugins that name pictures."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.create_table("picture_plugins", sa.Column("name", key, primary_key=True))
    op.add_column(
        "pictures",
        sa.Column("kept_at", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    for table, column in (
        ("person_photos", "picture"),
        ("attendance_photos", "picture"),
        ("files", "content"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])

"""The text and key of a command, files, events, and the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Indexed text is compared by bytes, as on SQLite.
key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade():
    op.add_column(
        "commands", sa.Column("asked", sa.Text(), nullable=False, server_default=sa.text("'{}'"))
    )
    op.add_column(
        "commands", sa.Column("text", sa.Text(), nullable=False, server_default=sa.text("''"))
    )
    # Earlier commands had no parameters, so the name is the whole text.
    op.execute("UPDATE commands SET text = command, asked = params")
    op.add_column("commands", sa.Column("idempotency_key", key))
    op.add_column(
        "commands",
        sa.Column("records", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    op.create_index(
        "commands_idempotency", "commands", ["device_id", "idempotency_key"], unique=True
    )
    op.create_table(
        "files",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("md5", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text()),
    )

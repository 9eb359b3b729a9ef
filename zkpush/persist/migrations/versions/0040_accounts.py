"""Accounts of the console, their sessions and one-time links."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def owner(nullable):
    return sa.Column(
        "account_id",
        row_id,
        sa.ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=nullable,
        index=True,
    )


def upgrade():
    op.create_table(
        "accounts",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("name", key_text, nullable=False, unique=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("password", sa.Text()),
        sa.Column("totp", sa.LargeBinary()),
        sa.Column("totp_used", sa.BigInteger()),
        sa.Column("language", sa.Text()),
        sa.Column("zone", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("signed_in_at", sa.BigInteger()),
    )
    op.create_table(
        "account_sessions",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
        owner(nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("agent", sa.Text(), nullable=False),
    )
    op.create_table(
        "account_links",
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
        owner(nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "console_settings",
        sa.Column("name", key_text, primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )

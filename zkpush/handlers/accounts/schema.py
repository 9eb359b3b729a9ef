"""Database tables of accounts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Table

from ...persist.schema import KeyText, PlainText, RowId, metadata
from ...persist.sealed import KEY, SealedText

accounts = Table(
    "accounts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", KeyText, nullable=False, unique=True),
    # Names of scopes, as JSON.
    Column("scopes", PlainText(), nullable=False),
    # Names of areas, as JSON; null for an account without limits.
    Column("areas", PlainText()),
    # Argon2id in the PHC format; null until the person has chosen a password.
    Column("password", PlainText()),
    Column("totp", SealedText()),
    # Number of the last period whose code was used.
    Column("totp_used", BigInteger()),
    Column("language", PlainText()),
    Column("zone", PlainText()),
    Column("created_at", BigInteger(), nullable=False),
    Column("created_by", PlainText(), nullable=False),
    Column("signed_in_at", BigInteger()),
    info={KEY: ("name",)},
)
"""People who sign in to the console."""

account_sessions = Table(
    "account_sessions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("digest", LargeBinary(), nullable=False, unique=True),
    Column(
        "account_id",
        RowId,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("created_at", BigInteger(), nullable=False),
    Column("used_at", BigInteger(), nullable=False),
    Column("address", PlainText()),
    Column("agent", PlainText(), nullable=False),
)
"""Sessions by the SHA-256 of their secrets."""

account_links = Table(
    "account_links",
    metadata,
    Column("digest", LargeBinary(), primary_key=True),
    # Null for the first account of all.
    Column("account_id", RowId, ForeignKey("accounts.id", ondelete="CASCADE"), index=True),
    # Names of the scopes of who made it, as JSON.
    Column("scopes", PlainText(), nullable=False),
    Column("created_by", PlainText(), nullable=False),
    Column("expires_at", BigInteger(), nullable=False),
)
"""One-time links by the SHA-256 of their secrets."""

console_settings = Table(
    "console_settings",
    metadata,
    Column("name", KeyText, primary_key=True),
    Column("value", PlainText(), nullable=False),
)
"""What was chosen in the console for the whole site."""

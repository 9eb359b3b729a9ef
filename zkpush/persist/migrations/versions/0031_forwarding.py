"""Forwarders, their batches, dead letters and last attempts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
zero = sa.text("0")


def _owner(**more: Any) -> sa.Column[Any]:
    key = sa.ForeignKey("forwarders.id", ondelete="CASCADE")
    return sa.Column("forwarder_id", row_id, key, nullable=False, **more)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "forwarders",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("name", key_text, nullable=False, unique=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("settings", sa.LargeBinary(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, server_default=zero),
        sa.Column("event_cursor", sa.BigInteger(), nullable=False),
        sa.Column("record_cursor", sa.BigInteger(), nullable=False),
        sa.Column("queued", sa.BigInteger(), nullable=False, server_default=zero),
        sa.Column("delivered", sa.BigInteger(), nullable=False, server_default=zero),
        sa.Column("tries", sa.Integer(), nullable=False, server_default=zero),
        sa.Column("failing_since_at", sa.BigInteger()),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("last_error", sa.Text()),
        sa.Column("last_error_at", sa.BigInteger()),
        sa.Column("last_delivered_at", sa.BigInteger()),
    )
    op.create_table(
        "forward_batches",
        _owner(primary_key=True),
        sa.Column("place", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("mark", key_text, nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False, server_default=zero),
        sa.Column("first_tried_at", sa.BigInteger()),
    )
    op.create_table(
        "forward_dead",
        sa.Column("id", row_id, primary_key=True),
        _owner(),
        sa.Column("event_id", key_text, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("parked_at", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "forward_dead_identity", "forward_dead", ["forwarder_id", "event_id"], unique=True
    )
    op.create_index("forward_dead_order", "forward_dead", ["forwarder_id", "id"])
    op.create_table(
        "forward_attempts",
        sa.Column("id", row_id, primary_key=True),
        _owner(),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
    )
    op.create_index("forward_attempts_order", "forward_attempts", ["forwarder_id", "id"])

"""Database tables of forwarding."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, text

from ...persist.schema import KeyText, PlainText, RowId, metadata
from ...persist.sealed import KEY, SealedText

_ZERO = text("0")

forwarders = Table(
    "forwarders",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", KeyText, nullable=False, unique=True),
    Column("kind", PlainText(), nullable=False),
    Column("state", PlainText(), nullable=False),
    Column("reason", PlainText()),
    # Kinds of events and rules, as JSON.
    Column("events", PlainText(), nullable=False),
    Column("rules", PlainText(), nullable=False),
    # Settings of the kind and signing secrets, as JSON: URLs and passwords of other programs.
    Column("settings", SealedText(), nullable=False),
    Column("secrets", SealedText(), nullable=False),
    Column("created_at", BigInteger(), nullable=False),
    Column("created_by", PlainText(), nullable=False),
    Column("revision", BigInteger(), nullable=False, server_default=_ZERO),
    Column("event_cursor", BigInteger(), nullable=False),
    Column("record_cursor", BigInteger(), nullable=False),
    Column("queued", BigInteger(), nullable=False, server_default=_ZERO),
    Column("delivered", BigInteger(), nullable=False, server_default=_ZERO),
    Column("tries", Integer(), nullable=False, server_default=_ZERO),
    Column("failing_since_at", BigInteger()),
    Column("next_at", BigInteger()),
    Column("last_error", PlainText()),
    Column("last_error_at", BigInteger()),
    Column("last_delivered_at", BigInteger()),
    # What is to be sent again, as JSON: see `ReplayRange`.
    Column("replay", PlainText()),
    info={KEY: ("name", "kind")},
)
"""Forwarders, and the position of each in the events and in the attendance records."""


def _owner(**more: Any) -> Column[Any]:
    return Column(
        "forwarder_id",
        RowId,
        ForeignKey("forwarders.id", ondelete="CASCADE"),
        nullable=False,
        **more,
    )


forward_batches = Table(
    "forward_batches",
    metadata,
    _owner(primary_key=True),
    Column("place", BigInteger(), primary_key=True, autoincrement=False),
    Column("mark", KeyText, nullable=False),
    Column("made_at", BigInteger(), nullable=False),
    Column("count", Integer(), nullable=False),
    Column("events", PlainText(), nullable=False),
    Column("answers", Integer(), nullable=False, server_default=_ZERO),
    Column("first_tried_at", BigInteger()),
)
"""Batches to deliver, with their events as JSON; see `PendingBatch`."""

forward_dead = Table(
    "forward_dead",
    metadata,
    Column("id", RowId, primary_key=True),
    _owner(),
    Column("event_id", KeyText, nullable=False),
    Column("event", PlainText(), nullable=False),
    Column("reason", PlainText(), nullable=False),
    Column("parked_at", BigInteger(), nullable=False),
    Index("forward_dead_identity", "forwarder_id", "event_id", unique=True),
    Index("forward_dead_order", "forwarder_id", "id"),
)
"""Events that a receiver did not take."""

forward_documents = Table(
    "forward_documents",
    metadata,
    _owner(primary_key=True),
    Column("event_id", KeyText, primary_key=True),
    Column("name", PlainText(), nullable=False),
)
"""Documents that a receiver has made, by the events that they were made of."""

forward_attempts = Table(
    "forward_attempts",
    metadata,
    Column("id", RowId, primary_key=True),
    _owner(),
    Column("batch", PlainText(), nullable=False),
    Column("at", BigInteger(), nullable=False),
    Column("events", Integer(), nullable=False),
    Column("outcome", PlainText(), nullable=False),
    Column("words", PlainText(), nullable=False),
    Column("milliseconds", BigInteger(), nullable=False),
    Index("forward_attempts_order", "forwarder_id", "id"),
)
"""The last attempts of each forwarder."""

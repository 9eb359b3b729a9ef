"""Database tables of areas and of distribution."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    text,
)

from ...persist.schema import PLACES, KeyText, PlainText, RowId, metadata

_WAITING = text("state = 'waiting'")
_SENT = text("command IS NOT NULL")


def _of_device() -> Column[Any]:
    return Column(
        "device_id",
        RowId,
        ForeignKey("devices.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


places = Table(
    "places",
    metadata,
    _of_device(),
    Column("pin", KeyText, primary_key=True),
    # `user`, or a template or photo: see `zkpush.handlers.areas.desired`.
    Column("part", KeyText, primary_key=True),
    # Digests of the content that belongs on the terminal, that it is known to have, and that the
    # open command holds. `wanted` is null, and `sent` is empty, for a deletion.
    Column("wanted", LargeBinary()),
    Column("told", LargeBinary()),
    Column("sent", LargeBinary()),
    Column("state", KeyText, nullable=False),
    Column("reason", PlainText()),
    Column("command", KeyText),
    Column("tries", Integer(), nullable=False, server_default=text("0")),
    # Whether a deletion counts for the limit of deletions without a confirmation.
    Column("is_guarded", Boolean(), nullable=False, server_default=text("false")),
    Column("updated_at", BigInteger(), nullable=False),
    # Whether a caller had it copied to the terminal, whose area does not distribute.
    Column("is_copied", Boolean(), nullable=False, server_default=text("false")),
    Index("places_pin", "pin"),
    Index("places_waiting", "device_id", "pin", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("places_sent", "device_id", "pin", sqlite_where=_SENT, postgresql_where=_SENT),
    info={PLACES: True},
)
"""Parts of people that belong on terminals, or are to be deleted there."""

distribution_terminals = Table(
    "distribution_terminals",
    metadata,
    _of_device(),
    Column("area", KeyText, nullable=False),
    # Abilities by which people were compared; other ones need another comparison.
    Column("basis", PlainText(), nullable=False),
    Column("users", BigInteger(), nullable=False, server_default=text("0")),
    # How far the full comparison is, and when the next one begins.
    Column("phase", Integer(), nullable=False, server_default=text("0")),
    Column("after", KeyText, nullable=False, server_default=text("''")),
    Column("due_at", BigInteger(), nullable=False),
    Column("may_delete", BigInteger(), nullable=False, server_default=text("0")),
    # When the last full comparison ended.
    Column("compared_at", BigInteger(), nullable=False, server_default=text("0")),
    # The open command of a package, when the last one was executed since a check of what the
    # terminal holds, and why it gets no packages any more.
    Column("package", KeyText),
    Column("packaged_at", BigInteger()),
    Column("no_packages", PlainText()),
)
"""Terminals of areas that distribute."""

drifts = Table(
    "drifts",
    metadata,
    _of_device(),
    # Counts of the terminal that differ from the recorded ones, as JSON, and since when.
    Column("differs", PlainText()),
    Column("since_at", BigInteger()),
    # Differences that remained after the terminal was asked; they are no reason to ask again.
    Column("settled", PlainText()),
    # When the terminal is to be asked; null for not at all.
    Column("due_at", BigInteger()),
    # The open question: biometric type, 0 for people; types to ask afterwards, as JSON.
    Column("subject", Integer()),
    Column("following", PlainText()),
    Column("command", KeyText),
    Column("asked_at", BigInteger()),
    # Number of people recorded when the terminal was asked.
    Column("known", BigInteger(), nullable=False, server_default=text("0")),
    # Outcome of the last check.
    Column("checked_at", BigInteger()),
    Column("lost", BigInteger(), nullable=False, server_default=text("0")),
    Column("lost_templates", BigInteger(), nullable=False, server_default=text("0")),
    Column("found", BigInteger(), nullable=False, server_default=text("0")),
    Column("reason", PlainText()),
)
"""Differences between what terminals hold of people and what is recorded."""

emptied_terminals = Table(
    "emptied_terminals",
    metadata,
    _of_device(),
    Column("emptied_at", BigInteger(), nullable=False),
)
"""Terminals that have lost their data at least once, and when they last did."""

distribution_cursor = Table(
    "distribution_cursor",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("event", BigInteger(), nullable=False),
)
"""The event up to which changes are taken into account; one row."""

distribution_turn = Table(
    "distribution_turn",
    metadata,
    Column("id", RowId, primary_key=True),
    # Random name of the process that began the last turn.
    Column("owner", PlainText(), nullable=False),
)
"""The process that may change anything about the distribution; one row. See `turns`."""

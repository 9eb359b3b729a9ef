"""Database tables of access data."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)

from ...persist.schema import KeyText, PlainText, RowId, metadata
from ...persist.sealed import KEY, SealedText


def _of_area(*, is_key: bool = False) -> Column[str]:
    area = ForeignKey("areas.name", ondelete="CASCADE")
    return Column("area", KeyText, area, primary_key=is_key, nullable=False)


def _of_device() -> Column[int]:
    device = ForeignKey("devices.id", ondelete="CASCADE")
    return Column("device_id", RowId, device, primary_key=True, autoincrement=False)


access_entries = Table(
    "access_entries",
    metadata,
    Column("id", RowId, primary_key=True),
    _of_area(),
    Column("table_name", KeyText, nullable=False),
    Column("entry", KeyText, nullable=False),
    Column("fields", SealedText(), nullable=False),
    Column("digest", LargeBinary(), nullable=False),
    Column("updated_at", BigInteger(), nullable=False),
    UniqueConstraint("area", "table_name", "entry", name="access_entries_identity"),
    info={KEY: ("area", "table_name", "entry")},
)
"""Access data of areas; one row per entry. The fields are JSON."""

access_areas = Table(
    "access_areas",
    metadata,
    _of_area(is_key=True),
    Column("revision", BigInteger(), nullable=False),
)
"""Areas with access data; the revision changes with each change of an entry."""

_OPEN = text("state = 'waiting' OR command IS NOT NULL")
_OF_USER = text("part <> ''")

access_places = Table(
    "access_places",
    metadata,
    _of_device(),
    Column("table_name", KeyText, primary_key=True),
    Column("entry", KeyText, primary_key=True),
    # The user whom a message is for; otherwise empty.
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
    Column("updated_at", BigInteger(), nullable=False),
    Index("access_places_open", "device_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("access_places_part", "part", sqlite_where=_OF_USER, postgresql_where=_OF_USER),
)
"""Entries that belong on terminals, or are to be deleted there."""

access_terminals = Table(
    "access_terminals",
    metadata,
    _of_device(),
    Column("area", KeyText, nullable=False),
    # What the terminal was compared with: the revision of the area's access data, and when its
    # people were compared and its data was lost.
    Column("revision", BigInteger(), nullable=False),
    Column("compared_at", BigInteger(), nullable=False),
    Column("emptied_at", BigInteger(), nullable=False),
)
"""Terminals of areas that distribute, as far as they were compared with the access data."""

"""Database tables of users, templates and photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)

from ...persist.schema import (
    PERSON,
    PICTURE,
    RECORDS,
    KeyText,
    PlainText,
    RowId,
    metadata,
    picture_pointer,
    record_columns,
)
from ...persist.sealed import KEY
from ...protocol import fields
from .tables import BIODATA, BIOPHOTO, TEMPLATE_TABLES, USER, USERPIC


def _of_people(
    name: str, table: fields.Table, records: Sequence[fields.Table], *more: Column[Any]
) -> Table:
    """Declare a table of the newest statement for each key, with its terminal and time."""
    key = (*table.key, *(column.name for column in more if not column.nullable))
    return Table(
        name,
        metadata,
        Column("id", RowId, primary_key=True),
        Column("device_id", RowId, ForeignKey("devices.id")),
        Column("updated_at", BigInteger()),
        *more,
        *(column for column in record_columns(table) if column.name != "content"),
        UniqueConstraint(*key, name=f"{name}_identity"),
        info={KEY: key, RECORDS: records},
    )


users = _of_people("users", USER, (USER,))

users.c.pin.info[PERSON] = True

templates = _of_people(
    "templates",
    BIODATA,
    TEMPLATE_TABLES,
    Column("form", PlainText()),
    # Keyed hash, for comparing templates without decrypting them.
    Column("digest", LargeBinary()),
)

person_photos = _of_people(
    "person_photos",
    BIOPHOTO,
    (USERPIC, BIOPHOTO),
    Column("kind", KeyText, nullable=False),
    Column("picture", PlainText(), index=True, info={PICTURE: True}),
    picture_pointer("pin", "type", "number", "index", "kind"),
)

REMOVED = b""
"""Digest of a record that was removed from a terminal by a command."""
IS_REMOVED = text("length(digest) = 0")
"""Condition for records that were removed from a terminal; the partial index needs these words."""

holdings = Table(
    "holdings",
    metadata,
    Column("table_name", KeyText, primary_key=True),
    Column("key", KeyText, primary_key=True),
    Column("device_id", RowId, ForeignKey("devices.id"), primary_key=True),
    Column("digest", LargeBinary(), nullable=False),
    Column("at", BigInteger(), nullable=False),
    Index(
        "holdings_removed",
        "table_name",
        "key",
        sqlite_where=IS_REMOVED,
        postgresql_where=IS_REMOVED,
    ),
)
"""Last statement of each terminal for each key of a person, or `REMOVED`."""

versions = Table(
    "versions",
    metadata,
    Column("table_name", KeyText, primary_key=True),
    Column("key", KeyText, primary_key=True),
    Column("digest", LargeBinary(), primary_key=True),
)
"""All statements about each key; a known statement from another terminal is not news."""

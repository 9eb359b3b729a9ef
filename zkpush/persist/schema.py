"""The tables of the database.

The columns of record tables are derived from `zkpush.protocol.tables`; the migrations spell them
out, because they are history, and a test holds the two against each other. Instants are integers,
milliseconds since the epoch, but for `utc`, which is seconds: no terminal tells more.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

from ..protocol import fields, tables

metadata = MetaData()

RowId = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only where the type is INTEGER."""

_TYPES: dict[fields.Kind, TypeEngine[Any]] = {
    fields.Kind.TEXT: Text(),
    fields.Kind.TIME: Text(),
    fields.Kind.INTEGER: Integer(),
    fields.Kind.NUMBER: Float(),
}


def record_columns(table: fields.Table) -> list[Column[Any]]:
    """The columns for the stored fields of a record type, then `extra` and `raw`."""
    columns: list[Column[Any]] = [
        Column(
            field.name,
            _TYPES[field.kind],
            nullable=not (field.required or field.name in table.key),
        )
        for field in table.fields
        if field.stored
    ]
    return [*columns, Column("extra", Text()), Column("raw", LargeBinary())]


devices = Table(
    "devices",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("sn", Text(), nullable=False, unique=True),
    Column("state", Text(), nullable=False),
    Column("alias", Text()),
    Column("area", Text()),
    Column("timezone", Text(), nullable=False),
    Column("session", Text(), nullable=False),
    Column("push_version", Text()),
    Column("language", Text()),
    Column("device_type", Text()),
    Column("comm_key", Text()),
    Column("offered_comm_key", Text()),
    Column("told_time_zone", Text()),
    Column("address", Text()),
    Column("firmware", Text()),
    Column("created_at", BigInteger(), nullable=False),
    Column("last_seen_at", BigInteger()),
    Column("settings", Text(), nullable=False, server_default=text("'{}'")),
    Column("options", Text(), nullable=False, server_default=text("'{}'")),
    Column("attributes", Text(), nullable=False, server_default=text("'{}'")),
    Column("counts", Text(), nullable=False, server_default=text("'{}'")),
    Column("problems", Text(), nullable=False, server_default=text("'[]'")),
)

stamps = Table(
    "stamps",
    metadata,
    Column("device_id", RowId, ForeignKey("devices.id"), primary_key=True),
    Column("name", Text(), primary_key=True),
    Column("value", Text(), nullable=False),
)

attendance = Table(
    "attendance",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_id", RowId, ForeignKey("devices.id"), nullable=False),
    Column("utc", BigInteger(), nullable=False),
    Column("received_at", BigInteger(), nullable=False),
    *record_columns(tables.ATTLOG),
    # What makes two records one. It begins with the terminal and the time, so that new records of
    # a terminal go to one place of the index however many there are.
    UniqueConstraint("device_id", *tables.ATTLOG.key, name="attendance_identity"),
    Index("attendance_utc", "utc"),
)

commands = Table(
    "commands",
    metadata,
    Column("seq", RowId, primary_key=True),
    Column("id", Text(), nullable=False, unique=True),
    Column("device_id", RowId, ForeignKey("devices.id"), nullable=False),
    Column("command", Text(), nullable=False),
    Column("params", Text(), nullable=False),
    Column("state", Text(), nullable=False),
    Column("attempts", Integer(), nullable=False),
    Column("lease_until", BigInteger()),
    Column("return_code", BigInteger()),
    Column("result", Text()),
    Column("created_at", BigInteger(), nullable=False),
    Column("sent_at", BigInteger()),
    Column("finished_at", BigInteger()),
    Index("commands_of_device", "device_id", "seq"),
    Index(
        "commands_open",
        "device_id",
        "seq",
        sqlite_where=text("state IN ('queued', 'sent')"),
        postgresql_where=text("state IN ('queued', 'sent')"),
    ),
)

rejects = Table(
    "rejects",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_id", RowId, ForeignKey("devices.id"), nullable=False),
    Column("table_name", Text(), nullable=False),
    Column("reason", Text(), nullable=False),
    Column("raw", LargeBinary(), nullable=False),
    Column("digest", LargeBinary(), nullable=False),
    Column("received_at", BigInteger(), nullable=False),
    UniqueConstraint("device_id", "digest", name="rejects_identity"),
)

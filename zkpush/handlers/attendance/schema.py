"""Database tables of attendance records and photos."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, UniqueConstraint, text

from ...persist.schema import (
    PICTURE,
    RECORDS,
    KeyText,
    PlainText,
    RowId,
    metadata,
    no_zone_index,
    picture_pointer,
    record_columns,
)
from ...persist.sealed import KEY, SealedBytes, SealedText
from ...protocol.secrecy import EXTRA, RAW
from .tables import ATTLOG, ATTPHOTO

attendance = Table(
    "attendance",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_id", RowId, ForeignKey("devices.id"), nullable=False),
    Column("utc", BigInteger(), nullable=False),
    Column("received_at", BigInteger(), nullable=False),
    Column("doubt", PlainText()),
    # Tells records of the same second apart: see `zkpush.handlers.attendance.plain`.
    Column("distinction", KeyText, nullable=False, server_default=text("''")),
    *record_columns(ATTLOG),
    # Identity of a record. It begins with the time: current records of all terminals are added at
    # the end of the index, so that a commit writes few of its pages, whatever the size of the
    # table.
    UniqueConstraint(
        ATTLOG.key[0],
        "device_id",
        *ATTLOG.key[1:],
        "distinction",
        name="attendance_identity",
    ),
    no_zone_index("attendance"),
    Index(
        "attendance_doubt",
        "doubt",
        "id",
        sqlite_where=text("doubt IS NOT NULL"),
        postgresql_where=text("doubt IS NOT NULL"),
    ),
    Index(
        "attendance_verification",
        "record_type",
        "id",
        sqlite_where=text("record_type = 1"),
        postgresql_where=text("record_type = 1"),
    ),
    info={KEY: ("device_id", "time", "pin"), RECORDS: (ATTLOG,)},
)

punches_of_people = Table(
    "punches_of_people",
    metadata,
    Column("pin", KeyText, primary_key=True),
    Column("record_id", BigInteger(), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""Ids of attendance records by person: see `zkpush.handlers.attendance.lists`."""
punches_of_terminals = Table(
    "punches_of_terminals",
    metadata,
    Column("device_id", BigInteger(), primary_key=True, autoincrement=False),
    Column("record_id", BigInteger(), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""Ids of attendance records by terminal."""
punches_listed = Table(
    "punches_listed",
    metadata,
    Column("id", Integer(), primary_key=True, autoincrement=False),
    Column("last_id", BigInteger(), nullable=False),
)
"""One row: the last id of these two lists."""

punch_ends = Table(
    "punch_ends",
    metadata,
    Column("device_id", BigInteger(), primary_key=True, autoincrement=False),
    Column("first_time", KeyText, nullable=False),
    Column("last_time", KeyText, nullable=False),
)
"""Times of the first and the last punch of each terminal: see `zkpush.handlers.attendance.ends`."""
punch_ends_read = Table(
    "punch_ends_read",
    metadata,
    Column("id", Integer(), primary_key=True, autoincrement=False),
    Column("last_id", BigInteger(), nullable=False),
)
"""One row: the last id of the records that these times are of."""

PERIOD = 600_000
"""Length of a period of `arrivals`, in milliseconds."""
arrivals = Table(
    "arrivals",
    metadata,
    Column("period", BigInteger(), primary_key=True, autoincrement=False),
    Column("first_id", BigInteger(), nullable=False),
)
"""First possible id of the attendance records of each ten-minute period, numbered since the epoch:
no record received in the period has a lower id. An index on `received_at` would cost more for each
record."""

attendance_photos = Table(
    "attendance_photos",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_id", RowId, ForeignKey("devices.id"), nullable=False),
    Column("received_at", BigInteger(), nullable=False),
    Column("name", KeyText, nullable=False),
    Column("picture", KeyText, nullable=False, index=True, info={PICTURE: True}),
    Column("size", Integer(), nullable=False),
    Column("kind", Integer()),
    Column("pin", PlainText()),
    Column("id_number", PlainText()),
    Column("time", PlainText()),
    Column("utc", BigInteger()),
    Column("doubt", PlainText()),
    Column("command", PlainText()),
    picture_pointer("device_id", "received_at", "name", "pin", "time"),
    Column(EXTRA, SealedText()),
    Column(RAW, SealedBytes()),
    UniqueConstraint("device_id", "name", "picture", name="attendance_photos_identity"),
    Index("attendance_photos_device", "device_id", "id"),
    Index("attendance_photos_pin", "pin", "id"),
    no_zone_index("attendance_photos"),
    info={KEY: ("device_id", "name", "picture"), RECORDS: (ATTPHOTO,)},
)

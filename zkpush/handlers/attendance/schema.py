"""The tables of attendance records and photos in the database."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, UniqueConstraint, text

from ...persist.schema import (
    LARGE,
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
    # What else tells records of one second apart: see `zkpush.handlers.attendance.plain`.
    Column("distinction", KeyText, nullable=False, server_default=text("''")),
    *record_columns(ATTLOG),
    # What makes two records one. It begins with the time: whoever is verified now, anywhere, goes
    # to the end of the index, so that a commit writes few of its pages however much is stored.
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
    # What lists are filtered by: see `AttendanceStore.page`.
    Index("attendance_pin", "pin", "id"),
    Index("attendance_device", "device_id", "id"),
    Index(
        "attendance_verification",
        "record_type",
        "id",
        sqlite_where=text("record_type = 1"),
        postgresql_where=text("record_type = 1"),
    ),
    info={KEY: ("device_id", "time", "pin"), RECORDS: (ATTLOG,), LARGE: True},
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("period", BigInteger(), primary_key=True, autoincrement=False),
    Column("first_id", BigInteger(), nullable=False),
)
"""Where the attendance records of each ten minutes begin: none that was received in the period (its
number since the epoch) has a lower id. An index of `received_at` would cost each record more."""

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

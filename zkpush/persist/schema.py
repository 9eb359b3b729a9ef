"""Tables of the engines, and helpers for the tables that nouns declare on the same `metadata`.

`record_columns` derives the columns of records from their declarations on the wire. Migrations list
all columns explicitly; a test compares both. Instants are integers: milliseconds since the epoch,
except `utc`, which is in seconds, the resolution of terminals.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import NODEFAULT
from sqlalchemy import (
    BigInteger,
    Boolean,
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
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from ..attributes import DeclaredAttribute
from ..model import DEVICE_ATTRIBUTES
from ..protocol import fields
from ..protocol.reports import INFO, OPTIONS
from ..protocol.secrecy import EXTRA, RAW
from ..protocol.tableset import TableSet
from ..protocol.times import NO_ZONE
from .sealed import KEY, POINTER, SealedBytes, SealedText

metadata = MetaData()

PICTURE = "picture"
"""Key in the `info` of a column that holds keys of pictures, and keeps these pictures alive."""
PERSON = "person"
"""Key in the `info` of a column that holds the user IDs of all known people."""
OF_PEOPLE = "of people"
"""Key in the `info` of a table whose rows belong to people: the columns, of `pin` and `device_id`,
that say to whom."""
PERSON_AREAS = "person areas"
PLACES = "places"
"""Key in the `info` of the table that has the areas of people, in the columns `pin` and `area`."""
RECORDS = "records"
"""Key in the `info` of a table: the record types of the wire that it stores."""

RowId = BigInteger().with_variant(Integer(), "sqlite")
"""Type of row ids; SQLite numbers rows automatically only for INTEGER."""


def plain(text: str) -> str:
    """Replace NUL by U+FFFD, as in arguments (2), because PostgreSQL cannot store it."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


class PlainText(TypeDecorator[str]):
    """Text without NUL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace NUL."""
        return value and plain(value)


KeyText = PlainText().with_variant(PlainText(collation="C"), "postgresql")
"""Type of indexed text, compared by bytes, as on SQLite. Language collations change with the
server's libraries, after which an index no longer finds its rows."""

_TYPES: dict[fields.Kind, TypeEngine[Any]] = {
    fields.Kind.TEXT: PlainText(),
    fields.Kind.TIME: PlainText(),
    fields.Kind.INTEGER: Integer(),
    fields.Kind.NUMBER: Float(),
    fields.Kind.MOMENT: PlainText(),
    fields.Kind.CARD: PlainText(),
    fields.Kind.BASE64: LargeBinary(),
}


def record_columns(table: fields.Table) -> list[Column[Any]]:
    """Return the columns of the stored fields of a record type, then `extra` and `raw`.

    Fields that `zkpush.protocol.secrecy` calls secret are encrypted, and so are these two.
    """
    columns: list[Column[Any]] = [
        Column(
            field.name,
            _type(table, field),
            nullable=not (field.required or field.name in table.key),
        )
        for field in table.fields
        if field.stored
    ]
    return [*columns, Column(EXTRA, SealedText()), Column(RAW, SealedBytes())]


def kept_records() -> TableSet:
    """Return the record types stored by the built-in tables, by their declarations."""
    return TableSet(
        record for table in metadata.tables.values() for record in table.info.get(RECORDS, ())
    )


def _type(table: fields.Table, field: fields.Field) -> TypeEngine[Any]:
    if field.secret:
        return SealedBytes() if field.kind is fields.Kind.BASE64 else SealedText()
    if field.name in table.key and field.kind.python is str:
        return KeyText
    return _TYPES[field.kind]


def _device_column(one: DeclaredAttribute) -> Column[Any]:
    """Return the column of a terminal attribute."""
    kind: Any = PlainText()
    if one.own.is_sealed:
        return Column(one.field, SealedText())
    default: str | None = None
    if one.default is not NODEFAULT and one.default is not None:
        default = str(one.default).lower()
    if one.is_json:
        default = msgspec.json.encode(one.default).decode()
    if one.kind is bool:
        kind = Boolean()
    elif one.kind is int:
        kind = BigInteger()
    elif default is not None:
        default = f"'{default}'"
    server_default = None if default is None else text(default)
    return Column(one.field, kind, nullable=one.is_optional, server_default=server_default)


devices = Table(
    "devices",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("sn", KeyText, nullable=False, unique=True),
    *(_device_column(one) for name, one in DEVICE_ATTRIBUTES.items() if name not in ("id", "sn")),
    Column("revision", BigInteger(), nullable=False, server_default=text("0")),
    Index("devices_revision", "revision"),
    info={KEY: ("id",), RECORDS: (OPTIONS, INFO)},
)
"""Terminals; the settings that they report may contain passwords."""

comm_keys = Table(
    "comm_keys",
    metadata,
    Column("device_id", RowId, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("fingerprint", KeyText, primary_key=True),
    Column("address", PlainText()),
    Column("first_seen_at", BigInteger(), nullable=False),
    Column("last_seen_at", BigInteger(), nullable=False),
)
"""The pushcommkeys offered for terminals."""

removed_devices = Table(
    "removed_devices",
    metadata,
    Column("sn", KeyText, primary_key=True),
    Column("revision", BigInteger(), nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("id", KeyText, primary_key=True),
    Column("site", KeyText, primary_key=True),
    Column("purpose", PlainText(), nullable=False),
    Column("wrapped", LargeBinary(), nullable=False),
)
"""Data keys, each encrypted under a site key, which is not stored here."""

identity = Table("identity", metadata, Column("id", KeyText, primary_key=True))
"""Random id of this database, in the only row; see `zkpush.persist.identity`."""

unfinished = Table("unfinished", metadata, Column("name", KeyText, primary_key=True))
"""Work due after a commit, before the database is used again."""

stamps = Table(
    "stamps",
    metadata,
    Column("device_id", RowId, ForeignKey("devices.id"), primary_key=True),
    Column("name", KeyText, primary_key=True),
    Column("value", PlainText(), nullable=False),
)


def no_zone_index(name: str) -> Index:
    """Index for the records of a terminal that were stored without its time zone."""
    waiting = text(f"doubt = '{NO_ZONE}'")
    return Index(
        f"{name}_no_zone", "device_id", "id", sqlite_where=waiting, postgresql_where=waiting
    )


def picture_pointer(*key: str) -> Column[Any]:
    """Second reference to the picture of a row, encrypted and bound to it (`check_pointer`).

    It is not part of the key, so that pictures cannot be swapped between rows.
    """
    return Column(POINTER, SealedText(), info={KEY: key})


pictures = Table(
    "pictures",
    metadata,
    Column("digest", KeyText, primary_key=True),
    Column("content", LargeBinary(), nullable=False),
    # Last kept at (ms); unreferenced pictures are collected by this age.
    Column("kept_at", BigInteger(), nullable=False, server_default=text("0")),
)
"""Encrypted pictures by key, where they are not kept in a folder."""

picture_plugins = Table("picture_plugins", metadata, Column("name", KeyText, primary_key=True))
"""Plugins that name pictures in tables of their own; see `zkpush.persist.collection`."""

rejects = Table(
    "rejects",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_id", RowId, ForeignKey("devices.id"), nullable=False),
    Column("table_name", PlainText(), nullable=False),
    Column("reason", SealedText(), nullable=False, server_default=text("''")),
    # The reason without anything that was sent; null if it was stored before revision 0048.
    Column("cause", PlainText()),
    Column("raw", SealedBytes(), nullable=False),
    Column("digest", LargeBinary(), nullable=False),
    Column("received_at", BigInteger(), nullable=False),
    # Whether it is a packet (11.14), and the name uploaded with a photo (11.3).
    Column("packed", Integer(), nullable=False, server_default=text("0")),
    Column("name", SealedText()),
    # The request as JSON, if the reject is its whole body.
    Column("origin", SealedText()),
    Column("attempts", Integer(), nullable=False, server_default=text("0")),
    Column("tried_at", BigInteger()),
    # How often equal bytes came, when they came last if not once, and from which address.
    Column("times", Integer(), nullable=False, server_default=text("1")),
    Column("last_at", BigInteger()),
    Column("address", PlainText()),
    UniqueConstraint("device_id", "digest", name="rejects_identity"),
    Index("rejects_of_device", "device_id", "id"),
    Index("rejects_table", "table_name", "id"),
    info={KEY: ("device_id", "digest")},
)

reject_readers = Table(
    "reject_readers",
    metadata,
    Column("device_id", RowId, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("reader", PlainText(), nullable=False),
)
"""The reader (program version, tables, dialect and zone) that last tried a terminal's rejects."""

inbox = Table(
    "inbox",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("plugin", KeyText, nullable=False),
    Column("device_id", RowId, ForeignKey("devices.id"), nullable=False),
    Column("table_name", PlainText(), nullable=False),
    # Random: the associated data must be known before the row has an id.
    Column("mark", KeyText, nullable=False, unique=True),
    Column("content", SealedBytes(), nullable=False),
    Column("received_at", BigInteger(), nullable=False),
    Column("tries", Integer(), nullable=False, server_default=text("0")),
    Column("next_at", BigInteger(), nullable=False, server_default=text("0")),
    Column("isolated", Integer(), nullable=False, server_default=text("0")),
    Column("error", PlainText()),
    Column("failed_at", BigInteger()),
    Index("inbox_order", "plugin", "isolated", "device_id", "id"),
    info={KEY: ("plugin", "mark")},
)
"""Lines for plugins, which store them in transactions of their own."""

sessions = Table(
    "sessions",
    metadata,
    Column("device_id", RowId, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("secret", LargeBinary()),
    Column("generation", BigInteger()),
    Column("suite", PlainText()),
    Column("state", LargeBinary()),
    Column("number", BigInteger()),
    Column("next_generation", BigInteger()),
    Column("next_suite", PlainText()),
    Column("next_state", LargeBinary()),
    Column("next_step", PlainText()),
)
"""Keys of encrypted sessions, themselves encrypted: those in use, and those being agreed on."""

leases = Table(
    "leases",
    metadata,
    Column("name", KeyText, primary_key=True),
    Column("owner", PlainText(), nullable=False),
    Column("until", BigInteger(), nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", PlainText(), nullable=False),
    Column("size", BigInteger(), nullable=False),
    Column("md5", SealedText(), nullable=False, server_default=text("''")),
    Column("content", PlainText(), nullable=False, index=True, info={PICTURE: True}),
    Column("origin", PlainText()),
    Column("created_at", BigInteger(), nullable=False),
    Column("command", KeyText),
    picture_pointer("name", "size", "origin", "created_at"),
    info={KEY: ("content",)},
)
"""Files for and from terminals; `content` is the key of the stored content. A file made for a
`command` is removed when the command ends."""

events = Table(
    "events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", PlainText(), nullable=False),
    Column("data", PlainText(), nullable=False),
    Column("at", BigInteger(), nullable=False),
)
"""Events for API clients and forwarders, kept for some days."""

audit = Table(
    "audit",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", BigInteger(), nullable=False),
    Column("actor", PlainText(), nullable=False),
    Column("action", PlainText(), nullable=False),
    Column("subject", PlainText(), nullable=False),
    Column("detail", PlainText()),
    Column("mac", LargeBinary(), nullable=False, server_default=text("''")),
    Index("audit_actor", "actor", "id"),
    Index("audit_subject", "subject", "id"),
)
"""Audit log: a keyed hash chain (`zkpush.persist.chain`).

Rows are only added, or removed up to `audit_head.start_id`. Triggers from the migrations reject any
other change.
"""

audit_head = Table(
    "audit_head",
    metadata,
    Column("name", KeyText, primary_key=True),
    Column("last_id", BigInteger(), nullable=False),
    Column("last_mac", LargeBinary(), nullable=False),
    Column("start_id", BigInteger(), nullable=False),
    Column("start_mac", LargeBinary(), nullable=False),
    Column("seal", LargeBinary(), nullable=False),
)
"""Start and end of the audit chain, sealed; one row."""

tokens = Table(
    "tokens",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", KeyText, nullable=False, unique=True),
    Column("digest", LargeBinary(), nullable=False, unique=True),
    Column("scopes", PlainText(), nullable=False),
    Column("created_at", BigInteger(), nullable=False),
    Column("created_by", PlainText(), nullable=False),
    Column("expires_at", BigInteger()),
    Column("last_used_at", BigInteger()),
    # JSON list of areas; null for a token without limits.
    Column("areas", PlainText()),
)
"""API tokens by their SHA-256."""

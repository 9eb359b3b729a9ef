"""The tables of the engines, and what nouns use to declare theirs on the same `metadata`.

`record_columns` derives the columns of records from their declarations on the wire. Migrations
spell all columns out; a test compares both. Instants are integers: milliseconds since the epoch,
except `utc`, which is in seconds, as terminals report no more.
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
"""In the `info` of a column: it holds keys of pictures (`PictureStore.keep`), and keeps them."""
PERSON = "person"
"""In the `info` of a column: it holds the user IDs of all people that are known."""
RECORDS = "records"
"""In the `info` of a table: the record types of the wire that it keeps."""
LARGE = "large"
"""In the `info` of a table: it may be so large that it takes hours to write it anew."""

RowId = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only where the type is INTEGER."""


def plain(text: str) -> str:
    """Show NUL as U+FFFD, as in arguments (2): PostgreSQL cannot hold it."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


class PlainText(TypeDecorator[str]):
    """Text without NUL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Mark NUL."""
        return value and plain(value)


KeyText = PlainText().with_variant(PlainText(collation="C"), "postgresql")
"""Text that is in an index compares by its bytes, as on SQLite: the order of a language changes
with the server's libraries, and an index that is in another one does not find what is there."""

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
    """The columns for the stored fields of a record type, then `extra` and `raw`.

    What `zkpush.protocol.secrecy` calls a secret is sealed: declared fields, and these two.
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
    """The record types that our tables keep, by their declarations."""
    return TableSet(
        record for table in metadata.sorted_tables for record in table.info.get(RECORDS, ())
    )


def _type(table: fields.Table, field: fields.Field) -> TypeEngine[Any]:
    if field.secret:
        return SealedBytes() if field.kind is fields.Kind.BASE64 else SealedText()
    if field.name in table.key and field.kind.python is str:
        return KeyText
    return _TYPES[field.kind]


def _device_column(one: DeclaredAttribute) -> Column[Any]:
    """The column of an attribute of a terminal."""
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
"""What terminals say of their settings may hold passwords of theirs."""

comm_keys = Table(
    "comm_keys",
    metadata,
    Column("device_id", RowId, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("fingerprint", KeyText, primary_key=True),
    Column("address", PlainText()),
    Column("first_seen_at", BigInteger(), nullable=False),
    Column("last_seen_at", BigInteger(), nullable=False),
)
"""The pushcommkeys that were offered for terminals."""

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
"""The keys that seal what is secret, each wrapped under a site key, which is not in here."""

identity = Table("identity", metadata, Column("id", KeyText, primary_key=True))
"""The random id of this database, in its only row; see `zkpush.persist.identity`."""

unfinished = Table("unfinished", metadata, Column("name", KeyText, primary_key=True))
"""What is to be done, after a commit, before the database is used again."""

stamps = Table(
    "stamps",
    metadata,
    Column("device_id", RowId, ForeignKey("devices.id"), primary_key=True),
    Column("name", KeyText, primary_key=True),
    Column("value", PlainText(), nullable=False),
)


def no_zone_index(name: str) -> Index:
    """The index of a table for the records of a terminal that lack its zone."""
    waiting = text(f"doubt = '{NO_ZONE}'")
    return Index(
        f"{name}_no_zone", "device_id", "id", sqlite_where=waiting, postgresql_where=waiting
    )


def picture_pointer(*key: str) -> Column[Any]:
    """The picture of a row again, sealed for what the row is about: see `pictures.check_pointer`.

    It is no part of the key, so that two rows cannot exchange their pictures.
    """
    return Column(POINTER, SealedText(), info={KEY: key})


pictures = Table(
    "pictures",
    metadata,
    Column("digest", KeyText, primary_key=True),
    Column("content", LargeBinary(), nullable=False),
    # When it was last kept, in milliseconds: what nothing names is collected by its age.
    Column("kept_at", BigInteger(), nullable=False, server_default=text("0")),
)
"""Sealed pictures by their index, where the database keeps them and not a folder beside it."""

picture_plugins = Table("picture_plugins", metadata, Column("name", KeyText, primary_key=True))
"""The plugins that name pictures in tables of their own; see `zkpush.persist.collection`."""

commands = Table(
    "commands",
    metadata,
    Column("seq", RowId, primary_key=True),
    Column("id", KeyText, nullable=False, unique=True),
    Column("device_id", RowId, ForeignKey("devices.id"), nullable=False),
    Column("command", PlainText(), nullable=False),
    Column("family", PlainText(), nullable=False, server_default=text("'attendance'")),
    Column("body", SealedText(), nullable=False, server_default=text("''")),
    Column("idempotency_key", KeyText),
    Column("state", PlainText(), nullable=False),
    Column("attempts", Integer(), nullable=False),
    Column("lease_until", BigInteger()),
    Column("records", Integer(), nullable=False, server_default=text("0")),
    Column("return_code", BigInteger()),
    Column("result", SealedText()),
    Column("created_at", BigInteger(), nullable=False),
    Column("sent_at", BigInteger()),
    Column("finished_at", BigInteger()),
    # Lower ones are sent first: the negative of the priority.
    Column("rank", Integer(), nullable=False, server_default=text("0")),
    Column("not_before_at", BigInteger()),
    Column("expires_at", BigInteger()),
    # A digest of what the command changes, such as one person.
    Column("subject", LargeBinary()),
    Column("answered_at", BigInteger()),
    Column("reason", PlainText()),
    Column("replaced_by", PlainText()),
    Column("body_removed_at", BigInteger()),
    # The file that the terminal is to fetch, and the SHA-256 of the secret in its URL.
    Column("file_id", BigInteger()),
    Column("file_digest", LargeBinary()),
    Index("commands_of_device", "device_id", "seq"),
    Index(
        "commands_file",
        "file_digest",
        unique=True,
        sqlite_where=text("file_digest IS NOT NULL"),
        postgresql_where=text("file_digest IS NOT NULL"),
    ),
    Index("commands_idempotency", "device_id", "idempotency_key", unique=True),
    Index(
        "commands_open",
        "device_id",
        "rank",
        "seq",
        sqlite_where=text("state IN ('queued', 'sent')"),
        postgresql_where=text("state IN ('queued', 'sent')"),
    ),
    Index(
        "commands_subject",
        "device_id",
        "subject",
        sqlite_where=text("state IN ('queued', 'sent')"),
        postgresql_where=text("state IN ('queued', 'sent')"),
    ),
    Index("commands_finished", "finished_at"),
    Index(
        "commands_bodies",
        "finished_at",
        sqlite_where=text("body_removed_at IS NULL"),
        postgresql_where=text("body_removed_at IS NULL"),
    ),
    info={KEY: ("id",)},
)
"""The body of a command is its parameters, as sent and as asked for, and its text."""

rejects = Table(
    "rejects",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_id", RowId, ForeignKey("devices.id"), nullable=False),
    Column("table_name", PlainText(), nullable=False),
    Column("reason", SealedText(), nullable=False, server_default=text("''")),
    Column("raw", SealedBytes(), nullable=False),
    Column("digest", LargeBinary(), nullable=False),
    Column("received_at", BigInteger(), nullable=False),
    # Whether it is a packet (11.14), and the name that came with the upload of a photo (11.3).
    Column("packed", Integer(), nullable=False, server_default=text("0")),
    Column("name", SealedText()),
    # The request that brought it, as JSON, where it is the whole body of one.
    Column("origin", SealedText()),
    Column("attempts", Integer(), nullable=False, server_default=text("0")),
    Column("tried_at", BigInteger()),
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
    # Random: what a sealed value is about has to be known before the row has a number.
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
"""Lines for plugins that store them in transactions of their own."""

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
"""The keys of encrypted sessions, sealed: those in use, and those that are being agreed on."""

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
"""Files for terminals, and from them; `content` is the key of what they hold. One that was made for
a `command` ends with it."""

events = Table(
    "events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", PlainText(), nullable=False),
    Column("data", PlainText(), nullable=False),
    Column("at", BigInteger(), nullable=False),
)
"""What has happened, for those who want to hear of it; kept for some days."""

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
)
"""Who did what, in a keyed hash chain (`zkpush.persist.chain`).

Rows are only ever added, and removed up to `audit_head.start_id`; triggers of the migrations refuse
anything else.
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
"""Where the chain of the audit log starts and ends, sealed: one row."""

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
)
"""Tokens of the API by their SHA-256."""

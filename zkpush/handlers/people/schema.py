"""Database tables of users, templates and photos."""

from __future__ import annotations

from collections.abc import Sequence
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
    UniqueConstraint,
    text,
)

from ...persist.schema import (
    OF_PEOPLE,
    PERSON,
    PERSON_AREAS,
    PICTURE,
    RECORDS,
    KeyText,
    PlainText,
    RowId,
    metadata,
    picture_pointer,
    record_columns,
)
from ...persist.sealed import KEY, SealedBytes, SealedText
from ...protocol import fields
from .ordering import EXPRESSION
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
        info={KEY: key, RECORDS: records, OF_PEOPLE: ("pin",)},
    )


def _terminal_key() -> Column[int]:
    """Declare a terminal as part of a primary key; rows end with the terminal."""
    device = ForeignKey("devices.id", ondelete="CASCADE")
    return Column("device_id", RowId, device, primary_key=True, autoincrement=False)


users = _of_people("users", USER, (USER,))

users.c.pin.info[PERSON] = True
# For searches; see `searching`.
Index("users_card", users.c.card)
Index("users_vice_card", users.c.vice_card)
Index("users_privilege", users.c.privilege, users.c.id)
Index("users_natural", text(EXPRESSION.format(pin="pin")), users.c.pin)

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
STALE = b"?"
"""Digest of a statement made before its person was removed and added again; the next one is news,
whatever it says."""
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
    Index("holdings_device", "device_id", "table_name", "key"),
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

person_words = Table(
    "person_words",
    metadata,
    Column("pin", KeyText, primary_key=True),
    Column("device_id", RowId, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    # What the terminal last stated about the user, as JSON by column name.
    Column("word", SealedText(), nullable=False),
    info={KEY: ("pin", "device_id")},
)
"""Last word of each terminal about each user."""

person_authors = Table(
    "person_authors",
    metadata,
    Column("pin", KeyText, primary_key=True),
    Column("field", KeyText, primary_key=True),
    Column("author", PlainText(), nullable=False),
)
"""Authors of the fields of users, except for fields of the terminal that reported a user first."""

person_areas = Table(
    "person_areas",
    metadata,
    Column("pin", KeyText, primary_key=True),
    Column("area", KeyText, primary_key=True),
    Index("person_areas_area", "area", "pin"),
    info={PERSON_AREAS: True},
)
"""Areas of people."""

person_changes = Table(
    "person_changes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("pin", KeyText, nullable=False),
    Column("field", PlainText(), nullable=False),
    Column("at", BigInteger(), nullable=False),
    Column("author", PlainText(), nullable=False),
    Column("old", SealedText()),
    Column("new", SealedText()),
    Index("person_changes_pin", "pin", "id"),
    info={KEY: ("pin", "field", "at", "author"), OF_PEOPLE: ("pin",)},
)
"""Changes of the fields of users."""

_OPEN = text("settled_at IS NULL")

conflicts = Table(
    "conflicts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("pin", KeyText, nullable=False),
    Column("device_id", RowId, ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
    # The fields in which the terminal differs, as JSON by column name.
    Column("said", SealedText(), nullable=False),
    # Names of these fields, separated by spaces.
    Column("fields", PlainText(), nullable=False),
    Column("at", BigInteger(), nullable=False),
    Column("settled_at", BigInteger()),
    Column("settled_by", PlainText()),
    # Whether it was about one person under two names; null if nobody has said so.
    Column("one_person", Boolean()),
    Index(
        "conflicts_open",
        "pin",
        "device_id",
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
    Index("conflicts_people", "pin", "device_id"),
    info={KEY: ("pin", "device_id"), OF_PEOPLE: ("device_id", "pin")},
)
"""Statements of terminals about users that contradict what is stored."""

contested_parts = Table(
    "contested_parts",
    metadata,
    Column("table_name", KeyText, primary_key=True),
    Column("key", KeyText, primary_key=True),
    _terminal_key(),
    Column("pin", KeyText, nullable=False),
    Column("at", BigInteger(), nullable=False),
    # Whether the terminal has been asked who the user is.
    Column("asked", Boolean(), nullable=False),
    # The statement, as MessagePack: its key, values and text.
    Column("said", SealedBytes(), nullable=False),
    Index("contested_parts_pin", "pin", "device_id"),
    info={KEY: ("table_name", "key", "device_id"), OF_PEOPLE: ("device_id", "pin")},
)
"""Templates and photos from terminals that have, or may have, another person under the user ID."""

strangers = Table(
    "strangers",
    metadata,
    Column("pin", KeyText, primary_key=True),
    _terminal_key(),
    Column("at", BigInteger(), nullable=False),
)
"""Terminals that have somebody else, or templates of somebody else, under the user ID of a person;
since when. See `strangers`."""

_GOES_ON = text("until_at IS NULL")

punch_claims = Table(
    "punch_claims",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("pin", KeyText, nullable=False),
    Column("device_id", RowId, ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
    # Whom the terminal has; null if only the conflict says it.
    Column("name", SealedText()),
    Column("conflict_id", BigInteger()),
    # Null for all earlier punches, and as long as it goes on.
    Column("since_at", BigInteger()),
    Column("until_at", BigInteger()),
    # When the terminal last stated the person, and when it named the other one; null if unknown.
    Column("stated_at", BigInteger()),
    Column("named_at", BigInteger()),
    # Null until somebody decides.
    Column("owner", PlainText()),
    Column("decided_at", BigInteger()),
    Column("decided_by", PlainText()),
    Index(
        "punch_claims_open",
        "pin",
        "device_id",
        unique=True,
        sqlite_where=_GOES_ON,
        postgresql_where=_GOES_ON,
    ),
    Index("punch_claims_pin", "pin"),
    info={KEY: ("pin", "device_id"), OF_PEOPLE: ("device_id", "pin")},
)
"""Spans of time in which a terminal has somebody else under a user ID, and whose punches those
are. See `claims`."""

removed_people = Table(
    "removed_people",
    metadata,
    # Keyed hash of the user ID.
    Column("digest", LargeBinary(), primary_key=True),
    # The user ID; null for an erased person.
    Column("pin", KeyText, index=True),
    Column("at", BigInteger(), nullable=False),
    Column("author", PlainText(), nullable=False),
    # The name, and the areas as a JSON array, for past punches; null for an erased person.
    Column("name", PlainText()),
    Column("areas", PlainText()),
)
"""People who were removed, and are not added again by a terminal that still has them."""
removed_people.c.pin.info[PERSON] = True

earlier_holders = Table(
    "earlier_holders",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("pin", KeyText, nullable=False, index=True),
    # When somebody else got the user ID.
    Column("until", BigInteger(), nullable=False),
    # As of `removed_people`; both are null for an erased person.
    Column("name", PlainText()),
    Column("areas", PlainText()),
)
"""People who left, or were erased, and whose user ID somebody else has got since; see `holders`."""
earlier_holders.c.pin.info[PERSON] = True

_PENDING = text("pin IS NOT NULL")

erased_holders = Table(
    "erased_holders",
    metadata,
    # Keyed hash of the user ID.
    Column("digest", LargeBinary(), primary_key=True),
    _terminal_key(),
    # The user ID, only until the deletion is queued.
    Column("pin", SealedText()),
    # How often the terminal refused the deletion, the last return code, and when that was (ms).
    Column("refusals", Integer(), nullable=False, server_default=text("0")),
    Column("return_code", BigInteger()),
    Column("refused_at", BigInteger()),
    # When the next deletion is queued; null for at once.
    Column("due_at", BigInteger()),
    Index(
        "erased_holders_pending",
        "device_id",
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    ),
    info={KEY: ("digest", "device_id")},
)
"""Terminals that may have a person who was erased."""

"""The rows of users in the store: read and written by many at a time."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import BigInteger, Select, bindparam, select, update

from ...persist.damage import DAMAGED
from ...persist.databases import Insert, texts
from ...persist.schema import devices
from ...persist.sealed import opened, seal_columns
from .authorship import FIELDS, UNDECLARED, AuthoredValue, Merged, terminal
from .schema import (
    person_authors,
    person_changes,
    person_words,
    removed_people,
    users,
)

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


_WORD = ("pin", "device_id", "word")
_AUTHOR = ("pin", "field", "author")
_CHANGE = ("pin", "field", "at", "author", "old", "new")


class PersonRows:
    """Rows of users, of the authors and changes of their fields, and of what terminals said."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection
        self.find = lookups(tx.connection.dialect.name)

    def stored(self, pins: Sequence[str]) -> dict[str, PersonRow]:
        """Read the rows of users, with the authors of their fields; lock them in a writer."""
        keys = {"keys": msgspec.json.encode(pins).decode()}
        found = {}
        query = self.find.rows
        if self._tx.writes:
            query = query.with_for_update(of=users, key_share=True)
        rows = self._connection.execute(query, keys).all()
        # Read after the rows are locked, since another process may have changed the authors before.
        authors: dict[str, dict[str, str]] = {}
        for pin, field, author in self._connection.execute(self.find.authors, keys):
            authors.setdefault(pin, {})[field] = author
        for row in rows:
            values = opened(self._vault, users, row._mapping)
            damaged = values.get(DAMAGED, ())
            main = None if row.device is None else terminal(row.device)
            own = authors.get(row.pin, {})
            fields = {
                name: AuthoredValue(values[name], own.get(name, main), name in damaged)
                for name in (*FIELDS, *UNDECLARED)
            }
            found[str(row.pin)] = PersonRow(fields, main, row.updated_at)
        return found

    def adopt(self, pin: str, device_id: int, row: PersonRow, by: str) -> PersonRow:
        """Make a terminal the one that reported a user first."""
        self._connection.execute(
            update(users).where(users.c.pin == pin).values(device_id=device_id)
        )
        return row._replace(main=by)

    def words(self, device_id: int, pins: Sequence[str]) -> dict[str, Mapping[str, object]]:
        """Read what a terminal last stated about users, by user ID."""
        keys = {"keys": msgspec.json.encode(pins).decode(), "device": device_id}
        said = {}
        for row in self._connection.execute(self.find.words, keys).all():
            word = opened(self._vault, person_words, row._mapping)["word"]
            said[str(row.pin)] = {} if word is None else msgspec.json.decode(word)
        return said

    def keep_words(self, device_id: int, words: Mapping[str, Mapping[str, object]]) -> None:
        """Record what a terminal states about users, by user ID."""
        columns = (
            [*words],
            [device_id] * len(words),
            [msgspec.json.encode(word) for word in words.values()],
        )
        sealed_columns = seal_columns(self._vault, person_words, _WORD, columns)
        clause = "(pin, device_id) DO UPDATE SET word = excluded.word"
        self._tx.insert(Insert(person_words, _WORD, sealed_columns, clause))

    def write(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Write the columns that the rows have; others stay as they are."""
        alike: dict[tuple[str, ...], list[Mapping[str, object]]] = {}
        for row in {row["pin"]: row for row in rows}.values():
            alike.setdefault((*row,), []).append(row)
        for names, some in alike.items():
            columns = [[row[name] for row in some] for name in names]
            values = seal_columns(self._vault, users, names, columns)
            self._tx.insert(Insert(users, names, values, _replace(names)))

    def author(self, authors: Sequence[tuple[str, str, str]]) -> None:
        """Record the authors of fields: user IDs, names of fields and authors."""
        last = {(pin, field): author for pin, field, author in authors}
        if last:
            rows = zip(
                *((pin, field, author) for (pin, field), author in last.items()), strict=True
            )
            clause = "(pin, field) DO UPDATE SET author = excluded.author"
            self._tx.insert(Insert(person_authors, _AUTHOR, [*rows], clause))

    def remember(self, changes: Sequence[tuple[object, ...]]) -> None:
        """Record changes: user ID, field, time (ms), author, old and new value."""
        if changes:
            columns = [*zip(*changes, strict=True)]
            values = seal_columns(self._vault, person_changes, _CHANGE, columns)
            self._tx.insert(Insert(person_changes, _CHANGE, values))

    def is_overtaken(
        self, pin: str, row: PersonRow, values: Mapping[str, object], written_at: int
    ) -> bool:
        """Whether what is stored of a user is newer than a command with these values.

        If both are of one millisecond, the command is the older one if it has a value that was
        replaced in it.
        """
        if row.updated_at != written_at:
            return row.updated_at is not None and row.updated_at > written_at
        query = select(person_changes).where(
            person_changes.c.pin == pin, person_changes.c.at == written_at
        )
        replaced = {
            (change["field"], change["old"] or "")
            for change in (
                opened(self._vault, person_changes, one._mapping)
                for one in self._connection.execute(query)
            )
        }
        sent = {(name, _text(value)) for name, value in values.items() if name in FIELDS}
        return not replaced.isdisjoint(sent)


class PersonRow(NamedTuple):
    """A stored user."""

    fields: Mapping[str, AuthoredValue]
    main: str | None
    """Author of the fields without one of their own."""
    updated_at: int | None
    """None if nothing is stored about the user but the ID."""

    @classmethod
    def new(cls, main: str) -> PersonRow:
        """Return the row of a user who was added in this unit of work."""
        nothing = AuthoredValue(None, main)
        return cls(dict.fromkeys((*FIELDS, *UNDECLARED), nothing), main, None)

    @property
    def is_known(self) -> bool:
        """Whether more than the ID is stored."""
        return self.updated_at is not None

    def value(self, name: str) -> object:
        """Return the value of a field; None if it is empty."""
        return self.fields[name].value

    def writable(self) -> dict[str, object]:
        """Return the values without damaged ones, which stay as they are stored."""
        return {name: field.value for name, field in self.fields.items() if not field.is_damaged}

    def with_values(self, values: Mapping[str, object], author: str, now: int) -> PersonRow:
        """Return the row with values of an author."""
        changed = {name: AuthoredValue(value, author) for name, value in values.items()}
        return self._replace(fields={**self.fields, **changed}, updated_at=now)


class PersonLookups(NamedTuple):
    """Queries for many user IDs, given as a JSON array; built once per dialect."""

    terminal: Select[Any]
    known: Select[tuple[str]]
    kept: Select[tuple[str]]
    """As `known`, and locked against removal."""
    rows: Select[Any]
    authors: Select[Any]
    words: Select[Any]
    any_removed: Select[Any]


@functools.cache
def lookups(dialect: str) -> PersonLookups:
    """Return the queries for a dialect of SQLAlchemy."""
    keys = texts(dialect, "keys")
    device = bindparam("device", type_=BigInteger())
    return PersonLookups(
        terminal=select(devices.c.sn, devices.c.area).where(devices.c.id == device),
        known=select(users.c.pin).where(users.c.pin.in_(keys)),
        kept=select(users.c.pin)
        .where(users.c.pin.in_(keys))
        .order_by(users.c.pin)
        .with_for_update(read=True, key_share=True),
        rows=select(users, devices.c.sn.label("device"))
        .outerjoin(devices, devices.c.id == users.c.device_id)
        .where(users.c.pin.in_(keys))
        # All processes lock rows in this order.
        .order_by(users.c.pin),
        authors=select(person_authors).where(person_authors.c.pin.in_(keys)),
        words=select(person_words).where(
            person_words.c.device_id == device, person_words.c.pin.in_(keys)
        ),
        any_removed=select(removed_people.c.digest).limit(1),
    )


@functools.cache
def _replace(names: tuple[str, ...]) -> str:
    """SQL conflict clause that replaces columns of a user."""
    changes = [f'"{name}" = excluded."{name}"' for name in names if name != "pin"]
    return f"(pin) DO UPDATE SET {', '.join(changes)}"


def changes_of(
    pin: str, fields: Mapping[str, AuthoredValue], result: Merged, now: int, author: str
) -> list[tuple[object, ...]]:
    """Return the changes of what was taken, as `PersonRows.remember` takes them."""
    return [
        (pin, name, now, author, _text(fields[name].value), _text(value))
        for name, value in result.taken.items()
        if name in FIELDS
    ]


def _text(value: object) -> str | None:
    return None if value is None else str(value)

"""Templates and photos of two people under one user ID.

Theory of operation. Templates and photos have no name. Whose they are, only the statement of the
same terminal about the user tells. So they are *contested* while

- the terminal has not stated the user yet, and the user is known from elsewhere, or
- the terminal has an open conflict about the name or the card: it has another person under the ID.

Contested ones are stored apart, so that they do not overwrite those of the stored person, nor the
other way round. When the terminal states the user without such a conflict, they are merged. When
a conflict ends, its outcome decides about them:

- The operator chose the terminal: they replace those of the person who was stored. What the
  terminal has as well stays, and so do photos that an operator has uploaded.
- The operator chose the stored person, or another one: they are deleted.
- The terminal agrees by now, or the person has the same name and another card: they are merged as
  any statement, at the time at which they were made.

A terminal that still has those who were not chosen has a stranger then; see `strangers`.

A person who enrols at another terminal has been stated there: by the terminal that added the
person, or by the command that put the person there. If the terminal does not state the user by
itself, it is asked; see `identifying`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy
from sqlalchemy import ColumnElement, delete, select, update

from ...interfaces import NotUnsealed
from ...persist.databases import Insert, texts
from ...persist.pictures import PictureStore
from ...persist.sealed import POINTER, opened, seal_columns
from .model import Conflict, Key, PersonStatement, key_text
from .news import Keyed, StatementLog, parts_of, pins_of
from .schema import (
    REMOVED,
    STALE,
    conflicts,
    contested_parts,
    holdings,
    person_photos,
    templates,
    users,
    versions,
)
from .statements import texts_of
from .strangers import StrangerStore
from .survey import PersonSurvey
from .tables import BIODATA, BIOPHOTO

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

IDENTITY = frozenset({"name", "card"})
"""Fields that show that a user ID is two people."""
_NAMES = ("table_name", "key", "device_id", "pin", "at", "asked", "said")
_REPLACE = (
    "(table_name, key, device_id) "
    "DO UPDATE SET at = excluded.at, said = excluded.said, asked = excluded.asked"
)
_KEYS = {templates: BIODATA.key, person_photos: (*BIOPHOTO.key, "kind")}
_OF_STORE = frozenset({"id", "device_id", "updated_at", "digest", "picture", POINTER})
"""Columns that no terminal states."""


class Outcome(Enum):
    """Which templates and photos of a user stay after a conflict."""

    STORED = "stored"
    TERMINAL = "terminal"
    BOTH = "both"


def outcome_of(conflict: Conflict, values: Mapping[str, object]) -> Outcome:
    """Return the outcome of a settled conflict, by the values that are stored now.

    The name tells people apart; if there is none, the card does.
    """
    if "name" in conflict.fields:
        field = "name"
    elif "card" in conflict.fields and not values.get("name"):
        field = "card"
    else:
        return Outcome.BOTH
    is_terminal = values.get(field) == (conflict.said or {}).get(field)
    return Outcome.TERMINAL if is_terminal else Outcome.STORED


class ContestedParts:
    """Templates and photos from terminals that have another person under the user ID."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection

    def divert(
        self, table: sqlalchemy.Table, device_id: int, news: Sequence[Keyed], now: int
    ) -> list[Keyed]:
        """Store the news about contested people apart; return the rest."""
        pins = pins_of(news)
        contested = self._contradicted(device_id, pins) | self._unstated(device_id, pins)
        contested |= self._tx[StrangerStore].at(device_id, pins)
        apart = [(key, one) for key, one in news if str(one.key[0]) in contested]
        if apart:
            self._put(table, device_id, [(key, one, now) for key, one in apart])
            # Another terminal that states the same thing about the stored person is heard.
            self._tx[StatementLog].unlearn(table, apart)
        return [(key, one) for key, one in news if str(one.key[0]) not in contested]

    def without_strangers(
        self, table: sqlalchemy.Table, device_id: int, news: Sequence[Keyed]
    ) -> list[Keyed]:
        """Return the news without those about users whom a terminal has as somebody else."""
        others = self._tx[StrangerStore].at(device_id, pins_of(news))
        self._tx[StatementLog].unlearn(table, [one for one in news if str(one[1].key[0]) in others])
        return [(key, one) for key, one in news if str(one.key[0]) not in others]

    def set_apart(self, device_id: int, pins: Collection[str]) -> None:
        """Store apart what other terminals have sent about users before any had stated them.

        `device_id` is the terminal that has stated them first.
        """
        for table in _KEYS:
            is_other = table.c.device_id.is_not(None) & (table.c.device_id != device_id)
            for some in parts_of([*pins]):
                self._move(table, table.c.pin.in_(some) & is_other)

    def part(self, device_id: int, pin: str) -> set[int]:
        """Store apart what a terminal has sent of a user, who is two people after all.

        Returns the other terminals that have some of it.
        """
        terminals = set[int]()
        for table in _KEYS:
            is_own = (table.c.pin == pin) & (table.c.device_id == device_id)
            for key in self._move(table, is_own):
                of_key = _is_key(table, key)
                held = select(holdings.c.device_id).where(of_key, holdings.c.digest != REMOVED)
                terminals |= {*self._connection.execute(held).scalars()}
        return terminals - {device_id}

    def _move(self, table: sqlalchemy.Table, which: ColumnElement[bool]) -> list[str]:
        """Store records apart that terminals have sent; returns their keys."""
        moved = []
        for row in self._connection.execute(select(table).where(which)).all():
            said = opened(self._vault, table, row._mapping)
            values = {name: said[name] for name in row._mapping if name not in _OF_STORE}
            if table is person_photos:
                values["content"] = self._content(row.picture)
            key = tuple(values[name] for name in _KEYS[table])
            one = PersonStatement(key, values, b"")
            self._put(table, row.device_id, [(key_text(key), one, row.updated_at or 0)])
            self._connection.execute(delete(table).where(table.c.id == row.id))
            moved.append(key_text(key))
        return moved

    def identified(self, device_id: int, pins: Sequence[str]) -> list[str]:
        """Return the users whose templates and photos are known to be theirs now.

        They are stored apart, and a terminal has just stated these users without a conflict.
        """
        query = select(contested_parts.c.pin).where(
            contested_parts.c.device_id == device_id,
            contested_parts.c.pin.in_(texts(self._connection.dialect.name, "keys")),
        )
        listed = {"keys": msgspec.json.encode(pins).decode()}
        found = sorted({*self._connection.execute(query.distinct(), listed).scalars()})
        if not found:
            return []
        others = self._contradicted(device_id, found) | self._tx[StrangerStore].at(device_id, found)
        return [pin for pin in found if pin not in others]

    def to_ask(self, before: int, limit: int) -> list[tuple[int, str]]:
        """List terminals that are to be asked for users, each with one user.

        They sent templates or photos of these before an instant (ms), and have not stated them.
        """
        in_conflict = (
            select(conflicts.c.id)
            .where(
                conflicts.c.pin == contested_parts.c.pin,
                conflicts.c.device_id == contested_parts.c.device_id,
                conflicts.c.settled_at.is_(None),
            )
            .exists()
        )
        query = select(contested_parts.c.device_id, contested_parts.c.pin).where(
            contested_parts.c.asked.is_(False), contested_parts.c.at <= before, ~in_conflict
        )
        query = query.distinct().order_by(contested_parts.c.device_id, contested_parts.c.pin)
        return [(row.device_id, row.pin) for row in self._connection.execute(query.limit(limit))]

    def drop_unstated(self, device_id: int, since: int) -> None:
        """Delete what a terminal sent before it stated all its users, if it has no such user.

        `since` is when it was asked for all of them (ms).
        """
        is_stated = (
            select(holdings.c.key)
            .where(
                holdings.c.table_name == str(users.name),
                holdings.c.key == '["' + contested_parts.c.pin + '"]',
                holdings.c.device_id == device_id,
                holdings.c.digest != REMOVED,
                holdings.c.at >= since,
            )
            .exists()
        )
        is_older = (contested_parts.c.device_id == device_id) & (contested_parts.c.at < since)
        self._connection.execute(delete(contested_parts).where(is_older, ~is_stated))

    def drop_nobodys(self, device_id: int, pin: str) -> None:
        """Delete what a terminal sent of a user whom it does not have, before it gets a person."""
        held = select(holdings.c.key).where(
            holdings.c.table_name == str(users.name),
            holdings.c.key == key_text((pin,)),
            holdings.c.device_id == device_id,
            holdings.c.digest != REMOVED,
        )
        is_own = (contested_parts.c.device_id == device_id) & (contested_parts.c.pin == pin)
        is_asked = contested_parts.c.asked.is_(True)
        self._connection.execute(delete(contested_parts).where(is_own, is_asked, ~held.exists()))

    def asked(self, device_id: int) -> None:
        """Record that a terminal has been asked who its users are."""
        self._connection.execute(
            update(contested_parts)
            .where(contested_parts.c.device_id == device_id)
            .values(asked=True)
        )

    def take(
        self, device_id: int, pins: Collection[str]
    ) -> dict[sqlalchemy.Table, dict[int, list[Keyed]]]:
        """Remove what is stored apart from a terminal about users.

        Returns it by table and by the time of the statement (ms). Damaged values are left out.
        """
        taken: dict[sqlalchemy.Table, dict[int, list[Keyed]]] = {table: {} for table in _KEYS}
        tables = {str(table.name): table for table in _KEYS}
        for some in parts_of([*pins]):
            which = (contested_parts.c.device_id == device_id) & contested_parts.c.pin.in_(some)
            query = select(contested_parts).where(which).order_by(contested_parts.c.at)
            for row in self._connection.execute(query).all():
                said = opened(self._vault, contested_parts, row._mapping)["said"]
                if said is not None:
                    key, values, text = msgspec.msgpack.decode(said, type=_Said)
                    one = PersonStatement(key, values, text)
                    taken[tables[row.table_name]].setdefault(row.at, []).append((row.key, one))
            self._connection.execute(delete(contested_parts).where(which))
        return taken

    def drop_others(self, device_id: int, pin: str, apart: Collection[str]) -> set[int]:
        """Delete the templates and photos of a user that a terminal does not have itself.

        The terminal may have its own version of one that is deleted. Its next statement of that one
        is news, unless the version was kept `apart` (keys). Photos without a terminal stay: an
        operator has uploaded them. Returns the other terminals that have some of the deleted ones.
        """
        terminals = set[int]()
        overview = self._tx[PersonSurvey].of([pin])[pin]
        for table, records in ((templates, overview.templates), (person_photos, overview.photos)):
            for one in records:
                key = key_text(one.key)
                if device_id in one.reporters or self._states_alike(device_id, table, one.key):
                    continue
                which = _is_record(table, one.key)
                if table is person_photos:
                    which &= table.c.device_id.is_not(None)
                self._connection.execute(delete(table).where(which))
                of_key = _is_key(table, key)
                held = select(holdings.c.device_id).where(of_key, holdings.c.digest != REMOVED)
                terminals |= {*self._connection.execute(held).scalars()}
                if key not in apart:
                    self._forget(table, device_id, key)
        return terminals - {device_id}

    def _states_alike(self, device_id: int, table: sqlalchemy.Table, key: Key) -> bool:
        """Whether a terminal has a stored template, but has stated it in another table."""
        if table is not templates:
            return False
        row = self._connection.execute(select(table).where(_is_record(table, key))).one()
        said = opened(self._vault, table, row._mapping)
        digests = [self._vault.index(text) for text in texts_of(said)]
        held = select(holdings.c.key).where(
            _is_key(table, key_text(key)),
            holdings.c.device_id == device_id,
            holdings.c.digest.in_(digests),
        )
        return self._connection.execute(held).first() is not None

    def _forget(self, table: sqlalchemy.Table, device_id: int, key: str) -> None:
        """Forget what a terminal stated for a key, so that its next statement is news."""
        is_own = _is_key(table, key) & (holdings.c.device_id == device_id)
        if self._connection.execute(delete(holdings).where(is_own)).rowcount:
            known = (versions.c.table_name == str(table.name)) & (versions.c.key == key)
            self._connection.execute(delete(versions).where(known))

    def _put(
        self,
        table: sqlalchemy.Table,
        device_id: int,
        said: Sequence[tuple[str, PersonStatement, int]],
    ) -> None:
        """Store statements apart, each with its key and time (ms)."""
        rows = [
            (
                *(str(table.name), key, device_id, str(one.key[0]), at, False),
                msgspec.msgpack.encode((one.key, one.values, one.text)),
            )
            for key, one, at in said
        ]
        values = seal_columns(self._vault, contested_parts, _NAMES, [*zip(*rows, strict=True)])
        self._tx.insert(Insert(contested_parts, _NAMES, values, _REPLACE))

    def _content(self, picture: str | None) -> bytes | None:
        try:
            return None if picture is None else self._tx[PictureStore].get(picture)
        except (LookupError, NotUnsealed):
            return None

    def _unstated(self, device_id: int, pins: Sequence[str]) -> set[str]:
        """Return the users whom a terminal has not stated, and who are known from elsewhere."""
        is_own = (users.c.device_id == device_id) & users.c.updated_at.is_(None)
        is_stated = (
            select(holdings.c.key)
            .where(
                holdings.c.table_name == str(users.name),
                holdings.c.key == '["' + users.c.pin + '"]',
                holdings.c.device_id == device_id,
                holdings.c.digest.not_in((REMOVED, STALE)),
            )
            .exists()
        )
        keys = texts(self._connection.dialect.name, "keys")
        # The terminal of an operator's person is null, which compares as neither.
        query = select(users.c.pin).where(users.c.pin.in_(keys), is_own.is_not(True), ~is_stated)
        listed = {"keys": msgspec.json.encode(pins).decode()}
        return {*self._connection.execute(query, listed).scalars()}

    def _contradicted(self, device_id: int, pins: Sequence[str]) -> set[str]:
        """Return the users about whose name or card a terminal has an open conflict."""
        keys = texts(self._connection.dialect.name, "keys")
        query = select(conflicts.c.pin, conflicts.c.fields).where(
            conflicts.c.device_id == device_id,
            conflicts.c.pin.in_(keys),
            conflicts.c.settled_at.is_(None),
        )
        listed = {"keys": msgspec.json.encode(pins).decode()}
        rows = self._connection.execute(query, listed).all()
        return {row.pin for row in rows if not IDENTITY.isdisjoint(row.fields.split())}


def _is_record(table: sqlalchemy.Table, key: Key) -> ColumnElement[bool]:
    """Return the condition for the stored record of a key."""
    return sqlalchemy.and_(
        *(table.c[name] == value for name, value in zip(_KEYS[table], key, strict=True))
    )


def _is_key(table: sqlalchemy.Table, key: str) -> ColumnElement[bool]:
    """Return the condition for what terminals stated for a key."""
    return (holdings.c.table_name == str(table.name)) & (holdings.c.key == key)


_Said = tuple[tuple[str | int, ...], dict[str, object], bytes]

"""Templates and photos of two people under one user ID.

Theory of operation. A terminal with an open conflict about the name or the card of a user has
another person under the user ID. Its templates and photos are *contested*: they are stored apart,
so that they do not overwrite those of the stored person, nor the other way round. When the conflict
ends, its outcome decides about them:

- The operator chose the terminal: they replace those of the person who was stored. What the
  terminal has as well stays, and so do photos that an operator has uploaded.
- The operator chose the stored person, or another one: they are deleted.
- The terminal agrees by now, or the person has the same name and another card: they are merged as
  any statement.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy
from sqlalchemy import delete, select

from ...persist.databases import Insert, texts
from ...persist.sealed import opened, seal_columns
from .model import Conflict, PersonStatement
from .news import Keyed, parts_of, pins_of
from .schema import conflicts, contested_parts, person_photos, templates
from .survey import PersonSurvey
from .tables import BIODATA, BIOPHOTO

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

IDENTITY = frozenset({"name", "card"})
"""Fields that show that a user ID is two people."""
_NAMES = ("table_name", "key", "device_id", "pin", "at", "said")
_REPLACE = "(table_name, key, device_id) DO UPDATE SET at = excluded.at, said = excluded.said"
_TABLES = {str(table.name): table for table in (templates, person_photos)}


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
        contested = self._contested(device_id, pins_of(news))
        rows = [
            (
                str(table.name),
                key,
                device_id,
                str(one.key[0]),
                now,
                msgspec.msgpack.encode((one.key, one.values, one.text)),
            )
            for key, one in news
            if str(one.key[0]) in contested
        ]
        if rows:
            values = seal_columns(self._vault, contested_parts, _NAMES, [*zip(*rows, strict=True)])
            self._tx.insert(Insert(contested_parts, _NAMES, values, _REPLACE))
        return [(key, one) for key, one in news if str(one.key[0]) not in contested]

    def take(self, device_id: int, pins: Collection[str]) -> dict[str, list[Keyed]]:
        """Remove what is stored apart from a terminal about users; return it by table.

        Damaged values are left out.
        """
        taken: dict[str, list[Keyed]] = {name: [] for name in _TABLES}
        for some in parts_of([*pins]):
            which = (contested_parts.c.device_id == device_id) & contested_parts.c.pin.in_(some)
            query = select(contested_parts).where(which).order_by(contested_parts.c.at)
            for row in self._connection.execute(query).all():
                said = opened(self._vault, contested_parts, row._mapping)["said"]
                if said is not None:
                    key, values, text = msgspec.msgpack.decode(said, type=_Said)
                    taken[row.table_name].append((row.key, PersonStatement(key, values, text)))
            self._connection.execute(delete(contested_parts).where(which))
        return taken

    def drop_others(self, device_id: int, pin: str) -> None:
        """Delete the templates and photos of a user that a terminal does not state itself.

        Photos without a terminal stay: an operator has uploaded them.
        """
        overview = self._tx[PersonSurvey].of([pin])[pin]
        for table, names, records in (
            (templates, BIODATA.key, overview.templates),
            (person_photos, (*BIOPHOTO.key, "kind"), overview.photos),
        ):
            for one in records:
                if device_id in one.reporters:
                    continue
                place = zip(names, one.key, strict=True)
                which = [table.c[name] == value for name, value in place]
                if table is person_photos:
                    which.append(table.c.device_id.is_not(None))
                self._connection.execute(delete(table).where(*which))

    def _contested(self, device_id: int, pins: Sequence[str]) -> set[str]:
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


_Said = tuple[tuple[str | int, ...], dict[str, object], bytes]

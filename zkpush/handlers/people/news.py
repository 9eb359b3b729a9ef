"""Statements of terminals about people: which of them are news.

A statement of a terminal is *news* if it differs from the same terminal's last statement or,
without one, was never made by any terminal. Only news changes stored records. A terminal that sends
all its data again therefore does not undo changes made elsewhere meanwhile.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
import sqlalchemy
from sqlalchemy import BigInteger, Select, Text, Update, bindparam, delete, select, update

from ...persist.databases import Insert, texts
from .model import PersonStatement, key_text
from .schema import REMOVED, holdings, versions

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

Keyed = tuple[str, PersonStatement]
"""A statement with its key as JSON."""
_LONG_TEXT = 16 * 1024
"""Most bytes of the text of a merged statement; longer texts are replaced by their digest."""
_HELD = ("table_name", "key", "device_id", "digest", "at")
_VERSION = ("table_name", "key", "digest")
_HOLD = (
    "(table_name, key, device_id) DO UPDATE SET digest = excluded.digest, at = excluded.at "
    "WHERE excluded.at >= holdings.at AND excluded.digest <> holdings.digest"
)
T = TypeVar("T")
_PART = 500
"""Parameters of one statement that names many rows."""
first_of = itemgetter(0)


class Recorded(NamedTuple):
    """Statements that were recorded, the last for each key."""

    news: list[Keyed]
    changed: list[Keyed]
    """Those that differ from the terminal's last statement; news are among them."""
    heard_at: Mapping[str, int]
    """When the terminal made its last statement before (ms), by key."""


class StatementLog:
    """The last statement of each terminal about each key of a person, and all versions of it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._index = tx.vault.index
        self._connection = tx.connection
        self._find = _lookups(tx.connection.dialect.name)

    def news(
        self, kept: sqlalchemy.Table, device_id: int, said: Sequence[Keyed], now: int
    ) -> list[Keyed]:
        """Record statements of a terminal; return the news among them, the last for each key."""
        return self.record(kept, device_id, said, now).news

    def record(
        self, kept: sqlalchemy.Table, device_id: int, said: Sequence[Keyed], now: int
    ) -> Recorded:
        """Record statements of a terminal, and that it repeats those that are recorded."""
        table = str(kept.name)  # plain `str`, as JSON cannot encode SQLAlchemy's subclass
        digests: dict[str, bytes] = {}
        latest: dict[str, PersonStatement] = {}
        # Earlier statements of the same key are recorded as made, too.
        spoken: set[tuple[str, bytes]] = set()
        for key, one in said:
            if latest.get(key) is one:
                continue
            latest[key] = one
            digests[key] = digest = self._index(one.text)
            spoken.add((key, digest))
        place = {"table": table, "keys": msgspec.json.encode([*latest]).decode()}
        of_terminal = self._connection.execute(self._find.held, {**place, "device": device_id})
        before = [row for row in of_terminal if row.digest != REMOVED]
        held = {row.key: bytes(row.digest) for row in before}
        of_all = self._connection.execute(self._find.known, place)
        known = {(key, bytes(digest)) for key, digest in of_all}
        changed = sorted([key for key, digest in digests.items() if held.get(key) != digest])
        if changed:
            count = len(changed)
            columns = (
                *([table] * count, changed, [device_id] * count),
                *([digests[key] for key in changed], [now] * count),
            )
            self._tx.insert(Insert(holdings, _HELD, columns, _HOLD))
        repeated = sorted(digests.keys() - {*changed})
        if repeated:
            listed = {**place, "keys": msgspec.json.encode(repeated).decode()}
            self._connection.execute(
                self._find.repeated, {**listed, "device": device_id, "now": now}
            )
        unknown = sorted(spoken - known)
        if unknown:
            rows = list(zip(*unknown, strict=True))
            self._tx.insert(Insert(versions, _VERSION, ([table] * len(unknown), *rows)))
        return Recorded(
            [
                (key, one)
                for key, one in latest.items()
                if (held[key] != digests[key] if key in held else (key, digests[key]) not in known)
            ],
            [(key, latest[key]) for key in changed],
            {row.key: row.at for row in before},
        )

    def unlearn(self, kept: sqlalchemy.Table, said: Sequence[Keyed]) -> None:
        """Make statements news for other terminals, as if nobody had made them."""
        for key, one in said:
            self._connection.execute(
                delete(versions).where(
                    versions.c.table_name == str(kept.name),
                    versions.c.key == key,
                    versions.c.digest == self._index(one.text),
                )
            )


class _StatementLookups(NamedTuple):
    """Queries for many keys, given as a JSON array; built once per dialect."""

    held: Select[Any]
    known: Select[Any]
    repeated: Update


@functools.cache
def _lookups(dialect: str) -> _StatementLookups:
    keys = texts(dialect, "keys")
    table, device = bindparam("table", type_=Text()), bindparam("device", type_=BigInteger())
    return _StatementLookups(
        held=select(holdings.c.key, holdings.c.digest, holdings.c.at).where(
            holdings.c.table_name == table,
            holdings.c.device_id == device,
            holdings.c.key.in_(keys),
        ),
        known=select(versions.c.key, versions.c.digest).where(
            versions.c.table_name == table, versions.c.key.in_(keys)
        ),
        repeated=update(holdings)
        .where(
            holdings.c.table_name == table,
            holdings.c.device_id == device,
            holdings.c.key.in_(keys),
            holdings.c.at < bindparam("now", type_=BigInteger()),
        )
        .values(at=bindparam("now", type_=BigInteger())),
    )


def keyed(said: Iterable[PersonStatement]) -> list[Keyed]:
    """Return statements with their keys as JSON."""
    return [(key_text(one.key), one) for one in said]


def pins_of(said: Iterable[Keyed]) -> list[str]:
    """Return the user IDs, each once, in the order of the statements."""
    return [*dict.fromkeys([str(one.key[0]) for _, one in said])]


def merged(said: Iterable[Keyed]) -> list[Keyed]:
    """Merge the statements of each key; later ones inherit the values that they leave empty."""
    by_key: dict[str, PersonStatement] = {}
    for key, one in said:
        before = by_key.get(key)
        if before is not None:
            values = {
                name: before.values[name] if value in (None, "") else value
                for name, value in one.values.items()
            }
            if values != one.values:  # the merged text covers both statements
                said_before = before.text
                if len(said_before) > _LONG_TEXT:  # growing texts cost a copy each
                    said_before = hashlib.sha256(said_before).digest()
                text = said_before + b"\0" + one.text
                one = msgspec.structs.replace(one, values=values, text=text)
        by_key[key] = one
    return list(by_key.items())


def parts_of(values: Sequence[T]) -> Iterable[Sequence[T]]:
    """Split values into parts, each few enough for the parameters of one statement."""
    return (values[start : start + _PART] for start in range(0, len(values), _PART))

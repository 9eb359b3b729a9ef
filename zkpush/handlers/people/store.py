"""People in the store: one record for each user, template and photo, across all terminals.

A statement of a terminal is *news* if it differs from the same terminal's last statement or,
without one, was never made by any terminal. Only news changes stored records. A terminal that sends
all its data again therefore does not undo changes made elsewhere meanwhile.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
import sqlalchemy
from sqlalchemy import BigInteger, Select, Text, bindparam, delete, func, select

from ...interfaces import NotUnsealed
from ...model import Page
from ...persist.damage import DAMAGED
from ...persist.databases import Insert, quoted, texts
from ...persist.events import EventStore
from ...persist.paging import part_of
from ...persist.pictures import PictureStore
from ...persist.rows import stored
from ...persist.schema import devices
from ...persist.sealed import POINTER, check_pointer, note, opened, seal_columns
from ...values.people import Person
from .forgetting import forget_templates
from .model import (
    STORED_PERSON,
    STORED_PERSON_PHOTO,
    STORED_TEMPLATE,
    PersonPhoto,
    PersonStatement,
    Template,
    key_text,
)
from .schema import REMOVED, holdings, person_photos, templates, users, versions

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

__all__ = ["PeopleStore", "forget_templates"]

T = TypeVar("T")
Keyed = tuple[str, PersonStatement]
"""A statement with its key as JSON."""
_LONG_TEXT = 16 * 1024
"""Most bytes of the text of a merged statement; longer texts are replaced by their digest."""
_PART = 500
"""Rows deleted with one statement."""
_PLACE = ("pin", "type", "number", "index")
_ALGORITHM = ("major_version", "minor_version")
_place, _algorithm, _first = itemgetter(*_PLACE), itemgetter(*_ALGORITHM), itemgetter(0)
_HELD = ("table_name", "key", "device_id", "digest", "at")
_VERSION = ("table_name", "key", "digest")
_HOLD = (
    "(table_name, key, device_id) DO UPDATE SET digest = excluded.digest, at = excluded.at "
    "WHERE excluded.at >= holdings.at AND excluded.digest <> holdings.digest"
)


class PeopleStore:
    """Users, their templates and photos: the newest of each, from any terminal.

    A statement that is not news changes nothing.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection
        self._pictures = tx[PictureStore]
        self._events = tx[EventStore]
        self._find = _lookups(tx.connection.dialect.name)

    def keep_users(
        self,
        device_id: int,
        said: Sequence[PersonStatement],
        now: int,
        written_at: int | None = None,
    ) -> None:
        """Store users; values that a terminal does not state are left unchanged.

        `written_at` (ms) is when the statements were written, if that is not now; later ones stay.
        """
        keyed = _keyed(said)
        news = self._news(users, device_id, [*keyed, *_merged(keyed)], now)
        if written_at is not None:
            news = self._changes(keyed, written_at)
        self._write(users, device_id, news, written_at or now, absent_stays=True)
        self._tell("user", device_id, news, now)

    def keep_templates(
        self,
        device_id: int,
        said: Sequence[PersonStatement],
        now: int,
        written_at: int | None = None,
    ) -> None:
        """Store templates, the newest of each key; see `keep_users`."""
        index = self._vault.index
        news = [
            (
                key,
                PersonStatement(one.key, {**one.values, "digest": index(_template(one))}, one.text),
            )
            for key, one in self._news(templates, device_id, _keyed(said), now)
        ]
        self._meet(device_id, news)
        left = self._named(device_id, news, written_at or now)
        self._write(templates, device_id, left, written_at or now)
        self._tell("template", device_id, left, now)

    def keep_photos(
        self,
        device_id: int,
        said: Sequence[PersonStatement],
        now: int,
        written_at: int | None = None,
    ) -> None:
        """Store photos, the newest of each key; `content` is the picture, or None.

        See `keep_users` for `written_at`.
        """
        news = []
        told = self._news(person_photos, device_id, _keyed(said), now)
        contents = [one.values["content"] for _, one in told]
        pictures = self._pictures.keep_all([one for one in contents if isinstance(one, bytes)])
        for key, one in told:
            values = dict(one.values)
            content = values.pop("content")
            picture = pictures[content] if isinstance(content, bytes) else None
            values["picture"] = values[POINTER] = picture
            news.append((key, PersonStatement(one.key, values, one.text)))
        self._meet(device_id, news)
        self._write(person_photos, device_id, news, written_at or now)
        self._tell("photo", device_id, news, now)

    def names(self, pins: Collection[str]) -> dict[str, str]:
        """Return the names of users by user ID; unknown users are left out."""
        query = select(users.c.pin, users.c.name).where(users.c.pin.in_(pins))
        return {row.pin: row.name for row in self._rows(query) if row.name is not None}

    def users(self, part: Page, *pins: str) -> list[Person]:
        """List users by id, each with its template counts by type and whether it has a photo.

        Lists all users if no user ID is given.
        """
        query = part_of(_with_device(users), users.c.id, part)
        if pins:
            query = query.where(users.c.pin.in_(pins))
        found = self._rows(query)
        owners = [row.pin for row in found]
        counted: dict[str, dict[int, int]] = {}
        counting = (
            select(templates.c.pin, templates.c.type, func.count())
            .where(templates.c.pin.in_(owners))
            .group_by(templates.c.pin, templates.c.type)
        )
        for owner, type_, count in self._rows(counting):
            counted.setdefault(owner, {})[type_] = count
        pictured = set(
            self._connection.execute(
                select(person_photos.c.pin).where(person_photos.c.pin.in_(owners)).distinct()
            ).scalars()
        )
        return [
            stored(
                STORED_PERSON,
                opened(self._vault, users, row._mapping),
                templates=counted.get(row.pin, {}),
                has_photo=row.pin in pictured,
            )
            for row in found
        ]

    def known(self, pins: Collection[str]) -> set[str]:
        """Return those of some user IDs that are stored."""
        query = select(users.c.pin).where(users.c.pin.in_(pins))
        return set(self._connection.execute(query).scalars())

    def templates(self, *pins: str) -> list[Template]:
        """List the templates of users."""
        query = _with_device(templates).where(templates.c.pin.in_(pins)).order_by(templates.c.id)
        return [
            stored(STORED_TEMPLATE, opened(self._vault, templates, row._mapping))
            for row in self._rows(query)
        ]

    def photos(self, pin: str) -> list[PersonPhoto]:
        """List the photos of a user, each with its `content`, or None if stored elsewhere."""
        query = _with_device(person_photos).where(person_photos.c.pin == pin)
        photos = []
        for row in self._rows(query.order_by(person_photos.c.id)):
            values = opened(self._vault, person_photos, row._mapping)
            check_pointer(self._vault, person_photos, values, "picture")
            photos.append(stored(STORED_PERSON_PHOTO, self._with_content(values)))
        return photos

    def _with_content(self, values: dict[str, Any]) -> dict[str, Any]:
        """Add the picture to a photo as `content`; a missing one is marked as damaged."""
        digest, damaged = values.pop("picture"), values.get(DAMAGED, [])
        values["content"] = None
        if "picture" in damaged:
            damaged[damaged.index("picture")] = "content"
        elif digest is not None:
            try:
                values["content"] = self._pictures.get(str(digest))
            except (LookupError, NotUnsealed) as error:
                note(self._vault, person_photos, values, "content", error)
        return values

    def _rows(self, query: Select[Any]) -> Sequence[Any]:
        return self._connection.execute(query).all()

    def _news(
        self, kept: sqlalchemy.Table, device_id: int, said: Sequence[Keyed], now: int
    ) -> list[Keyed]:
        """Record statements of a terminal; return the news among them, the last for each key."""
        table = str(kept.name)  # plain `str`, as JSON cannot encode SQLAlchemy's subclass
        digests: dict[str, bytes] = {}
        latest: dict[str, PersonStatement] = {}
        # Earlier statements of the same key are recorded as made, too.
        spoken: set[tuple[str, bytes]] = set()
        index = self._vault.index
        for key, one in said:
            if latest.get(key) is one:
                continue
            latest[key] = one
            digests[key] = digest = index(one.text)
            spoken.add((key, digest))
        place = {"table": table, "keys": msgspec.json.encode([*latest]).decode()}
        of_terminal = self._connection.execute(self._find.held, {**place, "device": device_id})
        held = {key: bytes(digest) for key, digest in of_terminal if digest != REMOVED}
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
        unknown = sorted(spoken - known)
        if unknown:
            rows = list(zip(*unknown, strict=True))
            self._tx.insert(Insert(versions, _VERSION, ([table] * len(unknown), *rows)))
        return [
            (key, one)
            for key, one in latest.items()
            if (held[key] != digests[key] if key in held else (key, digests[key]) not in known)
        ]

    def _changes(self, said: Sequence[Keyed], written_at: int) -> list[Keyed]:
        """Return the statements on users that would change what is stored, and is not newer."""
        query = select(users).where(users.c.pin.in_(_pins(said)))
        known = {row.pin: opened(self._vault, users, row._mapping) for row in self._rows(query)}
        return [
            (key, one)
            for key, one in said
            if (kept := known.get(str(one.key[0]))) is None
            or (
                (kept["updated_at"] or 0) <= written_at
                and any(
                    value is not None and kept.get(name) != value
                    for name, value in one.values.items()
                )
            )
        ]

    def _named(self, device_id: int, news: Sequence[Keyed], now: int) -> list[Keyed]:
        """Drop templates of unknown version that duplicate one of known version.

        Terminals upload templates of the older tables without a version (11.9), and report the
        version with a poll or their options, possibly later.
        """
        named: set[tuple[object, ...]] = set()
        waiting: dict[tuple[object, ...], list[tuple[int, bytes | None, int | None]]] = {}
        pins = {"keys": msgspec.json.encode(_pins(news)).decode()}
        found = self._connection.execute(self._find.placed, pins)
        for *where, major, minor, row_id, digest, owner in found:
            place = tuple(where)
            own = None if digest is None else bytes(digest)
            if major or minor:
                named.add((*place, own))
            else:
                waiting.setdefault(place, []).append((row_id, own, owner))
        left, replaced = [], []
        for key, one in news:
            values = one.values
            place = _place(values)
            if _algorithm(values) == (0, 0):
                if (*place, values["digest"]) in named:
                    continue
            else:
                replaced += [
                    row_id
                    for row_id, own, owner in waiting.get(place, ())
                    if own == values["digest"] or owner == device_id
                ]
            left.append((key, one))
        for some in _parts(replaced):
            older = func.coalesce(templates.c.updated_at, 0) <= now
            self._connection.execute(delete(templates).where(templates.c.id.in_(some), older))
        return left

    def _tell(self, what: str, device_id: int, news: Iterable[Keyed], now: int) -> None:
        """Add one event for each person with news, however many records changed."""
        pins = _pins(news)
        if pins:
            device = {"device": device_id}
            sn = self._connection.execute(self._find.serial, device).scalar_one()
            for pin in pins:
                self._events.add("user", {"pin": pin, "what": what, "device": sn}, now)

    def _meet(self, device_id: int, said: Iterable[Keyed]) -> None:
        """Record users whose templates or photos arrived before them."""
        pins = sorted(_pins(said))
        if pins:
            columns = (pins, [device_id] * len(pins))
            self._tx.insert(Insert(users, ("pin", "device_id"), columns))

    def _write(
        self,
        table: sqlalchemy.Table,
        device_id: int,
        news: Sequence[Keyed],
        now: int,
        *,
        absent_stays: bool = False,
    ) -> None:
        """Write news, unless a later statement is stored."""
        if not news:
            return
        said = [one.values for _, one in sorted(news, key=_first)]
        names = tuple(said[0])
        columns: list[Sequence[object]] = [
            [device_id] * len(said),
            [now] * len(said),
            *([values[name] for values in said] for name in names),
        ]
        names = ("device_id", "updated_at", *names)
        self._tx.insert(
            Insert(
                table,
                names,
                seal_columns(self._vault, table, names, columns),
                _replace(table, names, absent_stays=absent_stays),
            ),
        )


class _Lookups(NamedTuple):
    """Queries for many keys, given as a JSON array; built once per dialect."""

    serial: Select[tuple[str]]
    held: Select[Any]
    known: Select[Any]
    placed: Select[Any]


@functools.cache
def _lookups(dialect: str) -> _Lookups:
    keys = texts(dialect, "keys")
    table, device = bindparam("table", type_=Text()), bindparam("device", type_=BigInteger())
    columns = (*_PLACE, *_ALGORITHM, "id", "digest", "device_id")
    return _Lookups(
        serial=select(devices.c.sn).where(devices.c.id == device),
        held=select(holdings.c.key, holdings.c.digest).where(
            holdings.c.table_name == table,
            holdings.c.device_id == device,
            holdings.c.key.in_(keys),
        ),
        known=select(versions.c.key, versions.c.digest).where(
            versions.c.table_name == table, versions.c.key.in_(keys)
        ),
        placed=select(*(templates.c[name] for name in columns)).where(templates.c.pin.in_(keys)),
    )


def _keyed(said: Iterable[PersonStatement]) -> list[Keyed]:
    return [(key_text(one.key), one) for one in said]


def _pins(said: Iterable[Keyed]) -> list[str]:
    """Return the user IDs, each once, in the order of the statements."""
    return [*dict.fromkeys([str(one.key[0]) for _, one in said])]


def _merged(said: Iterable[Keyed]) -> list[Keyed]:
    """Merge the statements of each key; later ones inherit the values that they lack."""
    merged: dict[str, PersonStatement] = {}
    for key, one in said:
        before = merged.get(key)
        if before is not None:
            values = {
                name: before.values[name] if value is None else value
                for name, value in one.values.items()
            }
            if values != one.values:  # the merged text covers both statements
                said_before = before.text
                if len(said_before) > _LONG_TEXT:  # growing texts cost a copy each
                    said_before = hashlib.sha256(said_before).digest()
                text = said_before + b"\0" + one.text
                one = msgspec.structs.replace(one, values=values, text=text)
        merged[key] = one
    return list(merged.items())


def _template(said: PersonStatement) -> bytes:
    template = said.values["template"]
    return template if isinstance(template, bytes) else str(template).encode()


def _parts(keys: Sequence[T]) -> Iterable[Sequence[T]]:
    return (keys[start : start + _PART] for start in range(0, len(keys), _PART))


def _with_device(table: sqlalchemy.Table) -> Select[Any]:
    """Query for rows with the serial number of the terminal that they came from, if any."""
    return select(table, devices.c.sn.label("device")).outerjoin(
        devices, devices.c.id == table.c.device_id
    )


@functools.cache
def _replace(table: sqlalchemy.Table, names: tuple[str, ...], *, absent_stays: bool) -> str:
    """SQL conflict clause that replaces a row unless it is newer."""
    unique = next(c for c in table.constraints if isinstance(c, sqlalchemy.UniqueConstraint))
    key = {column.name for column in unique.columns}
    changes = [
        f'"{name}" = coalesce(excluded."{name}", {table.name}."{name}")'
        if absent_stays and name != "raw"
        else f'"{name}" = excluded."{name}"'
        for name in names
        if name not in key
    ]
    return (
        f"({quoted(sorted(key))}) DO UPDATE SET {', '.join(changes)} "
        f"WHERE excluded.updated_at >= coalesce({table.name}.updated_at, 0)"
    )

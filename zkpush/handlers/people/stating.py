"""Templates and photos as terminals state them, written to the store: the newest of each key.

Only news changes stored records; see `news`. What may be of another person is kept apart; see
`contested`.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy
from sqlalchemy import BigInteger, Select, bindparam, delete, func, select

from ...persist.databases import Insert, quoted, texts
from ...persist.pictures import PictureStore
from ...persist.schema import devices
from ...persist.sealed import POINTER, seal_columns
from .contested import ContestedParts, Outcome
from .erased import ErasedPeople
from .model import PersonStatement
from .news import Keyed, StatementLog, first_of, keyed, parts_of, pins_of
from .persons import PersonStore
from .portraits import PortraitStore
from .schema import person_photos, templates
from .strangers import StrangerStore

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_PLACE = ("pin", "type", "number", "index")
_ALGORITHM = ("major_version", "minor_version")
_place, _algorithm = itemgetter(*_PLACE), itemgetter(*_ALGORITHM)


class StatedParts:
    """Writes templates and photos that terminals state."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection
        self._pictures = tx[PictureStore]
        self._find = _lookups(tx.connection.dialect.name)

    def keep_templates(
        self,
        device_id: int,
        said: Sequence[PersonStatement],
        now: int,
        written_at: int | None = None,
    ) -> None:
        """Store templates, the newest of each key; see `PersonStore.keep` for `written_at`."""
        told = self._admitted(templates, device_id, said, now)
        told = self._of_person(templates, device_id, told, now, is_commanded=written_at is not None)
        self._take_templates(device_id, told, now, written_at or now)

    def _take_templates(
        self, device_id: int, told: Sequence[Keyed], now: int, said_at: int
    ) -> None:
        index = self._vault.index
        news = [
            (
                key,
                PersonStatement(one.key, {**one.values, "digest": index(_template(one))}, one.text),
            )
            for key, one in told
        ]
        left = self._named(device_id, news, said_at)
        self._write(templates, device_id, left, said_at)
        self._tell("template", device_id, left, now)

    def keep_photos(
        self,
        device_id: int,
        said: Sequence[PersonStatement],
        now: int,
        written_at: int | None = None,
    ) -> None:
        """Store photos, the newest of each key; `content` is the picture, or None.

        See `PersonStore.keep` for `written_at`.
        """
        is_commanded = written_at is not None
        told = self._admitted(person_photos, device_id, said, now)
        told = self._of_person(person_photos, device_id, told, now, is_commanded=is_commanded)
        self._take_photos(device_id, told, now, written_at or now, is_commanded=is_commanded)

    def _take_photos(
        self,
        device_id: int,
        told: Sequence[Keyed],
        now: int,
        said_at: int,
        *,
        is_commanded: bool = False,
    ) -> None:
        news = []
        contents = [one.values["content"] for _, one in told]
        pictures = self._pictures.keep_all([one for one in contents if isinstance(one, bytes)])
        authored = self._tx[PortraitStore].authored(pins_of(told)) if told else {}
        for key, one in told:
            values = dict(one.values)
            content = values.pop("content")
            picture = pictures[content] if isinstance(content, bytes) else None
            uploaded = authored.get((str(values["pin"]), str(values["kind"]), _type_of(values)))
            if uploaded and (not is_commanded or picture in uploaded):
                continue  # a terminal does not overwrite the photo of an operator
            values["picture"] = values[POINTER] = picture
            news.append((key, PersonStatement(one.key, values, one.text)))
        self._write(person_photos, device_id, news, said_at)
        self._tell("photo", device_id, news, now)

    def end_conflict(
        self, device_id: int, pins: Collection[str], outcome: Outcome, now: int
    ) -> None:
        """Store or delete what was kept apart of users about whom a terminal has no conflict now.

        See `contested`.
        """
        contested = self._tx[ContestedParts]
        taken = contested.take(device_id, pins)
        if outcome is Outcome.STORED:
            self._tx[StrangerStore].add(pins, [device_id], now)
            return
        if outcome is Outcome.TERMINAL:
            apart = {key for told in taken.values() for some in told.values() for key, _ in some}
            for pin in pins:
                others = contested.drop_others(device_id, pin, apart)
                # Commands that wait for terminals, this one among them, bring the other person.
                others |= self._tx[StrangerStore].awaiting(pin)
                self._tx[StrangerStore].add([pin], others, now)
        for at, told in taken[templates].items():
            self._take_templates(device_id, told, now, at)
        for at, told in taken[person_photos].items():
            self._take_photos(device_id, told, now, at)

    def identify(
        self, device_id: int, pins: Sequence[str], adopted: Collection[str], now: int
    ) -> None:
        """Decide whose the templates and photos of users are whom a terminal has just stated.

        `adopted` are those whom no terminal had stated before.
        """
        contested = self._tx[ContestedParts]
        contested.set_apart(device_id, adopted)
        identified = contested.identified(device_id, pins)
        if identified:
            self.end_conflict(device_id, identified, Outcome.BOTH, now)
            sn = self._connection.execute(self._find.serial, {"device": device_id}).one().sn
            # Also about those that are stored already: the terminal may be sent the user now.
            self._tx[PersonStore].tell("user", sn, identified, now)

    def _of_person(
        self,
        table: sqlalchemy.Table,
        device_id: int,
        told: list[Keyed],
        now: int,
        *,
        is_commanded: bool,
    ) -> list[Keyed]:
        """Return what is of the stored person.

        A terminal may execute a command that was made for another person under the user ID.
        """
        if not told:
            return told
        contested = self._tx[ContestedParts]
        if is_commanded:
            left = contested.without_strangers(table, device_id, told)
            # The terminal is compared again: it has the other person now.
            self._tell("user", device_id, [one for one in told if one not in left], now)
            return left
        return contested.divert(table, device_id, told, now)

    def _named(self, device_id: int, news: Sequence[Keyed], now: int) -> list[Keyed]:
        """Drop templates of unknown version that duplicate one of known version.

        Terminals upload templates of the older tables without a version (11.9), and report the
        version with a poll or their options, possibly later.
        """
        named: set[tuple[object, ...]] = set()
        waiting: dict[tuple[object, ...], list[tuple[int, bytes | None, int | None]]] = {}
        pins = {"keys": msgspec.json.encode(pins_of(news)).decode()}
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
        for some in parts_of(replaced):
            older = func.coalesce(templates.c.updated_at, 0) <= now
            self._connection.execute(delete(templates).where(templates.c.id.in_(some), older))
        return left

    def _admitted(
        self, kept: sqlalchemy.Table, device_id: int, said: Sequence[PersonStatement], now: int
    ) -> list[Keyed]:
        """Return the news about people who were not removed."""
        said = self._tx[ErasedPeople].admit(device_id, said)
        news = self._tx[StatementLog].news(kept, device_id, keyed(said), now)
        admitted, _ = self._tx[PersonStore].admit(device_id, news, now)
        return admitted

    def _tell(self, what: str, device_id: int, news: Sequence[Keyed], now: int) -> None:
        if news:
            sn = self._connection.execute(self._find.serial, {"device": device_id}).one().sn
            self._tx[PersonStore].tell(what, sn, pins_of(news), now)

    def _write(
        self,
        table: sqlalchemy.Table,
        device_id: int,
        news: Sequence[Keyed],
        now: int,
    ) -> None:
        """Write news, unless a later statement is stored."""
        if not news:
            return
        said = [one.values for _, one in sorted(news, key=first_of)]
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
                _replace(table, names),
            ),
        )


class _Lookups(NamedTuple):
    """Queries for many keys, given as a JSON array; built once per dialect."""

    serial: Select[tuple[str]]
    placed: Select[Any]


@functools.cache
def _lookups(dialect: str) -> _Lookups:
    keys = texts(dialect, "keys")
    device = bindparam("device", type_=BigInteger())
    columns = (*_PLACE, *_ALGORITHM, "id", "digest", "device_id")
    return _Lookups(
        serial=select(devices.c.sn).where(devices.c.id == device),
        placed=select(*(templates.c[name] for name in columns)).where(templates.c.pin.in_(keys)),
    )


def _template(said: PersonStatement) -> bytes:
    template = said.values["template"]
    return template if isinstance(template, bytes) else str(template).encode()


def _type_of(photo: Mapping[str, object]) -> int:
    type_ = photo["type"]
    return type_ if isinstance(type_, int) else 0


@functools.cache
def _replace(table: sqlalchemy.Table, names: tuple[str, ...]) -> str:
    """SQL conflict clause that replaces a row unless it is newer."""
    unique = next(c for c in table.constraints if isinstance(c, sqlalchemy.UniqueConstraint))
    key = {column.name for column in unique.columns}
    changes = [f'"{name}" = excluded."{name}"' for name in names if name not in key]
    return (
        f"({quoted(sorted(key))}) DO UPDATE SET {', '.join(changes)} "
        f"WHERE excluded.updated_at >= coalesce({table.name}.updated_at, 0)"
    )

"""People in the store: one record for each user, template and photo, across all terminals.

Only news changes stored records; see `news`. The fields of users have authors; see `persons`.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
import sqlalchemy
from sqlalchemy import BigInteger, Select, bindparam, delete, func, null, select

from ...interfaces import NotUnsealed
from ...model import DEFAULT_AREA, Page
from ...persist.damage import DAMAGED
from ...persist.databases import Insert, quoted, texts
from ...persist.paging import part_of
from ...persist.pictures import PictureStore
from ...persist.rows import stored
from ...persist.schema import devices
from ...persist.sealed import POINTER, check_pointer, note, opened, seal_columns
from ...values.people import Person
from .contested import ContestedParts, Outcome
from .deletions import TerminalDeletions, deletions_thd
from .ending import end_terminal
from .erased import ErasedPeople
from .forgetting import forget_templates
from .holding import HeldCounts, TerminalHoldings
from .model import (
    STORED_PERSON,
    STORED_PERSON_PHOTO,
    STORED_TEMPLATE,
    EnrolledTemplate,
    PeopleFilter,
    PersonPhoto,
    PersonStatement,
    Template,
)
from .naming import check_commands_thd
from .news import Keyed, StatementLog, first_of, keyed, parts_of, pins_of
from .persons import PersonStore
from .portraits import PortraitStore
from .schema import person_photos, templates, users
from .searching import conditions_of
from .survey import PersonSurvey

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

__all__ = [
    "DEFAULT_AREA",
    "ErasedPeople",
    "HeldCounts",
    "PeopleStore",
    "PersonStore",
    "PersonSurvey",
    "TerminalDeletions",
    "TerminalHoldings",
    "check_commands_thd",
    "deletions_thd",
    "end_terminal",
    "forget_templates",
]

T = TypeVar("T")
_PLACE = ("pin", "type", "number", "index")
_ALGORITHM = ("major_version", "minor_version")
_place, _algorithm = itemgetter(*_PLACE), itemgetter(*_ALGORITHM)


class PeopleStore:
    """Users with their templates and photos: the newest of each, from any terminal."""

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
        if told and written_at is None:
            told = self._tx[ContestedParts].divert(templates, device_id, told, now)
        self._take_templates(device_id, told, now, written_at)

    def _take_templates(
        self, device_id: int, told: Sequence[Keyed], now: int, written_at: int | None = None
    ) -> None:
        index = self._vault.index
        news = [
            (
                key,
                PersonStatement(one.key, {**one.values, "digest": index(_template(one))}, one.text),
            )
            for key, one in told
        ]
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

        See `PersonStore.keep` for `written_at`.
        """
        told = self._admitted(person_photos, device_id, said, now)
        if told and written_at is None:
            told = self._tx[ContestedParts].divert(person_photos, device_id, told, now)
        self._take_photos(device_id, told, now, written_at)

    def _take_photos(
        self, device_id: int, told: Sequence[Keyed], now: int, written_at: int | None = None
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
            if uploaded and (written_at is None or picture in uploaded):
                continue  # a terminal does not overwrite the photo of an operator
            values["picture"] = values[POINTER] = picture
            news.append((key, PersonStatement(one.key, values, one.text)))
        self._write(person_photos, device_id, news, written_at or now)
        self._tell("photo", device_id, news, now)

    def end_conflict(
        self, device_id: int, pins: Collection[str], outcome: Outcome, now: int
    ) -> None:
        """Store or delete what was kept apart of users whose conflict with a terminal has ended.

        See `contested`.
        """
        contested = self._tx[ContestedParts]
        taken = contested.take(device_id, pins)
        if outcome is Outcome.STORED:
            return
        if outcome is Outcome.TERMINAL:
            for pin in pins:
                contested.drop_others(device_id, pin)
        self._take_templates(device_id, taken[str(templates.name)], now)
        self._take_photos(device_id, taken[str(person_photos.name)], now)

    def names(self, pins: Collection[str]) -> dict[str, str]:
        """Return the names of users by user ID; unknown users are left out."""
        query = select(users.c.pin, users.c.name).where(users.c.pin.in_(pins))
        return {row.pin: row.name for row in self._rows(query) if row.name is not None}

    def users(self, part: Page, *pins: str) -> list[Person]:
        """List users by id, each with its template counts by type and whether it has a photo.

        Lists all users if no user ID is given.
        """
        query = part_of(_with_device(users), users.c.id, part)
        return self._people(query.where(users.c.pin.in_(pins)) if pins else query)

    def search(self, part: Page, wanted: PeopleFilter) -> list[Person]:
        """List the users that a filter selects by id, as `users` does."""
        query = part_of(_with_device(users), users.c.id, part)
        return self._people(query.where(*conditions_of(wanted)))

    def _people(self, query: Select[Any]) -> list[Person]:
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
        areas = self._tx[PersonStore].areas(owners)
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
                areas=tuple(areas.get(row.pin, ())),
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

    def enrolled(
        self, device_id: int, pin: str, type_: int, number: int | None, since: int
    ) -> list[EnrolledTemplate]:
        """List the templates and comparison photos of a type that a terminal sent since a time.

        With `number`, only of this finger.
        """
        found = []
        for table in (templates, person_photos):
            version = table.c.get("major_version", null()).label("major_version")
            query = select(table.c.number, table.c.index, table.c.updated_at, version).where(
                table.c.pin == pin,
                table.c.type == type_,
                table.c.device_id == device_id,
                table.c.updated_at >= since,
            )
            if number is not None:
                query = query.where(table.c.number == number)
            found += [
                EnrolledTemplate(
                    type=type_,
                    number=row.number,
                    index=row.index,
                    major_version=row.major_version or None,
                    updated_at=row.updated_at,
                )
                for row in self._rows(query.order_by(table.c.id))
            ]
        return found

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


def _with_device(table: sqlalchemy.Table) -> Select[Any]:
    """Query for rows with the serial number of the terminal that they came from, if any."""
    return select(table, devices.c.sn.label("device")).outerjoin(
        devices, devices.c.id == table.c.device_id
    )


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

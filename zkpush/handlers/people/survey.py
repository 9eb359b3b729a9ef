"""What is stored about people, and what terminals state of it, read for many people at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy
from sqlalchemy import ColumnElement, Select, Text, bindparam, delete, func, select, union

from ...model import Page
from ...persist.commandschema import commands
from ...persist.databases import texts
from ...persist.limits import people_in, within
from ...persist.paging import part_of
from ...persist.schema import devices
from ...persist.sealed import opened
from ...values.commands import OPEN_STATES
from .authorship import FIELDS, NEUTRAL, is_terminal
from .claims import ClaimStore
from .model import PartRecord, PersonField, PersonOverview, key_text
from .ordering import behind, natural_order
from .persons import PersonStore
from .schema import (
    REMOVED,
    STALE,
    conflicts,
    contested_parts,
    erased_holders,
    holdings,
    person_areas,
    person_photos,
    person_words,
    templates,
    users,
)
from .strangers import StrangerStore
from .tables import BIODATA, BIOPHOTO

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_TEMPLATE_KEY = BIODATA.key
_PHOTO_KEY = (*BIOPHOTO.key, "kind")
_FLAGS = ("valid", "duress")
_Held = dict[str, dict[int, bytes]]
"""Digests of the last statements, by key and terminal."""


class PersonSurvey:
    """Overviews of people, and what terminals hold."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection
        self._keys = texts(tx.connection.dialect.name, "keys")

    def of(self, pins: Sequence[str]) -> dict[str, PersonOverview]:
        """Return an overview of each of some people, also of unknown ones."""
        people = self._tx[PersonStore]
        stored = people.authored(pins)
        areas = people.areas(pins)
        held = self._held(users, [key_text((pin,)) for pin in pins])
        words = self._words(pins)
        contradicting: dict[str, set[int]] = {}
        is_open = conflicts.c.pin.in_(pins) & conflicts.c.settled_at.is_(None)
        doubtful = select(conflicts.c.pin, conflicts.c.device_id).where(is_open)
        apart = select(contested_parts.c.pin, contested_parts.c.device_id)
        apart = apart.where(contested_parts.c.pin.in_(pins), ~_is_nobodys())
        for pin, device in self._connection.execute(union(doubtful, apart)):
            contradicting.setdefault(pin, set()).add(device)
        others = self._tx[StrangerStore].places(pins)
        parts = {table: self._records(table, pins) for table in (templates, person_photos)}
        found = {}
        for pin in pins:
            fields = stored.get(pin)
            found[pin] = PersonOverview(
                fields=None
                if fields is None
                else {
                    name: PersonField(
                        fields[name].value,
                        fields[name].author is not None and not is_terminal(fields[name].author),
                        fields[name].value
                        in (None, "", NEUTRAL.get(name), getattr(FIELDS[name], "default", None)),
                    )
                    for name in FIELDS
                },
                areas=frozenset(areas.get(pin, ())),
                templates=parts[templates].get(pin, ()),
                photos=parts[person_photos].get(pin, ()),
                holders=frozenset(
                    device
                    for device, digest in held.get(key_text((pin,)), {}).items()
                    if digest != REMOVED
                ),
                words=words.get(pin, {}),
                contradicting=frozenset(contradicting.get(pin, ())),
                strangers=frozenset(others.get(pin, ())),
            )
        return found

    def contradictions(self, pins: Collection[str]) -> set[tuple[str, str]]:
        """Return the user IDs with open conflicts among some, each with the terminal's serial."""
        query = (
            select(conflicts.c.pin, devices.c.sn)
            .join(devices, devices.c.id == conflicts.c.device_id)
            .where(conflicts.c.pin.in_(self._keys), conflicts.c.settled_at.is_(None))
        )
        keys = {"keys": msgspec.json.encode([*pins]).decode()}
        return {(row.pin, row.sn) for row in self._connection.execute(query, keys)}

    def open_conflicts(self, terminals: Collection[int]) -> int:
        """Return the number of open conflicts with some terminals."""
        query = select(func.count()).select_from(conflicts)
        is_open = conflicts.c.device_id.in_(terminals) & conflicts.c.settled_at.is_(None)
        return int(self._connection.execute(query.where(is_open)).scalar_one())

    def held_by(self, device_id: int, after: str, limit: int) -> list[tuple[str, str]]:
        """List the people that a terminal last stated to have, each with a key to go on after."""
        query = (
            select(holdings.c.key)
            .where(
                holdings.c.device_id == device_id,
                holdings.c.table_name == str(users.name),
                holdings.c.key > after,
                holdings.c.digest != REMOVED,
            )
            .order_by(holdings.c.key)
            .limit(limit)
        )
        keys = self._connection.execute(query).scalars()
        return [(str(msgspec.json.decode(key)[0]), key) for key in keys]

    def pins_at(self, device_id: int, others: Select[Any], part: Page) -> list[tuple[int, str]]:
        """List the known people that a terminal last stated to have, and `others`, by id.

        `others` selects user IDs.
        """
        query = part_of(select(users.c.id, users.c.pin), users.c.id, part)
        return self._pins(query.where(_is_held(device_id) | users.c.pin.in_(others)))

    def pins_in_order(
        self,
        device_id: int,
        others: Select[Any],
        limit: int,
        after: str | None = None,
        areas: frozenset[str] | None = None,
    ) -> list[tuple[int, str]]:
        """List the same people in the order of `natural_order`, those who follow a user ID.

        `areas` are those of a limited caller.
        """
        query = select(users.c.id, users.c.pin).where(
            _is_held(device_id) | users.c.pin.in_(others),
            *(() if areas is None else within(users.c.id, areas)),
        )
        if after is not None:
            query = query.where(behind(users.c.pin, after))
        return self._pins(query.order_by(*natural_order(users.c.pin)).limit(limit))

    def among(self, selected: Select[Any], part: Page) -> list[tuple[int, str]]:
        """List the known people whose user IDs a query selects, by id."""
        query = part_of(select(users.c.id, users.c.pin), users.c.id, part)
        return self._pins(query.where(users.c.pin.in_(selected)))

    def _pins(self, query: Select[Any]) -> list[tuple[int, str]]:
        rows = self._connection.execute(query)
        return [(int(row.id), str(row.pin)) for row in rows]

    def people_on(self, devices: Collection[int]) -> dict[int, int]:
        """Count the people whom terminals last stated to have, by terminal."""
        query = select(holdings.c.device_id, func.count()).where(
            holdings.c.device_id.in_(devices),
            holdings.c.table_name == str(users.name),
            holdings.c.digest != REMOVED,
        )
        rows = self._connection.execute(query.group_by(holdings.c.device_id))
        return {row[0]: int(row[1]) for row in rows}

    def strangers(self, device_id: int, area: str) -> int:
        """Count the people that a terminal last stated to have and who are not in an area."""
        query = select(func.count()).where(_is_stranger(area), holdings.c.device_id == device_id)
        return int(self._connection.execute(query).scalar_one())

    def strangers_among(
        self, devices: Collection[int], area: str, limit: int, areas: frozenset[str] | None
    ) -> list[tuple[str, int]]:
        """List some of these people of terminals, each with the terminal, by user ID.

        `areas` are those of a limited caller.
        """
        pin = func.substr(holdings.c.key, 3, func.length(holdings.c.key) - 4)
        query = select(pin, holdings.c.device_id).where(
            _is_stranger(area), holdings.c.device_id.in_(devices)
        )
        if areas is not None:
            query = query.where(pin.in_(people_in(areas)))
        found = self._connection.execute(query.order_by(pin, holdings.c.device_id).limit(limit))
        return [(str(row[0]), int(row[1])) for row in found]

    def parts_in(self, area: str) -> int:
        """Count the templates and photos of the people of an area."""
        members = select(person_areas.c.pin).where(person_areas.c.area == area)
        return sum(
            int(
                self._connection.execute(
                    select(func.count()).where(table.c.pin.in_(members))
                ).scalar_one()
            )
            for table in (templates, person_photos)
        )

    def forget_terminal(self, device_id: int, emptied_at: int) -> None:
        """Forget what a terminal stated until it was emptied, at an instant (ms).

        A person who was erased, and stated after a deletion had been queued, is still deleted.
        """
        is_older = (holdings.c.device_id == device_id) & (holdings.c.at <= emptied_at)
        self._connection.execute(delete(holdings).where(is_older))
        is_held = select(holdings.c.key).where(
            holdings.c.table_name == str(users.name),
            holdings.c.key == '["' + person_words.c.pin + '"]',
            holdings.c.device_id == device_id,
        )
        is_own = person_words.c.device_id == device_id
        self._connection.execute(delete(person_words).where(is_own, ~is_held.exists()))
        self._tx[StrangerStore].forget(device_id)
        self._tx[ClaimStore].end_all(device_id, emptied_at)
        is_deleted = (erased_holders.c.device_id == device_id) & erased_holders.c.pin.is_(None)
        self._connection.execute(delete(erased_holders).where(is_deleted))

    def _held(self, table: sqlalchemy.Table, keys: Collection[str]) -> _Held:
        query = select(holdings.c.key, holdings.c.device_id, holdings.c.digest).where(
            holdings.c.table_name == bindparam("table", type_=Text()),
            holdings.c.key.in_(self._keys),
        )
        place = {"table": str(table.name), "keys": msgspec.json.encode([*keys]).decode()}
        found: _Held = {}
        for key, device, digest in self._connection.execute(query, place):
            found.setdefault(key, {})[device] = bytes(digest)
        return found

    def _words(self, pins: Sequence[str]) -> dict[str, dict[int, dict[str, object]]]:
        found: dict[str, dict[int, dict[str, object]]] = {}
        query = select(person_words).where(person_words.c.pin.in_(pins))
        for row in self._connection.execute(query).all():
            word = opened(self._vault, person_words, row._mapping)["word"]
            said = {} if word is None else msgspec.json.decode(word, type=dict[str, object])
            found.setdefault(row.pin, {})[row.device_id] = said
        return found

    def _records(self, table: sqlalchemy.Table, pins: Sequence[str]) -> dict[str, list[PartRecord]]:
        is_template = table is templates
        names = _TEMPLATE_KEY if is_template else _PHOTO_KEY
        more = ("form", "digest", *_FLAGS) if is_template else ("picture",)
        columns = ("id", "device_id", "updated_at", *names, *more)
        query = select(*(table.c[name] for name in columns)).where(table.c.pin.in_(pins))
        rows = self._connection.execute(query.order_by(table.c.id)).all()
        keys = [key_text(tuple(row._mapping[name] for name in names)) for row in rows]
        held = self._held(table, keys)
        found: dict[str, list[PartRecord]] = {}
        for row, key in zip(rows, keys, strict=True):
            found.setdefault(row.pin, []).append(
                _record(row, names, held.get(key, {}), is_template=is_template)
            )
        return found


def _record(
    row: Any, names: Iterable[str], held: dict[int, bytes], *, is_template: bool
) -> PartRecord:
    said = row._mapping
    content = said["digest"] if is_template else said["picture"]
    if content is None:
        content = f"{row.id} {row.updated_at}"
    own = held.get(row.device_id)
    is_known = own is not None and own not in (REMOVED, STALE)
    reporters = {device for device, digest in held.items() if is_known and digest == own}
    return PartRecord(
        key=tuple(said[name] for name in names),
        content=content.encode() if isinstance(content, str) else bytes(content),
        form=said["form"] if is_template else said["kind"],
        flags=tuple(said[name] for name in _FLAGS) if is_template else (),
        reporters=frozenset(reporters),
        removed_from=frozenset(device for device, digest in held.items() if digest == REMOVED),
    )


def _is_stranger(area: str) -> ColumnElement[bool]:
    """Return the condition for people whom a terminal has and who are not in an area."""
    is_member = (
        select(person_areas.c.pin)
        .where(person_areas.c.area == area, holdings.c.key == '["' + person_areas.c.pin + '"]')
        .exists()
    )
    is_held = (holdings.c.table_name == str(users.name)) & (holdings.c.digest != REMOVED)
    return is_held & ~is_member


def _is_nobodys() -> ColumnElement[bool]:
    """Return the condition for what is stored apart from a terminal that has no such user.

    It was asked for its users since, and has answered without this one.
    """
    held = select(holdings.c.key).where(
        holdings.c.table_name == str(users.name),
        holdings.c.key == '["' + contested_parts.c.pin + '"]',
        holdings.c.device_id == contested_parts.c.device_id,
        holdings.c.digest != REMOVED,
    )
    asking = select(commands.c.id).where(
        commands.c.device_id == contested_parts.c.device_id,
        commands.c.command == "DATA QUERY USERINFO",
        commands.c.state.in_([state.value for state in OPEN_STATES]),
    )
    return contested_parts.c.asked.is_(True) & ~held.exists() & ~asking.exists()


def _is_held(device_id: int) -> ColumnElement[bool]:
    """Return the condition for people whom a terminal last stated to have."""
    return (
        select(holdings.c.key)
        .where(
            holdings.c.table_name == str(users.name),
            holdings.c.key == '["' + users.c.pin + '"]',
            holdings.c.device_id == device_id,
            holdings.c.digest != REMOVED,
        )
        .exists()
    )

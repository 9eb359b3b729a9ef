"""Conflicts in the store: statements of terminals about users that contradict what is stored."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, func, select, update

from ...model import Page
from ...persist.databases import Insert, texts
from ...persist.paging import part_of
from ...persist.schema import devices
from ...persist.sealed import opened, seal_columns
from .model import Conflict
from .news import parts_of
from .schema import conflicts

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_CONFLICT = ("pin", "device_id", "said", "fields", "at")
_RESTATE = (
    "(pin, device_id) WHERE settled_at IS NULL "
    "DO UPDATE SET said = excluded.said, fields = excluded.fields"
)


class ConflictStore:
    """Conflicts; each terminal has at most one open conflict about a user."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection

    def page(self, part: Page, pin: str | None = None) -> list[Conflict]:
        """List open conflicts by id."""
        query = part_of(_conflicts(), conflicts.c.id, part).where(conflicts.c.settled_at.is_(None))
        if pin is not None:
            query = query.where(conflicts.c.pin == pin)
        return [self._conflict(row) for row in self._connection.execute(query).all()]

    def count(self) -> tuple[int, int]:
        """Return the number of open conflicts, and of the users that they are about."""
        query = select(func.count(conflicts.c.id), func.count(conflicts.c.pin.distinct())).where(
            conflicts.c.settled_at.is_(None)
        )
        found, users = self._connection.execute(query).one()
        return int(found), int(users)

    def pins(self, limit: int) -> list[str]:
        """List users with open conflicts, those with the newest ones first."""
        last = func.max(conflicts.c.id)
        query = select(conflicts.c.pin).where(conflicts.c.settled_at.is_(None))
        query = query.group_by(conflicts.c.pin).order_by(last.desc()).limit(limit)
        return list(self._connection.execute(query).scalars())

    def last_id(self) -> int:
        """Return the highest ID of a conflict, open or settled; 0 if there was none."""
        return int(self._connection.execute(select(func.max(conflicts.c.id))).scalar_one() or 0)

    def get(self, conflict_id: int) -> Conflict | None:
        """Find an open conflict."""
        query = _conflicts().where(conflicts.c.id == conflict_id, conflicts.c.settled_at.is_(None))
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._conflict(row)

    def about(self, device_id: int, pin: str, field: str) -> int | None:
        """Return the open conflict with a terminal about a field of a user; None without one."""
        query = select(conflicts.c.id, conflicts.c.fields).where(
            conflicts.c.device_id == device_id,
            conflicts.c.pin == pin,
            conflicts.c.settled_at.is_(None),
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None or field not in row.fields.split() else int(row.id)

    def doubted(self, pins: Collection[str]) -> set[str]:
        """Return those of the users about whom any terminal has an open conflict."""
        if not pins:
            return set()
        keys = texts(self._connection.dialect.name, "keys")
        query = select(conflicts.c.pin).where(
            conflicts.c.pin.in_(keys), conflicts.c.settled_at.is_(None)
        )
        listed = {"keys": msgspec.json.encode([*pins]).decode()}
        return {*self._connection.execute(query.distinct(), listed).scalars()}

    def settle(self, conflict_id: int, author: str, now: int) -> None:
        """Close a conflict."""
        self._connection.execute(
            update(conflicts)
            .where(conflicts.c.id == conflict_id)
            .values(settled_at=now, settled_by=author)
        )

    def end(self, device_id: int, pin: str, now: int) -> None:
        """Close the conflict of a terminal that has deleted the user."""
        self._connection.execute(
            update(conflicts)
            .where(_is_about(device_id, pin), conflicts.c.settled_at.is_(None))
            .values(settled_at=now, settled_by="deletion")
        )

    def keep(
        self, device_id: int, said: Mapping[str, Mapping[str, object]], now: int
    ) -> tuple[list[str], list[str]]:
        """Open, change or close the conflicts of a terminal.

        `said` holds the contradicted values by user ID. Returns the people with new conflicts, and
        those whose conflict has ended.
        """
        keys = {"keys": msgspec.json.encode([*said]).decode(), "device": device_id}
        query = _open_ones(self._connection.dialect.name)
        before = {row.pin: row.id for row in self._connection.execute(query, keys)}
        agreed = [pin for pin, fields in said.items() if pin in before and not fields]
        for some in parts_of([before[pin] for pin in agreed]):
            self._connection.execute(
                update(conflicts)
                .where(conflicts.c.id.in_(some))
                .values(settled_at=now, settled_by="agreement")
            )
        rows = [
            (pin, device_id, msgspec.json.encode(fields), " ".join(fields), now)
            for pin, fields in said.items()
            if fields
        ]
        if rows:
            columns = [*zip(*rows, strict=True)]
            values = seal_columns(self._vault, conflicts, _CONFLICT, columns)
            self._tx.insert(Insert(conflicts, _CONFLICT, values, _RESTATE))
        return [pin for pin, fields in said.items() if fields and pin not in before], agreed

    def settle_fields(self, pin: str, names: Collection[str], author: str, now: int) -> None:
        """Close the conflicts about a user whose fields an operator has set."""
        for one in self.page(Page(1000), pin):
            if set(one.fields) <= set(names):
                self.settle(one.id, author, now)

    def _conflict(self, row: Any) -> Conflict:
        values = opened(self._vault, conflicts, row._mapping)
        said = values["said"]
        return Conflict(
            id=row.id,
            pin=row.pin,
            device=row.sn,
            said=None if said is None else msgspec.json.decode(said),
            fields=row.fields.split(),
            at=row.at,
        )


def _is_about(device_id: int, pin: str) -> ColumnElement[bool]:
    return (conflicts.c.device_id == device_id) & (conflicts.c.pin == pin)


@functools.cache
def _open_ones(dialect: str) -> Select[Any]:
    """Query for the open conflicts of a terminal about many users, given as a JSON array."""
    return select(conflicts.c.id, conflicts.c.pin).where(
        conflicts.c.device_id == bindparam("device", type_=BigInteger()),
        conflicts.c.pin.in_(texts(dialect, "keys")),
        conflicts.c.settled_at.is_(None),
    )


def _conflicts() -> Select[Any]:
    return select(conflicts, devices.c.sn).join(devices, devices.c.id == conflicts.c.device_id)

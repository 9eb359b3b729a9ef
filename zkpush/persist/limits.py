"""Limits of callers to areas: which terminals and people are theirs."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import ColumnElement, Select, func, select

from ..model import DEFAULT_AREA
from .schema import OF_PEOPLE, PERSON_AREAS, devices, metadata

if TYPE_CHECKING:
    from .transaction import Transaction


def terminals_in(areas: Collection[str]) -> Select[tuple[int]]:
    """Query for the keys of the terminals of some areas."""
    area = func.coalesce(func.nullif(devices.c.area, ""), DEFAULT_AREA)
    return select(devices.c.id).where(area.in_(sorted(areas)))


def of_terminals(
    column: ColumnElement[int], areas: Collection[str] | None
) -> list[ColumnElement[bool]]:
    """Return the condition that limits rows to the terminals of some areas; none for no limit.

    `column` has the keys of the terminals.
    """
    return [] if areas is None else [column.in_(terminals_in(areas))]


def people_in(areas: Collection[str]) -> Select[tuple[str]]:
    """Query for the user IDs of the people of some areas."""
    table = person_areas()
    return select(table.c.pin).where(table.c.area.in_(sorted(areas)))


def within(key: ColumnElement[int], areas: Collection[str]) -> list[ColumnElement[bool]]:
    """Return the conditions that limit a query to rows of some areas; `key` is its id column.

    Rows belong to a terminal by their column `device_id`, and those of tables with `OF_PEOPLE` to a
    person, by `pin`. Raises `RuntimeError` for a table of neither: its rows would all be shown.
    """
    table = getattr(key, "table", None)
    if table is devices:
        return [devices.c.id.in_(terminals_in(areas))]
    found: list[ColumnElement[bool]] = []
    if table is not None:
        of = table.info.get(OF_PEOPLE, ("device_id",))
        if "device_id" in of and "device_id" in table.c:
            found.append(table.c.device_id.in_(terminals_in(areas)))
        if "pin" in of:
            found.append(table.c.pin.in_(people_in(areas)))
    if not found:
        raise RuntimeError(f"rows of {table} do not say which area they belong to")
    return found


class AreaLimitStore:
    """The terminals and people of some areas."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def terminals(self, serials: Collection[str], areas: Collection[str]) -> set[str]:
        """Return which terminals belong to one of the areas."""
        query = select(devices.c.sn).where(
            devices.c.sn.in_(serials), devices.c.id.in_(terminals_in(areas))
        )
        return set(self._connection.execute(query).scalars())

    def people(self, pins: Collection[str], areas: Collection[str]) -> set[str]:
        """Return which people belong to one of the areas."""
        query = people_in(areas).where(person_areas().c.pin.in_(pins))
        return {*self._connection.execute(query).scalars()}

    def elsewhere(self, pins: Collection[str], areas: Collection[str]) -> set[str]:
        """Return which people belong to another area, whether they also belong to one of these."""
        table = person_areas()
        query = select(table.c.pin).where(table.c.pin.in_(pins), table.c.area.not_in(sorted(areas)))
        return set(self._connection.execute(query).scalars())


def person_areas() -> sqlalchemy.Table:
    """The table, of the noun of people, that says who belongs to which area."""
    return next(table for table in metadata.tables.values() if table.info.get(PERSON_AREAS))

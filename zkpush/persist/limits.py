"""Limits of callers to areas: which terminals and people are theirs."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import Select, func, select

from ..model import DEFAULT_AREA
from .schema import PERSON_AREAS, devices, metadata

if TYPE_CHECKING:
    from .transaction import Transaction


def terminals_in(areas: Collection[str]) -> Select[tuple[int]]:
    """Query for the keys of the terminals of some areas."""
    area = func.coalesce(devices.c.area, DEFAULT_AREA)
    return select(devices.c.id).where(area.in_(sorted(areas)))


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
        table = _person_areas()
        query = select(table.c.pin).where(table.c.pin.in_(pins), table.c.area.in_(sorted(areas)))
        return set(self._connection.execute(query).scalars())


def _person_areas() -> sqlalchemy.Table:
    """The table, of the noun of people, that says who belongs to which area."""
    return next(table for table in metadata.sorted_tables if table.info.get(PERSON_AREAS))

"""Terminals that a request names: by serial number, by area, or all approved ones."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from ..model import DeviceState
from .limits import of_terminals, terminals_in
from .schema import devices

if TYPE_CHECKING:
    from .transaction import Transaction


class NamedTerminal(NamedTuple):
    """A terminal that a request names."""

    id: int
    family: str
    alias: str | None


class TargetStore:
    """Queries for the terminals that a request names."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def approved(
        self, area: str | None = None, areas: frozenset[str] | None = None
    ) -> list[NamedTerminal]:
        """Return the approved terminals, of an area or all, in the order they were first seen.

        `areas` are those of a limited caller.
        """
        query = select(devices.c.id, devices.c.family, devices.c.alias).where(
            devices.c.state == DeviceState.APPROVED.value
        )
        if area is not None:
            query = query.where(devices.c.id.in_(terminals_in([area])))
        query = query.where(*of_terminals(devices.c.id, areas))
        rows = self._connection.execute(query.order_by(devices.c.id))
        return [NamedTerminal(*row) for row in rows]

    def named(
        self, serials: Collection[str], areas: frozenset[str] | None = None
    ) -> dict[str, NamedTerminal]:
        """Return terminals by serial number; `areas` are those of a limited caller."""
        columns = devices.c.sn, devices.c.id, devices.c.family, devices.c.alias
        query = select(*columns).where(
            devices.c.sn.in_(serials), *of_terminals(devices.c.id, areas)
        )
        return {sn: NamedTerminal(*rest) for sn, *rest in self._connection.execute(query)}

    def names(
        self, most: int, state: DeviceState | None, areas: frozenset[str] | None
    ) -> list[tuple[str, str | None]]:
        """Return the serial numbers and names of the first terminals, in a state or in any.

        `areas` are those of a limited caller.
        """
        query = select(devices.c.sn, devices.c.alias).where(*of_terminals(devices.c.id, areas))
        if state is not None:
            query = query.where(devices.c.state == state.value)
        rows = self._connection.execute(query.order_by(devices.c.id).limit(most))
        return [(sn, alias) for sn, alias in rows]

    def area_counts(self) -> dict[str | None, int]:
        """Return the number of terminals in each area that has any; None for those without one."""
        query = select(devices.c.area, func.count()).group_by(devices.c.area)
        return {area: int(count) for area, count in self._connection.execute(query)}

"""People whom only terminals have stated: no operator has set a field or an area of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import ColumnElement, func, select

from ...protocol.codes import Privilege
from .authorship import terminal
from .ordering import natural_order
from .schema import person_areas, person_authors, person_changes, users

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


class UnconfirmedPeople:
    """The people of an area whom only terminals have stated."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def counts(self, area: str) -> tuple[int, int]:
        """Return their number, and the number of those to whom a terminal has given rights."""
        query = select(func.count(), func.count().filter(_HAS_RIGHTS)).where(_are_in(area))
        people, privileged = self._connection.execute(query).one()
        return int(people), int(privileged)

    def some(self, area: str, limit: int) -> list[tuple[str, int | None]]:
        """List the user IDs and privileges of some, those with rights first."""
        query = select(users.c.pin, users.c.privilege).where(_are_in(area))
        query = query.order_by(~_HAS_RIGHTS, *natural_order(users.c.pin)).limit(limit)
        return [(row.pin, row.privilege) for row in self._connection.execute(query)]


_HAS_RIGHTS = func.coalesce(users.c.privilege, 0) != int(Privilege.USER)


def _are_in(area: str) -> ColumnElement[bool]:
    members = select(person_areas.c.pin).where(person_areas.c.area == area)
    return (
        users.c.device_id.is_not(None)
        & users.c.pin.in_(members)
        & ~_has_operator(person_authors)
        & ~_has_operator(person_changes)
    )


def _has_operator(table: sqlalchemy.Table) -> ColumnElement[bool]:
    is_operator = (table.c.pin == users.c.pin) & ~table.c.author.startswith(terminal(""))
    return select(table.c.pin).where(is_operator).exists()

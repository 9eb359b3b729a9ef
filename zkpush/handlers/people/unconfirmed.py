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

    def counts(self, area: str) -> tuple[int, int, int]:
        """Return their number, and the numbers of those with rights, and with a password."""
        some = func.count().filter(_HAS_RIGHTS), func.count().filter(_HAS_PASSWORD)
        query = select(func.count(), *some).where(_are_in(area))
        people, privileged, with_password = self._connection.execute(query).one()
        return int(people), int(privileged), int(with_password)

    def some(self, area: str, limit: int) -> list[tuple[str, int | None, bool]]:
        """List the user IDs and privileges of some, and who has a password.

        Those with rights come first, and then those with a password.
        """
        columns = users.c.pin, users.c.privilege, _HAS_PASSWORD.label("has_password")
        order = ~_HAS_RIGHTS, ~_HAS_PASSWORD, *natural_order(users.c.pin)
        query = select(*columns).where(_are_in(area)).order_by(*order).limit(limit)
        found = self._connection.execute(query)
        return [(row.pin, row.privilege, bool(row.has_password)) for row in found]


_HAS_PASSWORD = users.c.password.is_not(None)
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

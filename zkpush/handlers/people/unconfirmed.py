"""What only terminals have stated of people: the person, rights or a password.

A person is stated by terminals only if no operator has set a field or an area. Rights and a
password are if their own author is a terminal, whoever wrote the other fields: an operator always
leaves a row of authors for a field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import ColumnElement, case, false, func, select

from ...protocol.codes import Privilege
from .authorship import PRIVILEGE, terminal
from .ordering import natural_order
from .schema import person_areas, person_authors, person_changes, users
from .tables import USER

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


class UnconfirmedPeople:
    """The people of an area of whom only terminals have stated something."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def counts(self, area: str) -> tuple[int, int, int, int]:
        """Count those whom only terminals have stated, those with rights, those with a password.

        The last number is that of people of any of the three kinds.
        """
        query = select(
            func.count().filter(_IS_STATED),
            func.count().filter(_HAS_RIGHTS),
            func.count().filter(_HAS_PASSWORD),
            func.count().filter(_IS_STATED | _HAS_RIGHTS | _HAS_PASSWORD),
        ).where(_is_in(area))
        people, privileged, with_password, all_kinds = self._connection.execute(query).one()
        return int(people), int(privileged), int(with_password), int(all_kinds)

    def some(self, area: str, limit: int) -> list[tuple[str, int | None, bool]]:
        """List the user IDs of some, the rights from a terminal, and who has a password from one.

        Those with rights come first, and then those with a password.
        """
        columns = (
            users.c.pin,
            case((~_SETS_RIGHTS, users.c.privilege)).label("rights"),
            _HAS_PASSWORD.label("has_password"),
        )
        order = ~_HAS_RIGHTS, ~_HAS_PASSWORD, *natural_order(users.c.pin)
        some = _is_in(area) & (_HAS_RIGHTS | _HAS_PASSWORD | _IS_STATED)
        query = select(*columns).where(some).order_by(*order).limit(limit)
        found = self._connection.execute(query)
        return [(row.pin, row.rights, bool(row.has_password)) for row in found]


def _is_in(area: str) -> ColumnElement[bool]:
    return users.c.pin.in_(select(person_areas.c.pin).where(person_areas.c.area == area))


def _has_operator(table: sqlalchemy.Table, field: str | None = None) -> ColumnElement[bool]:
    is_operator = (table.c.pin == users.c.pin) & ~table.c.author.startswith(terminal(""))
    of_field = table.c.field == field if field is not None else ~false()
    return select(table.c.pin).where(is_operator, of_field).exists()


_IS_STATED = (
    users.c.device_id.is_not(None) & ~_has_operator(person_authors) & ~_has_operator(person_changes)
)
_HAS_PASSWORD = users.c.password.is_not(None) & ~_has_operator(
    person_authors, USER.field("password").name
)
_SETS_RIGHTS = _has_operator(person_authors, PRIVILEGE)
_HAS_RIGHTS = (func.coalesce(users.c.privilege, 0) != int(Privilege.USER)) & ~_SETS_RIGHTS

"""The people of the list by a period, for totals that have everybody."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import select

from ...persist.limits import people_in
from .ordering import natural_order
from .schema import users

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@attrs.frozen(kw_only=True)
class RosterFilter:
    """Which people of the list are wanted."""

    first: datetime.date
    """People whose validity ended before this day are left out."""
    last: datetime.date
    """People whose validity begins after this day are left out."""
    pin: str | None = None
    area: str | None = None
    """An area of the person."""
    areas: frozenset[str] | None = None
    """Areas that the reader is limited to; None for no limit."""


class Roster:
    """The people of the list."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def names(self, wanted: RosterFilter) -> dict[str, str | None]:
        """Return the names of the people of a filter, by user ID and in the order of the list."""
        columns = users.c
        query = select(columns.pin, columns.name, columns.start_datetime, columns.end_datetime)
        if wanted.pin is not None:
            query = query.where(columns.pin == wanted.pin)
        for areas in (wanted.areas, None if wanted.area is None else {wanted.area}):
            if areas is not None:
                query = query.where(columns.pin.in_(people_in(areas)))
        first, last = str(wanted.first), str(wanted.last)
        return {
            pin: name
            for pin, name, begin, end in self._connection.execute(
                query.order_by(*natural_order(columns.pin))
            )
            if (_day(begin) or first) <= last and (_day(end) or last) >= first
        }


def _day(text: str | None) -> str | None:
    """Return the day of a validity; None without one, or for one in another form."""
    found = _DAY.match(text or "")
    return None if found is None else found[0]

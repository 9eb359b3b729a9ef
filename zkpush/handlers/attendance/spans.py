"""Punches of a user ID at a terminal in a span of time, counted and found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from ...protocol.codes import RecordType
from ...values.punchspans import PunchSpan
from .conditions import TYPES
from .lists import PEOPLE, last_listed
from .schema import attendance

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


def count_punches(tx: Transaction, span: PunchSpan) -> int:
    """Count the punches of a span."""
    queries = _queries(tx, span, func.count(), TYPES[RecordType.ATTENDANCE])
    return sum(int(tx.connection.execute(query).scalar_one()) for query in queries)


def ids_of(tx: Transaction, span: PunchSpan) -> set[int]:
    """Return the ids of the records of a span, of any type."""
    queries = _queries(tx, span, attendance.c.id)
    return {int(one) for query in queries for one in tx.connection.execute(query).scalars()}


def _queries(tx: Transaction, span: PunchSpan, column: Any, *more: Any) -> Iterator[Select[Any]]:
    """Queries for the records that are in the list of people, and for the newer ones."""
    last = last_listed(tx.connection)
    conditions = [*_conditions(span), *more]
    listed = PEOPLE.key == span.pin, PEOPLE.record_id <= last
    yield select(column).select_from(PEOPLE.joined()).where(*listed, *conditions)
    newer = attendance.c.id > last, attendance.c.pin == span.pin
    yield select(column).select_from(attendance).where(*newer, *conditions)


def _conditions(span: PunchSpan) -> list[ColumnElement[bool]]:
    """The conditions of `PunchSpan.has`, and the terminal."""
    columns, found = attendance.c, []
    if span.device_id is not None:
        found.append(columns.device_id == span.device_id)
    if span.since_at is not None:
        found.append(columns.received_at >= span.since_at)
    if span.until_at is not None:
        until = span.until_at
        found.append(or_(columns.received_at < until, columns.utc * 1000 < until))
    if span.made_since is not None:
        # A terminal tells whole seconds.
        is_later = (columns.utc + 1) * 1000 > span.made_since
        found.append(or_(columns.doubt.is_not(None), is_later))
    return found

"""Paging: parts of lists in the order of ids."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, select

from ..model import Page
from .limits import terminals_in, within
from .schema import devices


def part_of(
    query: Select[Any],
    key: ColumnElement[int],
    part: Page,
    terminal: ColumnElement[int] | None = None,
) -> Select[Any]:
    """Restrict a query to a part of its rows; `key` is the id column.

    Rows of a limited page are those of its areas: see `limits.within`, unless `terminal` is the
    column with the keys of the terminals.
    """
    if part.areas is not None and terminal is not None:
        query = query.where(terminal.in_(terminals_in(part.areas)))
    elif part.areas is not None:
        query = query.where(*within(key, part.areas))
    query = query.where(key > part.after).limit(part.limit)
    if part.before is not None:
        query = query.where(key < part.before)
    return query.order_by(key.desc() if part.newest_first else key)


def keys_with_history(sn: str) -> Select[tuple[int]]:
    """Subquery for the keys of a terminal and of all terminals that it has replaced."""
    chain = select(devices.c.id, devices.c.sn).where(devices.c.sn == sn).cte(recursive=True)
    replaced = select(devices.c.id, devices.c.sn).where(devices.c.replaced_by == chain.c.sn)
    found = chain.union(replaced)
    return select(found.c.id)


def key_of(sn: str) -> ScalarSelect[int]:
    """Subquery for the key of a terminal.

    With it, the index on terminal and id finds a page of records; a join on the serial number would
    not use that index.
    """
    return select(devices.c.id).where(devices.c.sn == sn).scalar_subquery()

"""Parts of lists: rows in the order of their ids."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, select

from ..model import Page
from .schema import devices


def part_of(query: Select[Any], key: ColumnElement[int], part: Page) -> Select[Any]:
    """Restrict a query to a part of its rows; `key` is the column of their ids."""
    query = query.where(key > part.after).limit(part.limit)
    if part.before is not None:
        query = query.where(key < part.before)
    return query.order_by(key.desc() if part.newest_first else key)


def key_of(sn: str) -> ScalarSelect[int]:
    """The key of a terminal, as a part of another query.

    With it, an index on the terminal and the id of a record finds a part, which a join on the
    serial number does not.
    """
    return select(devices.c.id).where(devices.c.sn == sn).scalar_subquery()

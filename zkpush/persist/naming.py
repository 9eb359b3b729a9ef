"""References to pictures: the columns that name pictures, and the pictures that are named."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from sqlalchemy import Column, Connection, select

from .schema import PICTURE, metadata

MOST = 500
"""Keys per query."""


def pointers() -> list[Column[str]]:
    """List the columns of the built-in tables that are declared to hold keys of pictures."""
    return [
        column
        for table in metadata.tables.values()
        for column in table.columns
        if column.info.get(PICTURE)
    ]


def named(
    connection: Connection, keys: Iterable[str], columns: Iterable[Column[str]] | None = None
) -> set[str]:
    """Return the given pictures that a row names in `columns`, by default all declared ones."""
    found: set[str] = set()
    places = pointers() if columns is None else [*columns]
    rest = iter(sorted(keys))
    while part := [*itertools.islice(rest, MOST)]:
        for column in places:
            query = select(column).where(column.in_(part)).distinct()
            found.update(connection.execute(query).scalars())
    return found


def is_any_named(connection: Connection) -> bool:
    """Whether any row names a picture."""
    return any(
        connection.execute(select(column).where(column.is_not(None)).limit(1)).first()
        for column in pointers()
    )

"""Areas in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from ...model import Page
from ...persist.databases import insert
from ...persist.targets import TargetStore
from ..people.store import DEFAULT_AREA, PersonStore
from .model import Area
from .schema import areas

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


class AreaStore:
    """Areas: the described ones, and those that terminals or people belong to."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def all(self) -> list[Area]:
        """List all areas by name; the area of terminals without one always exists."""
        described = {row.name: row for row in self._connection.execute(select(areas))}
        terminals: dict[str, int] = {}
        for name, count in self._tx[TargetStore].area_counts().items():
            key = name or DEFAULT_AREA
            terminals[key] = terminals.get(key, 0) + count
        people = self._tx[PersonStore].area_counts()
        names = sorted({DEFAULT_AREA, *described, *terminals, *people})
        return [
            Area(
                place=place,
                name=name,
                description=described[name].description if name in described else None,
                distributes=name in described and bool(described[name].distributes),
                devices=terminals.get(name, 0),
                users=people.get(name, 0),
            )
            for place, name in enumerate(names, 1)
        ]

    def page(self, part: Page) -> Sequence[Area]:
        """List areas by place."""
        found = [
            area
            for area in self.all()
            if area.place > part.after and (part.before is None or area.place < part.before)
        ]
        return (found[::-1] if part.newest_first else found)[: part.limit]

    def find(self, name: str) -> Area | None:
        """Find an area by its name."""
        return next((area for area in self.all() if area.name == name), None)

    def describe(self, name: str, description: str | None) -> None:
        """Set the description of an area, which exists from then on."""
        values = {"description": description}
        self._connection.execute(
            insert(self._connection, areas)
            .values(name=name, **values)
            .on_conflict_do_update(index_elements=[areas.c.name], set_=values)
        )

    def forget(self, name: str) -> None:
        """Remove the description of an area."""
        self._connection.execute(delete(areas).where(areas.c.name == name))

"""Areas in the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from ...model import Page
from ...persist.areas import areas
from ...persist.databases import insert
from ...persist.targets import TargetStore
from ..people.store import DEFAULT_AREA, PersonStore
from .distribution import DistributionStore
from .ending import end_terminal
from .erasing import erase_person, forget_templates
from .model import Area
from .outcomes import settled
from .places import PlaceStore

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

__all__ = [
    "AreaStore",
    "DistributionStore",
    "PlaceStore",
    "end_terminal",
    "erase_person",
    "forget_templates",
    "settled",
]


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
            if area.place > part.after
            and (part.before is None or area.place < part.before)
            and (part.areas is None or area.name in part.areas)
        ]
        return (found[::-1] if part.newest_first else found)[: part.limit]

    def find(self, name: str) -> Area | None:
        """Find an area by its name."""
        return next((area for area in self.all() if area.name == name), None)

    def distributing(self) -> frozenset[str]:
        """Return the names of the areas that distribute."""
        query = select(areas.c.name).where(areas.c.distributes.is_(True))
        return frozenset(self._connection.execute(query).scalars())

    def put(self, name: str, values: Mapping[str, object]) -> None:
        """Set attributes of an area, which exists from then on."""
        statement = insert(self._connection, areas).values(name=name, **values)
        if values:
            statement = statement.on_conflict_do_update(
                index_elements=[areas.c.name], set_=dict(values)
            )
        else:
            statement = statement.on_conflict_do_nothing()
        self._connection.execute(statement)

    def forget(self, name: str) -> None:
        """Remove the description of an area."""
        self._connection.execute(delete(areas).where(areas.c.name == name))

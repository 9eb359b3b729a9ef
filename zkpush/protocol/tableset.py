"""The set of tables that a server takes or a simulated terminal sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .dialect import FIRST_FAMILY
from .fields import Table


class TableSet:
    """The tables of all nouns, by family and by name or alias in any case."""

    def __init__(self, tables: Iterable[Table]) -> None:
        """Raises `ValueError` if two tables of a family share a name."""
        self.tables = tuple(tables)
        self._by_name: dict[tuple[str, str], Table] = {}
        for table in self.tables:
            for name in (table.name, *table.aliases):
                other = self._by_name.setdefault((table.family, name.casefold()), table)
                if other is not table:
                    raise ValueError(f"two tables have the name {name}")
        others = dict.fromkeys(table.family for table in self.tables) | {FIRST_FAMILY: None}
        self._families = (FIRST_FAMILY, *(name for name in others if name != FIRST_FAMILY))

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables)

    def get(self, name: str) -> Table | None:
        """The table with this name; None if there is none.

        If several families have one, prefer the exact spelling, then the order of families.
        """
        key = name.casefold()
        found = [
            table
            for family in self._families
            if (table := self._by_name.get((family, key))) is not None
        ]
        exact = (one for one in found if name in (one.name, *one.aliases))
        return next(exact, found[0] if found else None)

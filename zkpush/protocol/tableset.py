"""The tables that a server takes, or a simulated terminal sends, as one value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .fields import Table


class TableSet:
    """The tables of all nouns, by their names and aliases in any case."""

    def __init__(self, tables: Iterable[Table]) -> None:
        """`ValueError` if two tables share a name."""
        self.tables = tuple(tables)
        self._by_name: dict[str, Table] = {}
        for table in self.tables:
            for name in (table.name, *table.aliases):
                other = self._by_name.setdefault(name.casefold(), table)
                if other is not table:
                    raise ValueError(f"two tables have the name {name}")

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables)

    def get(self, name: str) -> Table | None:
        """The table of this name; None if there is none."""
        return self._by_name.get(name.casefold())

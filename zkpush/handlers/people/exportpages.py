"""Export of people as CSV and XLSX; the CSV file can be imported again."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...interfaces import IStore
from ...manage.console.exports import ExportedTable, SheetExport, file_name, line_stream
from ...manage.console.pages import ConsolePage, ConsoleRoute, PageStream
from ...manage.console.phrases import Phrase
from ...manage.console.sheets import MOST_ROWS, Cell, SheetColumn
from ...manage.console.visits import Visit
from ...manage.exporting import note_export
from ...manage.services import Services
from ...persist.transaction import Transaction
from ...phrases import counted_phrase
from .columns import ENROLLED, EXPORTED, PHOTO, label_of, shown_value
from .model import PeopleFilter
from .persons import PersonStore
from .store import PeopleStore
from .views import user_for

SLICE = 1000
"""People read at once."""
_WIDTHS = {"name": 28, "areas": 28, "privilege": 22, "verify": 28}
_WIDTH = 18
COLUMNS: Sequence[SheetColumn] = (
    *(SheetColumn(label_of(name), _WIDTHS.get(name, _WIDTH)) for name in EXPORTED),
    SheetColumn(ENROLLED, 12),
    SheetColumn(PHOTO, 10),
)
_Text = Annotated[str, Meta(max_length=200)]


class ListedPeople(msgspec.Struct, frozen=True):
    """Filter of the list of people, and of its exports."""

    q: _Text = ""
    area: _Text = ""

    @property
    def filter(self) -> PeopleFilter:
        """The same as a filter of the store."""
        return PeopleFilter(text=self.q.strip() or None, area=self.area or None)


class PeopleExportPages:
    """The files."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._sheets = SheetExport(services.clock)

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages."""
        return [
            self._file("/people/export.csv", self.csv),
            self._file("/people/export.xlsx", self.xlsx),
        ]

    @staticmethod
    def _file(path: str, run: Any) -> ConsolePage:
        title = Phrase("Export of people")
        return ConsolePage(
            path=path, title=title, run=run, query=ListedPeople, is_file=True, limited=()
        )

    async def csv(self, visit: Visit, query: ListedPeople) -> PageStream:
        """Export people as CSV."""
        await note_export(self._store, visit.caller, "csv", "people", query)
        stream = line_stream(self._table(visit, query))
        return PageStream(stream=stream, name=_name(visit, query, "csv"))

    async def xlsx(self, visit: Visit, query: ListedPeople) -> PageStream:
        """Export people as XLSX."""
        if await self._store.read(lambda tx: tx[PersonStore].count(visit.areas)) > MOST_ROWS:
            raise ValueError(
                counted_phrase(
                    "This may be more than %(num)s person. Export them as CSV, which has no limit.",
                    "These may be more than %(num)s people. Export them as CSV, which has no "
                    "limit.",
                    MOST_ROWS,
                )
            )
        await note_export(self._store, visit.caller, "xlsx", "people", query)
        stream = self._sheets.stream(self._table(visit, query))
        return PageStream(stream=stream, name=_name(visit, query, "xlsx"))

    def _table(self, visit: Visit, query: ListedPeople) -> ExportedTable:
        rows = PeopleRows(self._store, query.filter, visit)
        commas = visit.language.has_decimal_commas
        return ExportedTable(visit.said(Phrase("People")), COLUMNS, rows, visit.said, commas)


def _name(visit: Visit, query: ListedPeople, kind: str) -> str:
    return file_name(kind, visit.said(Phrase("People")), query.area, query.q.strip())


class PeopleRows:
    """The rows of an export, in the order of the list."""

    def __init__(self, store: IStore, wanted: PeopleFilter, visit: Visit) -> None:
        self._store = store
        self._wanted = wanted
        self._visit = visit
        self._after: str | None = None
        self.is_over = False

    async def next(self) -> Sequence[Sequence[Cell]]:
        """Read the next people."""
        rows, last = await self._store.read(functools.partial(self._slice_thd, self._after))
        self.is_over = last is None
        self._after = last
        return rows

    def _slice_thd(self, after: str | None, tx: Transaction) -> tuple[list[list[Cell]], str | None]:
        """Return the next rows, and the place of the last one if there may be more."""
        found = tx[PeopleStore].in_order(SLICE, self._wanted, after, self._visit.areas)
        people = [user_for(self._visit.caller, one) for one in found]
        rows: list[list[Cell]] = [
            [
                *(shown_value(one, name) for name in EXPORTED),
                sum(one.templates.values()),
                Phrase("yes") if one.has_photo else None,
            ]
            for one in people
        ]
        return rows, found[-1].pin if len(found) == SLICE else None

"""Page and files of the days that a payroll clerk has to check."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import attrs
import msgspec
from msgspec import Meta

from ...interfaces import IStore
from ...manage.console.areachoice import no_area
from ...manage.console.days import NO_DAY
from ...manage.console.exports import ExportedTable, SheetExport, file_name, line_stream
from ...manage.console.forms import FormEntry, FormMistakes
from ...manage.console.pages import ConsolePage, ConsoleRoute, PageStream, View
from ...manage.console.phrases import Phrase
from ...manage.console.sheets import Cell, SheetColumn
from ...manage.console.visits import Visit
from ...manage.exporting import note_export
from ...manage.services import Services
from ...persist.transaction import Transaction
from ...phrases import sentences
from ...protocol.codes import RecordType
from ...protocol.fields import Scope
from .checking import CURSOR, CheckFilter, DayPlace, DaysToCheck
from .marks import DayMark
from .model import PunchFilter
from .payroll import TOO_LONG, check_workbook_thd, days_of, is_payroll_period
from .periods import DAY, PERIODS, WEEKS, DayPeriod, PeriodName, named_period
from .persondays import PersonDay
from .quiet import QuietTerminal, listed_quiet_thd
from .searching import area_names_thd, asked_period
from .unread import UnreadLines, UnreadReader, unread_days_thd, unread_notes, unread_thd

ROWS = 40
"""People on a page; one who had the user ID before on the same day is one more row."""
SLICE = 500
"""People that are read at once for a file."""
USUAL_DAYS = 31
"""Days before today that are shown unless others are chosen."""
MOST_TIMES = 6
"""Times of a day that are shown; the page of the day has all."""
TITLE = Phrase("Days to check")
COLUMNS: Sequence[SheetColumn] = (
    SheetColumn(Phrase("Date"), 12),
    SheetColumn(Phrase("User ID"), 12),
    SheetColumn(Phrase("Name"), 28),
    SheetColumn(Phrase("Left"), 10),
    SheetColumn(Phrase("Punches"), 10),
    SheetColumn(Phrase("First"), 10),
    SheetColumn(Phrase("Last"), 10),
    SheetColumn(Phrase("To check"), 40),
    SheetColumn(Phrase("What to do"), 60),
)


class CheckQuery(msgspec.Struct, frozen=True):
    """Which days to check."""

    area: str | None = None
    mark: (
        Literal[
            "one punch",
            "odd number",
            "no check-out",
            "doubtful time",
            "other person",
            "unreadable",
            "earlier person",
            "nobody",
        ]
        | None
    ) = None
    period: PeriodName | None = None
    since: str = ""
    """First day; without a day and a period, the last days before today."""
    until: str = ""
    past: Annotated[str, Meta(pattern=CURSOR)] | None = None
    """Where the page before ended."""

    def link(self, **changed: str | None) -> str:
        """Return the query of a link, with some arguments changed."""
        given = {**msgspec.structs.asdict(self), "past": None, **changed}
        return urlencode({name: value for name, value in given.items() if value not in ("", None)})


@attrs.frozen(kw_only=True)
class _Asked:
    """A query whose days are known."""

    filter: CheckFilter
    areas: Sequence[str]
    """Areas to choose from."""
    unread: Sequence[UnreadLines]
    """Lines that could not be read, by terminal."""
    notes: Sequence[Phrase]
    """The same in words, for files."""
    wrong: dict[str, Phrase]
    """Mistakes by field."""


class CheckPages:
    """The days to check."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._sheets = SheetExport(services.clock)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and the files."""
        path = "/attendance/check"
        return [
            ConsolePage(
                path=path,
                title=TITLE,
                scope=Scope.ATTENDANCE,
                run=self.show,
                query=CheckQuery,
                limited=(),
            ),
            self._file(f"{path}.csv", self.csv),
            self._file(f"{path}.xlsx", self.xlsx),
        ]

    @staticmethod
    def _file(path: str, run: Any) -> ConsolePage:
        title = Phrase("Export of days to check")
        return ConsolePage(
            path=path,
            title=title,
            scope=Scope.ATTENDANCE,
            run=run,
            query=CheckQuery,
            is_file=True,
            limited=(),
        )

    async def show(self, visit: Visit, query: CheckQuery) -> View:
        """Show a page of the list."""
        today = self._today(visit)
        past = None if query.past is None else _place(query.past)
        quiet: list[QuietTerminal] = []

        def find_thd(tx: Transaction) -> tuple[_Asked, Sequence[PersonDay], DayPlace | None]:
            asked = self._asked_thd(tx, visit, query)
            if asked.wrong:
                return asked, [], None
            part = tx[DaysToCheck].part(asked.filter, ROWS, past)
            strips = (one.strip for one in part.days)
            quiet[:] = listed_quiet_thd(tx, strips, visit.areas, today)
            return asked, part.days, part.next

        asked, days, following = await self._store.read(find_thd)
        period = asked.filter.period
        given: dict[str, list[str]] = {
            "since": [query.since or _text(period.first)],
            "until": [query.until or _text(period.last)],
            "area": [query.area or ""],
            "mark": [query.mark or ""],
        }
        return View(
            template="check.html",
            values={
                "period": period,
                "days": days,
                "quiet": quiet,
                "most_times": MOST_TIMES,
                "unread": asked.unread,
                "entry": FormEntry(given, (), asked.wrong),
                "periods": [
                    (
                        words,
                        query.link(period=name, since=None, until=None),
                        named_period(name, today) == period,
                        named_period(name, today) if name in WEEKS else None,
                    )
                    for name, words in PERIODS.items()
                    if name != "today"
                ],
                "areas": [("", Phrase("All")), *((name, name) for name in asked.areas)],
                "marks": [("", Phrase("All")), *((one.value, one.words.mark) for one in DayMark)],
                "export": query.link(),
                "next_day": None if following is None else following.day,
                "next_query": None if following is None else query.link(past=str(following)),
                "is_first": query.past is None,
                "first_query": query.link(),
                "is_filtered": query.area is not None or query.mark is not None,
                "all_query": query.link(area=None, mark=None),
                "has_today": query.mark != DayMark.NOBODY.value
                and bool(period.first and period.last and period.first <= today <= period.last),
            },
        )

    async def csv(self, visit: Visit, query: CheckQuery) -> PageStream:
        """Export the list as CSV."""
        table, period = await self._table(visit, query)
        await note_export(self._store, visit.caller, "csv", "attendance/check", query)
        name = file_name("csv", visit.said(TITLE), query.area, period.name)
        return PageStream(stream=line_stream(table), name=name)

    async def xlsx(self, visit: Visit, query: CheckQuery) -> PageStream:
        """Export the list as XLSX."""
        table, period = await self._table(visit, query)
        wanted, days = _punches_of(visit, query, period), days_of(period) or 0
        await self._store.read(lambda tx: check_workbook_thd(tx, wanted, days))
        await note_export(self._store, visit.caller, "xlsx", "attendance/check", query)
        name = file_name("xlsx", visit.said(TITLE), query.area, period.name)
        return PageStream(stream=self._sheets.stream(table), name=name)

    async def _table(self, visit: Visit, query: CheckQuery) -> tuple[ExportedTable, DayPeriod]:
        asked = await self._store.read(lambda tx: self._asked_thd(tx, visit, query))
        if asked.wrong:
            raise FormMistakes(*asked.wrong.values())
        rows = CheckRows(self._store, asked.filter)
        commas = visit.language.has_decimal_commas
        table = ExportedTable(visit.said(TITLE), COLUMNS, rows, visit.said, commas, asked.notes)
        return table, asked.filter.period

    def _asked_thd(self, tx: Transaction, visit: Visit, query: CheckQuery) -> _Asked:
        today, wrong = self._today(visit), dict[str, Phrase]()
        usual = DayPeriod(today - USUAL_DAYS * DAY, today - DAY)
        period = asked_period(query, today, wrong, usual)
        areas = area_names_thd(tx, visit.areas)
        if query.area is not None and query.area not in areas:
            wrong["area"] = no_area(query.area, areas)
        if not wrong and not is_payroll_period(period):
            wrong["since" if period.first is None else "until"] = TOO_LONG
        if not wrong and not _is_in_reach(period):
            wrong["since"] = NO_DAY
        reader = UnreadReader.of(visit)
        unread = {} if wrong else unread_days_thd(tx, reader, period, query.area)
        lines = [] if wrong else unread_thd(tx, reader, period, None, query.area)
        return _Asked(
            filter=CheckFilter(
                period=period,
                zone=visit.zone,
                areas=visit.areas,
                area=query.area,
                mark=None if query.mark is None else DayMark(query.mark),
                unread=unread,
                today=today,
            ),
            areas=areas,
            unread=lines,
            notes=unread_notes(lines, visit.named),
            wrong=wrong,
        )

    def _today(self, visit: Visit) -> datetime.date:
        return datetime.datetime.fromtimestamp(self._services.now() / 1000, visit.zone).date()


class CheckRows:
    """The rows of a file."""

    def __init__(self, store: IStore, wanted: CheckFilter) -> None:
        self._store = store
        self._wanted = wanted
        self._past: DayPlace | None = None
        self.is_over = False

    async def next(self) -> Sequence[Sequence[Cell]]:
        """Read the next days."""
        wanted, past = self._wanted, self._past
        part = await self._store.read(lambda tx: tx[DaysToCheck].part(wanted, SLICE, past))
        self._past = part.next
        self.is_over = part.next is None
        return [*map(_cells, part.days)]


def _cells(day: PersonDay) -> list[Cell]:
    """Return the values of a day in the order of `COLUMNS`."""
    times = [one.wall.time() for one in day.strip.punches]
    return [
        day.strip.day,
        day.pin,
        day.name or day.instead,
        Phrase("left") if day.has_left else None,
        len(times),
        times[0] if times else None,
        None if day.strip.last is None else day.strip.last.wall.time(),
        day.to_check,
        sentences([day.strip.todo(one) for one in day.strip.to_check]),
    ]


def _punches_of(visit: Visit, query: CheckQuery, period: DayPeriod) -> PunchFilter:
    """Return the filter of the punches of a period, of whose people and days a file has some."""
    return PunchFilter(
        area=query.area,
        areas=visit.areas,
        since=period.since(visit.zone),
        until=period.until(visit.zone),
        record_type=RecordType.ATTENDANCE,
    )


def _place(text: str) -> DayPlace:
    try:
        return DayPlace.parse(text)
    except ValueError:
        raise LookupError(Phrase("There is no such page.")) from None


def _is_in_reach(period: DayPeriod) -> bool:
    """Whether days before and after a period are dates."""
    ends = period.first, period.last
    return all(one is not None and 1900 <= one.year < 9000 for one in ends)


def _text(day: datetime.date | None) -> str:
    return "" if day is None else str(day)

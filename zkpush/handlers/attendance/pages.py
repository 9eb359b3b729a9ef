"""Pages of attendance: search and export."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from ...manage.console.areachoice import no_area
from ...manage.console.exports import ExportedTable, SheetExport, TableLanguage, line_stream
from ...manage.console.forms import FormEntry, FormMistakes
from ...manage.console.pages import (
    ConsolePage,
    ConsoleRoute,
    NavGroup,
    NavPlace,
    PageFile,
    PageStream,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.sheets import MOST_ROWS
from ...manage.console.terminalchoice import find_terminal_thd, terminal_options_thd
from ...manage.console.visits import Visit
from ...manage.exporting import note_export
from ...manage.services import Services
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from ..people.store import unknown_person_thd
from .absent import absence_notes, absent_thd
from .checkpages import CheckPages
from .chronology import ChronologicalPunches, TimePlace
from .earlierpages import EarlierErasurePages
from .exports import punch_table, too_many
from .finding import PRESENT, PersonMatch, hidden_thd, people_thd, spans_thd
from .listing import PHOTO, AttendanceReadings, picture_type
from .model import PunchFilter
from .payroll import (
    DAYS,
    check_workbook_thd,
    days_of,
    is_payroll_period,
    payroll_notes,
    payroll_tables,
)
from .periods import PERIODS, WEEKS, named_period
from .personpages import PersonAttendancePages
from .searching import Search, SearchQuery, area_names_thd, asked_period
from .showing import DOUBT_WORDS, shown_punches
from .unread import UnreadReader, unread_notes, unread_thd

ROWS = 40
"""Records on a page."""


class AttendancePages:
    """Search for attendance records, and their export."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._readings = AttendanceReadings(services.store, services.secret_access)
        self._sheets = SheetExport(services.clock)

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages."""
        return [
            ConsolePage(
                path="/attendance",
                title=Phrase("Attendance"),
                scope=Scope.ATTENDANCE,
                run=self.show,
                query=SearchQuery,
                nav=NavPlace(NavGroup.DAILY, 30, "clock"),
                limited=(),
            ),
            self._file("/attendance/export.csv", self.csv),
            self._file("/attendance/export.xlsx", self.xlsx),
            self._file("/attendance/days.csv", self.days_csv),
            self._file("/attendance/days.xlsx", self.days_xlsx),
            ConsolePage(
                path="/attendance/photos/<int:photo_id>",
                title=Phrase("Photo"),
                run=self.photo,
                scope=Scope.BIOMETRICS,
                is_file=True,
                limited=(PHOTO,),
            ),
        ]

    @staticmethod
    def _file(path: str, run: Any) -> ConsolePage:
        title = Phrase("Export of attendance")
        return ConsolePage(
            path=path,
            title=title,
            scope=Scope.ATTENDANCE,
            run=run,
            query=SearchQuery,
            is_file=True,
            limited=(),
        )

    async def show(self, visit: Visit, query: SearchQuery) -> View:
        """Show the records that are searched for."""
        sees_photos = visit.allows(Scope.BIOMETRICS)
        past = None if query.past is None else TimePlace.parse(query.past)
        window = self._services.registry.online_window()

        def find_thd(tx: Transaction) -> dict[str, Any]:
            search = self._search_thd(tx, visit, query)
            values: dict[str, Any] = {"search": search, "rows": [], "next_query": None}
            values.update(count=0, is_more=False, unread=[], absent=[])
            if not search.wrong and not search.matches:
                found = tx[ChronologicalPunches].part(
                    search.filter(visit), ROWS, past, oldest_first=query.oldest_first
                )
                values["rows"] = shown_punches(
                    tx,
                    found.punches,
                    visit.zone,
                    visit.areas,
                    photos=sees_photos,
                    oldest_first=query.oldest_first,
                )
                if found.next is not None:
                    values["next_query"] = search.link(past=str(found.next))
                if past is None:
                    values.update(count=found.count, is_more=found.is_more)
                    where = search.period, search.device, query.area
                    reader = UnreadReader.of(visit)
                    values["unread"] = unread_thd(tx, reader, *where, search.pin)
                    values["absent"] = absent_thd(tx, reader, window, *where)
            names = area_names_thd(tx, visit.areas)
            return {
                **values,
                "areas": [("", Phrase("All")), *((name, name) for name in names)],
                "terminals": terminal_options_thd(tx, areas=visit.areas),
            }

        values = await self._store.read(find_thd)
        search = values["search"]
        today = self._today(visit)
        given: dict[str, list[str]] = {
            "person": [query.person],
            "since": [query.since or _text(search.period.first)],
            "until": [query.until or _text(search.period.last)],
            "device": [query.device or ""],
            "area": [query.area or ""],
            "doubt": [query.doubt or ""],
        }
        doubts = {row.doubt for row in values["rows"] if row.doubt is not None}
        return View(
            template="attendance.html",
            values={
                **values,
                "entry": FormEntry(given, (), search.wrong),
                "periods": [
                    (
                        words,
                        search.link(period=name, since=None, until=None),
                        named_period(name, today) == search.period,
                        named_period(name, today) if name in WEEKS else None,
                    )
                    for name, words in PERIODS.items()
                ],
                "doubts": [one for one in DOUBT_WORDS.values() if one in doubts],
                "doubt_options": [
                    ("", Phrase("All")),
                    *((code, words.mark) for code, words in DOUBT_WORDS.items()),
                ],
                "is_filtered": bool(search.pin or query.device or query.area or query.doubt),
                "export": search.link(),
                "payroll_notes": payroll_notes(search.filter(visit)),
                "has_days": is_payroll_period(search.period),
                "check": search.check_link(today),
                "all": Phrase("All"),
                "is_first": query.past is None,
                "oldest_first": query.oldest_first,
                "other_order": search.link(order="newest" if query.oldest_first else "oldest"),
            },
        )

    async def csv(self, visit: Visit, query: SearchQuery) -> PageStream:
        """Export the records as CSV, with the columns and words of the workbook."""
        search = await self._searched(visit, query)
        await self._note(visit, search, "csv", "attendance")
        stream = line_stream(await self._table(search, visit))
        return PageStream(stream=stream, name=search.file_name(visit, "csv"))

    async def days_csv(self, visit: Visit, query: SearchQuery) -> PageStream:
        """Export the payroll sheet as CSV."""
        search = await self._searched(visit, query)
        stream = line_stream((await self._days(search, visit))[0])
        await self._note(visit, search, "csv", "attendance/days")
        return PageStream(stream=stream, name=search.file_name(visit, "csv", DAYS))

    async def days_xlsx(self, visit: Visit, query: SearchQuery) -> PageStream:
        """Export the payroll sheet as XLSX."""
        search = await self._searched(visit, query)
        tables, days = await self._days(search, visit), days_of(search.period)
        wanted = search.filter(visit)
        await self._store.read(lambda tx: check_workbook_thd(tx, wanted, days or 0))
        stream = self._sheets.stream(*tables)
        await self._note(visit, search, "xlsx", "attendance/days")
        return PageStream(stream=stream, name=search.file_name(visit, "xlsx", DAYS))

    async def xlsx(self, visit: Visit, query: SearchQuery) -> PageStream:
        """Export the records as XLSX."""
        search = await self._searched(visit, query)
        wanted = search.filter(visit)
        count = await self._store.read(
            lambda tx: tx[ChronologicalPunches].count(wanted, MOST_ROWS + 1)
        )
        if count > MOST_ROWS:
            raise ValueError(too_many())
        await self._note(visit, search, "xlsx", "attendance")
        tables = [await self._table(search, visit)]
        if search.pin is not None and is_payroll_period(search.period):
            tables += await self._days(search, visit)
        return PageStream(stream=self._sheets.stream(*tables), name=search.file_name(visit, "xlsx"))

    async def _note(self, visit: Visit, search: Search, form: str, path: str) -> None:
        """Record an export, with the person whom its filter means."""
        person = {} if search.pin is None else {"person": None, "pin": search.pin}
        await note_export(self._store, visit.caller, form, path, search.query, found=person)

    async def _table(self, search: Search, visit: Visit) -> ExportedTable:
        first, notes = search.query.oldest_first, await self._notes(search, visit)
        return punch_table(self._store, search.filter(visit), visit, notes, oldest_first=first)

    async def _days(self, search: Search, visit: Visit) -> tuple[ExportedTable, ExportedTable]:
        notes = await self._notes(search, visit)
        wanted, language = search.filter(visit), TableLanguage.of(visit)
        today = self._today(visit)
        return payroll_tables(
            self._store, wanted, search.period, visit.zone, language, notes, today, visit.named
        )

    async def _notes(self, search: Search, visit: Visit) -> Sequence[Phrase]:
        """Return the notes of a file."""
        where = search.period, search.device, search.query.area
        reader, window = UnreadReader.of(visit), self._services.registry.online_window()

        def find_thd(tx: Transaction) -> list[Phrase]:
            return [
                *unread_notes(unread_thd(tx, reader, *where, search.pin), visit.named),
                *absence_notes(absent_thd(tx, reader, window, *where), visit.zone, visit.named),
            ]

        return await self._store.read(find_thd)

    async def photo(self, visit: Visit, photo_id: int) -> PageFile:
        """Show the picture of a photo."""
        content = await self._readings.photo(photo_id, visit.caller)
        return PageFile(content_type=picture_type(content), body=content)

    async def _searched(self, visit: Visit, query: SearchQuery) -> Search:
        """Return a search; `FormMistakes` if it is wrong, or means several people."""
        search = await self._store.read(lambda tx: self._search_thd(tx, visit, query))
        wrong = dict(search.wrong)
        if search.matches:
            wrong["person"] = Phrase("Several people are found. Choose one of them first.")
        if wrong:
            raise FormMistakes(*wrong.values())
        return search

    def _search_thd(self, tx: Transaction, visit: Visit, query: SearchQuery) -> Search:
        wrong: dict[str, Phrase] = {}
        period = asked_period(query, self._today(visit), wrong)
        pin, device, has_page, holder, spans = None, None, False, query.holder, None
        matches: Sequence[PersonMatch] = []
        if query.device is not None and query.device.strip():
            try:
                device = find_terminal_thd(tx, query.device, visit.areas)
            except ValueError as error:
                wrong["device"] = error.args[0]
        if query.area is not None:
            known = area_names_thd(tx, visit.areas)
            if query.area not in known:
                wrong["area"] = no_area(query.area, known)
        text = query.person.strip()
        if text:
            matches = people_thd(tx, text, visit.areas, with_cards=visit.allows(Scope.READ))
            if holder:
                pin, matches, has_page = text, [], True
            elif all(one.pin != text for one in matches) and tx[ChronologicalPunches].count(
                PunchFilter(pin=text, areas=visit.areas), 1
            ):
                # A person who is not stored, or not of the areas of the account.
                pin, matches, has_page = text, [], visit.areas is None
            elif len(matches) == 1:
                pin, has_page = matches[0].pin, True
                if holder is None and pin != text:
                    holder = matches[0].holder
                matches = []
            elif not matches:
                wrong["person"] = unknown_person_thd(tx, text, visit.areas)
        hidden = [] if pin is None else hidden_thd(tx, pin, visit.areas)
        if hidden and holder is None and has_page:
            holder = PRESENT
        if pin is not None and holder is not None:
            spans = spans_thd(tx, pin, holder, visit.areas, with_hidden=True)
            has_page = has_page and all(one.id != holder for one in hidden)
        return Search(
            query=query,
            period=period,
            pin=pin,
            holder=holder,
            spans=spans,
            hidden=hidden,
            has_page=has_page,
            device=device,
            matches=matches,
            wrong=wrong,
        )

    def _today(self, visit: Visit) -> datetime.date:
        return datetime.datetime.fromtimestamp(self._services.now() / 1000, visit.zone).date()


def _text(day: datetime.date | None) -> str:
    return "" if day is None else str(day)


def pages(services: Services) -> list[ConsoleRoute]:
    """The pages of attendance."""
    return [
        *AttendancePages(services).routes(),
        *CheckPages(services).routes(),
        *PersonAttendancePages(services).routes(),
        *EarlierErasurePages(services).routes(),
    ]

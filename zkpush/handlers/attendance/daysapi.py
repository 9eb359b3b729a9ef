"""API of the payroll sheet: the punches of each person and day, as the console exports them."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

import attrs
import msgspec
from msgspec import Meta

from ...manage.arguments import Mistakes, checked_by, suggestion
from ...manage.cells import csv_items, csv_lines
from ...manage.console.exports import SheetExport, TableLanguage
from ...manage.console.sheets import XLSX
from ...manage.errors import bad_request
from ...manage.exporting import note_export
from ...manage.limits import TERMINAL, Owner, check_areas, owned_thd
from ...manage.listing import DEFAULT_LIMIT, Limit, OfDevice, OfUser
from ...manage.lists import CSV, NDJSON, send_parts
from ...manage.routes import Route, Stream
from ...manage.services import Services
from ...model import Caller
from ...persist.areas import no_area_thd
from ...persist.devices import DeviceStore
from ...persist.presence import PresenceStore
from ...persist.transaction import Transaction
from ...phrases import words_of
from ...protocol.codes import RecordType
from ...protocol.fields import Scope
from ...protocol.times import check_zone
from ..people.store import pin_order
from .absent import AbsentTerminal, absence_notes, absent_thd
from .dayviews import DayListing, DayView, UnreadView, UnseenView, view_of
from .model import PunchFilter
from .payroll import (
    PayrollRows,
    check_workbook_thd,
    days_of,
    is_payroll_period,
    payroll_tables,
    seen_thd,
)
from .periods import DayPeriod
from .persondays import PersonDay
from .unread import UnreadLines, UnreadReader, unread_notes, unread_thd
from .unseen import find_unseen

CURSOR = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{1,19}\.[^\x00-\x1f]{1,64}$"
_CURSOR = re.compile(CURSOR)
UNREAD = "X-Unread-Lines"
"""Header of a file: how many lines of the period could not be read."""


def _day(name: str, text: str) -> datetime.date:
    try:
        found = datetime.date.fromisoformat(text)
    except ValueError:
        found = datetime.date.max
    if not 1900 <= found.year < 9000:
        raise ValueError(f"{name}: {text[:40]!r} is not a day such as 2026-03-01.")
    return found


def _zone(name: str, text: str) -> str:
    try:
        return check_zone(text)
    except ValueError as error:
        raise ValueError(f"{name}: {words_of(error)}") from None


@attrs.frozen(order=True)
class _Place:
    """A row of the sheet, by what they are sorted by."""

    pin: tuple[str, str]
    holder: int
    day: datetime.date

    @classmethod
    def of(cls, day: PersonDay) -> _Place:
        return cls(*day.order, day.strip.day)

    @classmethod
    def parse(cls, text: str) -> _Place:
        if _CURSOR.fullmatch(text) is None:
            raise ValueError(f"past: {text[:60]!r} is not a cursor of this list; pass `next`.")
        day, holder, pin = text.split(".", 2)
        return cls(pin_order(pin), int(holder), _day("past", day))

    def __str__(self) -> str:
        return f"{self.day}.{self.holder}.{self.pin[1]}"


def _place(name: str, text: str) -> _Place:
    return _Place.parse(text)


class DaysQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The days and people of a sheet."""

    first: Annotated[
        str | None,
        checked_by(
            _day, "First day, such as 2026-03-01; default: the first one of the month of `last`"
        ),
    ] = None
    last: Annotated[
        str | None, checked_by(_day, "Last day; default: today. At most 366 days in all")
    ] = None
    timezone: Annotated[
        str | None,
        checked_by(
            _zone,
            "IANA zone in which days begin; default: that of the site or of the server, or UTC",
        ),
    ] = None
    device: OfDevice = None
    area: Annotated[str | None, Meta(description="Area of the terminal")] = None
    pin: OfUser = None
    to_check: Annotated[bool | None, Meta(description="Only days with something to check")] = None
    limit: Annotated[
        Limit | None,
        Meta(
            description=f"Most days of the reply: 1 to 1000, by default {DEFAULT_LIMIT}; files "
            "have all"
        ),
    ] = None
    past: Annotated[
        str | None,
        checked_by(
            _place,
            "Start of the page: `next` of a reply; default: the beginning. Files have all",
        ),
    ] = None


@attrs.frozen(kw_only=True)
class _Sheet:
    """A query whose period and zone are known."""

    query: DaysQuery
    wanted: PunchFilter
    period: DayPeriod
    days: int
    zone: ZoneInfo
    unread: Sequence[UnreadLines]

    def takes(self, day: PersonDay) -> bool:
        """Whether a day is wanted."""
        return not self.query.to_check or bool(day.strip.to_check)


class DaysEndpoint:
    """The sheet of the days."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._registry = services.registry
        self._zones = services.zones
        self._now = services.now
        self._sheets = SheetExport(services.clock)

    def route(self) -> Route:
        """Return the route."""
        return Route(
            "GET",
            "/attendance/days",
            Scope.ATTENDANCE,
            self.run,
            "The payroll sheet: a row for each person and day with punches, by user ID and day",
            query=DaysQuery,
            returns=DayListing,
            takes=("accept", "caller"),
            forms=(CSV, NDJSON),
            produces=(XLSX,),
            limited=(),
        )

    async def run(self, query: DaysQuery, accept: str, caller: Caller) -> object:
        """Return a part of the sheet, or all of it as a file."""
        sheet = await self._sheet(query, caller)
        for form in (CSV, NDJSON, XLSX):
            if form in accept:
                kind = "xlsx" if form == XLSX else form.rpartition("/")[2].removeprefix("x-")
                await note_export(self._store, caller, kind, "/attendance/days", query)
                return await self._workbook(sheet) if form == XLSX else self._lines(sheet, form)
        return await self._part(sheet)

    async def _sheet(self, query: DaysQuery, caller: Caller) -> _Sheet:
        zone = ZoneInfo(query.timezone or await self._zones.of_site() or "UTC")
        today = datetime.datetime.fromtimestamp(self._now() / 1000, zone).date()
        last = today if query.last is None else _day("last", query.last)
        first = last.replace(day=1) if query.first is None else _day("first", query.first)
        period = DayPeriod(first, last)
        days = days_of(period)
        if days is None or days < 1:
            raise bad_request("last: the last day is before the first one.")
        if not is_payroll_period(period):
            raise bad_request("last: a sheet has at most 366 days.")
        reader = UnreadReader(zone, caller.areas)

        def find_thd(tx: Transaction) -> list[UnreadLines]:
            _check_thd(tx, query, caller)
            return unread_thd(tx, reader, period, query.device, query.area, query.pin)

        wanted = PunchFilter(
            device=query.device,
            area=query.area,
            areas=caller.areas,
            pin=query.pin,
            since=period.since(zone),
            until=period.until(zone),
            record_type=RecordType.ATTENDANCE,
        )
        unread = await self._store.read(find_thd)
        return _Sheet(
            query=query, wanted=wanted, period=period, days=days, zone=zone, unread=unread
        )

    async def _part(self, sheet: _Sheet) -> DayListing:
        limit, past = sheet.query.limit or DEFAULT_LIMIT, sheet.query.past
        place = None if past is None else _Place.parse(past)
        first = None if place is None else place.pin[1]
        rows = PayrollRows(self._store, sheet.wanted, sheet.days, sheet.zone, first)
        found: list[PersonDay] = []
        while not rows.is_over and len(found) <= limit:
            some = await rows.next_days()
            found += [
                one
                for one in some
                if sheet.takes(one) and (place is None or _Place.of(one) > place)
            ]
        following = str(_Place.of(found[limit - 1])) if len(found) > limit else None
        return DayListing(
            [*map(view_of, found[:limit])],
            following,
            [UnreadView(one.sn, one.count, one.is_least) for one in sheet.unread],
            [] if following is not None or sheet.query.to_check else await self._unseen(sheet),
        )

    async def _unseen(self, sheet: _Sheet) -> list[UnseenView]:
        """Return the people without punches."""
        wanted, days = sheet.wanted, sheet.period
        if days.first is None or days.last is None:
            return []
        seen = await self._store.read(lambda tx: seen_thd(tx, wanted))
        found = await find_unseen(self._store, wanted, days.first, days.last, seen)
        return [UnseenView(pin, one.name) for pin, one in found.items()]

    def _lines(self, sheet: _Sheet, form: str) -> Stream:
        rows = PayrollRows(self._store, sheet.wanted, sheet.days, sheet.zone)
        head = csv_lines([DayView.__struct_fields__]) if form == CSV else b""
        begin = functools.partial(send_parts, _Lines(sheet, rows, form), head)
        return Stream(f"{form}; charset=utf-8", begin, _headers(sheet))

    async def _workbook(self, sheet: _Sheet) -> Stream:
        wanted, days = sheet.wanted, sheet.days
        where = sheet.period, sheet.query.device, sheet.query.area
        reader, window = UnreadReader(sheet.zone, wanted.areas), self._registry.online_window()

        def find_thd(tx: Transaction) -> list[AbsentTerminal]:
            check_workbook_thd(tx, wanted, days)
            return absent_thd(tx, reader, window, *where)

        absent = await self._store.read(find_thd)
        notes = [
            *unread_notes(sheet.unread, lambda sn: None),
            *absence_notes(absent, sheet.zone, lambda sn: None),
        ]
        today = datetime.datetime.fromtimestamp(self._now() / 1000, sheet.zone).date()
        tables = payroll_tables(
            self._store,
            sheet.wanted,
            sheet.period,
            sheet.zone,
            TableLanguage(),
            notes,
            today,
            lambda sn: None,
        )
        stream = self._sheets.stream(*tables)
        return attrs.evolve(stream, headers=_headers(sheet))


class _Lines:
    """The lines of a file."""

    def __init__(self, sheet: _Sheet, rows: PayrollRows, form: str) -> None:
        self._sheet = sheet
        self._rows = rows
        self._form = form
        self.is_over = False

    async def next(self) -> bytes:
        """Read the days of the next people."""
        found = await self._rows.next_days()
        self.is_over = self._rows.is_over
        views = [view_of(one) for one in found if self._sheet.takes(one)]
        if self._form == CSV:
            return csv_items(DayView.__struct_fields__, views)
        return msgspec.json.Encoder().encode_lines(views)


def _headers(sheet: _Sheet) -> dict[str, str]:
    return {UNREAD: str(sum(one.count for one in sheet.unread))}


def _check_thd(tx: Transaction, query: DaysQuery, caller: Caller) -> None:
    """Raise `Mistakes` if the terminal or the area does not exist, or is not the caller's."""
    mistakes = []
    if query.area is not None:
        check_areas(caller, [query.area], "area")
        mistake = None if caller.areas is not None else no_area_thd(tx, query.area)
        mistakes += [] if mistake is None else [f"area: {mistake}"]
    if query.device is not None and not _is_known_thd(tx, query.device, caller):
        meant = "" if caller.areas is not None else tx[PresenceStore].serials()
        text = f"device: There is no terminal {query.device[:40]!r}."
        mistakes.append(text + suggestion(query.device, meant))
    if mistakes:
        raise Mistakes(mistakes)


def _is_known_thd(tx: Transaction, sn: str, caller: Caller) -> bool:
    if caller.areas is None:
        return tx[DeviceStore].find(sn) is not None
    return bool(owned_thd(tx, [Owner(TERMINAL, sn)], caller.areas))

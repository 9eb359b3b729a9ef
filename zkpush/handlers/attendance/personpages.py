"""Pages of one person's attendance: a month, and a day of it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Annotated, Any

import attrs
import msgspec
from msgspec import Meta

from ...manage.console.pages import ConsolePage, ConsoleRoute, View
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import of_device, visible_thd
from ...manage.services import Services
from ...persist.limits import AreaLimitStore
from ...persist.transaction import Transaction
from ...protocol.codes import RecordType
from ...protocol.fields import Scope
from ..people.model import PunchClaim
from ..people.store import (
    ERASED_PERSON,
    ClaimStore,
    EarlierHolders,
    FormerPeople,
    OnePersonStore,
    PeopleStore,
    PersonStore,
    span_phrase,
)
from .absent import absent_thd
from .chronology import ChronologicalPunches
from .finding import PRESENT, HolderNumber, hidden_thd, spans_thd
from .model import PunchFilter
from .periods import DAY, DayPeriod, month_of
from .showing import DOUBT_WORDS, ShownPunch, shown_punches
from .spans import count_punches
from .strips import WIDTH, DayStrip, MonthTotals, strips_of
from .unread import UnreadReader, unread_days_thd, unread_thd
from .unreaddays import last_second

MOST = 2000
"""Maximum number of records of a month, or of a day, that are shown and counted."""


class HolderQuery(msgspec.Struct, frozen=True):
    """Whose punches to show."""

    holder: HolderNumber = PRESENT
    """Which of the people who have had the user ID."""


class MonthQuery(HolderQuery, frozen=True):
    """The month to show."""

    month: Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")] | None = None


class PersonAttendancePages:
    """A person's month and day."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages."""
        return [
            ConsolePage(
                path="/attendance/people/<pin>",
                title=Phrase("Attendance"),
                scope=Scope.ATTENDANCE,
                run=self.month,
                query=MonthQuery,
                limited=(),
            ),
            ConsolePage(
                path="/attendance/people/<pin>/<day>",
                title=Phrase("Attendance"),
                scope=Scope.ATTENDANCE,
                run=self.day,
                query=HolderQuery,
                limited=(),
            ),
        ]

    async def month(self, visit: Visit, pin: str, query: MonthQuery) -> View:
        """Show the days of a month."""
        today = self._today(visit)
        try:
            begin = (
                today if query.month is None else datetime.date.fromisoformat(f"{query.month}-01")
            )
            period = month_of(begin)
            first = begin.replace(day=1)
            before = first - DAY
        except (ValueError, OverflowError):
            raise LookupError(Phrase("There is no such month.")) from None
        values = await self._found(visit, pin, period, query.holder)
        return View(
            template="month.html",
            title=values["name"] or pin,
            values={
                **values,
                "totals": MonthTotals.of(values["strips"], today, is_new=values["is_new"]),
                "first": first,
                "before": f"{before:%Y-%m}",
                "after": f"{first + 31 * DAY:%Y-%m}" if first + 31 * DAY <= today else None,
                "today": today,
            },
        )

    async def day(self, visit: Visit, pin: str, day: str, query: HolderQuery) -> View:
        """Show the records of a day."""
        try:
            date = datetime.date.fromisoformat(day)
            before, after = date - DAY, date + DAY
        except (ValueError, OverflowError):
            raise LookupError(Phrase("There is no such day.")) from None
        values = await self._found(visit, pin, DayPeriod(date, date), query.holder)
        doubts = {one.doubt for strip in values["strips"] for one in strip.punches}
        return View(
            template="day.html",
            title=values["name"] or pin,
            values={
                **values,
                "strip": values["strips"][0],
                "before": before,
                "after": after if after <= self._today(visit) else None,
                "doubts": [one for one in DOUBT_WORDS.values() if one in doubts],
            },
        )

    async def _found(
        self, visit: Visit, pin: str, period: DayPeriod, holder: int
    ) -> dict[str, Any]:
        """Return the strips of a period; `LookupError` for an unknown person without records."""
        # Records of terminals without a zone may be up to a day off.
        wider = attrs.evolve(
            period,
            first=None if period.first is None else period.first - DAY,
            last=None if period.last is None else period.last + DAY,
        )
        wanted = PunchFilter(
            pin=pin,
            areas=visit.areas,
            since=wider.since(visit.zone),
            until=wider.until(visit.zone),
            record_type=RecordType.ATTENDANCE,
        )

        window = self._services.registry.online_window()

        def find_thd(tx: Transaction) -> dict[str, Any]:
            spans = spans_thd(tx, pin, holder, visit.areas)
            earlier = tx[EarlierHolders].of([pin], visit.areas).get(pin, ())
            whose = next((one for one in earlier if one.id == holder), None)
            name = tx[PeopleStore].names([pin], visit.areas).get(pin)
            punches = tx[ChronologicalPunches]
            is_stored = bool(tx[PeopleStore].known([pin]))
            departure = None if is_stored else tx[FormerPeople].departure(pin, visit.areas)
            is_there = is_stored or departure is not None
            if visit.areas is not None:
                is_own = bool(tx[AreaLimitStore].people([pin], visit.areas))
                is_there = is_own or departure is not None or whose is not None
            elif not is_there:
                is_there = punches.count(PunchFilter(pin=pin), 1) > 0
            if not is_there:
                raise LookupError(Phrase("There is no such person."))
            own = msgspec.structs.replace(wanted, spans=spans)
            before = msgspec.structs.replace(own, since=None, until=period.since(visit.zone))
            found = punches.page(own, MOST + 1)
            is_cut = len(found) > MOST
            photos = visit.allows(Scope.BIOMETRICS) and period.first == period.last
            shown = shown_punches(tx, found[:MOST], visit.zone, visit.areas, photos=photos)
            is_erased = whose is None and not is_stored and tx[PersonStore].is_erased(pin)
            has_left = whose is not None or (departure is not None and not departure.is_erased)
            has_any = punches.count(PunchFilter(pin=pin, areas=visit.areas, spans=spans), 1) > 0
            shown_name = name if whose is None else whose.name
            return {
                "pin": pin,
                "name": shown_name,
                "holder": holder,
                "holders": [one for one in earlier if one.is_known],
                "hidden": hidden_thd(tx, pin, visit.areas),
                "has_page": whose is None and (is_stored or has_left),
                "is_erased": is_erased,
                "erased_at": departure.at if departure is not None and is_erased else None,
                "has_left": has_left,
                "may_erase": visit.allows(Scope.DANGEROUS)
                and visit.areas is None
                and (whose is not None or not is_stored)
                and (has_any or not is_erased),
                "most": MOST if is_cut else None,
                "strips": _strips_thd(tx, visit, pin, holder, period, shown),
                "is_new": not punches.count(before, 1),
                "width": WIDTH,
                "claims": _claims_thd(
                    tx, pin, holder, ERASED_PERSON if is_erased else shown_name or pin, visit.areas
                ),
                "may_change": visit.allows(Scope.WRITE),
                "unread": unread_thd(tx, UnreadReader.of(visit), period, pin=pin),
                "absent": absent_thd(tx, UnreadReader.of(visit), window, period),
            }

        return await self._store.read(find_thd)

    def _today(self, visit: Visit) -> datetime.date:
        return datetime.datetime.fromtimestamp(self._services.now() / 1000, visit.zone).date()


def _strips_thd(
    tx: Transaction,
    visit: Visit,
    pin: str,
    holder: int,
    period: DayPeriod,
    shown: Sequence[ShownPunch],
) -> list[DayStrip]:
    """Return the days of a holder of a user ID, with the lines that could not be read."""
    lines = unread_days_thd(tx, UnreadReader.of(visit), period)
    holders = tx[PeopleStore].holders([pin], visit.areas)
    found = {day: count for (day, whose), count in lines.items() if whose == pin}
    strips = []
    for one in strips_of(period, shown):
        whose = holders.at(pin, last_second(one.day, visit.zone))
        unread = found.get(one.day, 0) if (whose.earlier or PRESENT) == holder else 0
        is_unknown = whose.is_unknown and bool(one.every or unread)
        strips.append(attrs.evolve(one, unread=unread, is_unknown=is_unknown))
    return strips


def _claims_thd(
    tx: Transaction, pin: str, holder: int, name: str | Phrase, areas: frozenset[str] | None
) -> list[tuple[PunchClaim, int, Phrase, bool | None]]:
    """Return the claims that a visitor may see, with the number of their punches and a sentence.

    The last value says whether it is decided to be one person; None if there is no such choice.
    """
    found = tx[ClaimStore].of_people([pin])
    if areas is not None:
        found = visible_thd(tx, found, of_device, areas)
    holders = tx[PeopleStore].holders([pin], areas)
    found = [one for one in found if (holders.of_claim(one).earlier or PRESENT) == holder]
    counted = [(one, count_punches(tx, one.span)) for one in found]
    decided = tx[OnePersonStore].of_claims(found)
    return [
        (one, count, span_phrase(one, name), decided.get(one.id, (None, []))[0])
        for one, count in counted
        if count
    ]

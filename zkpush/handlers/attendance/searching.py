"""What the page of attendance searches for."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Protocol
from urllib.parse import urlencode

import attrs
import msgspec
from msgspec import Meta

from ...manage.console.days import NO_DAY, NO_PERIOD
from ...manage.console.exports import file_name
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...persist.targets import TargetStore
from ...persist.transaction import Transaction
from ...protocol.codes import RecordType
from ..people.model import Spans
from ..people.store import DEFAULT_AREA, EarlierHolder
from .chronology import CURSOR
from .finding import HolderNumber, PersonMatch
from .model import PunchFilter
from .periods import DayPeriod, PeriodName, named_period, parse_day


class PeriodQuery(Protocol):
    """A query with days."""

    @property
    def period(self) -> PeriodName | None:
        """A period by its name; it comes before the days."""

    @property
    def since(self) -> str:
        """First day."""

    @property
    def until(self) -> str:
        """Last day."""


class SearchQuery(msgspec.Struct, frozen=True):
    """What is searched for."""

    person: str = ""
    """User ID, or part of a name."""
    holder: HolderNumber | None = None
    """Which of the people who have had the user ID; None for all of them."""
    device: str | None = None
    """Serial number of a terminal, or its name."""
    area: str | None = None
    doubt: Literal["ambiguous", "nonexistent", "future", "past", "no zone"] | None = None
    period: PeriodName | None = None
    since: str = ""
    """First day; without a day and a period, today."""
    until: str = ""
    order: Literal["newest", "oldest"] = "newest"
    """What comes first."""
    past: Annotated[str, Meta(pattern=CURSOR)] | None = None
    """Place of the last record of the page before."""

    @property
    def oldest_first(self) -> bool:
        """Whether the oldest records come first."""
        return self.order == "oldest"


@attrs.frozen(kw_only=True)
class Search:
    """A query whose person and days are known."""

    query: SearchQuery
    period: DayPeriod
    pin: str | None = None
    has_page: bool = False
    """Whether the account that searches may see the page of this person."""
    device: str | None = None
    """Serial number of the terminal."""
    holder: int | None = None
    """Whose punches under the user ID are wanted; None for everybody's."""
    spans: Spans | None = None
    """When these are that person's."""
    hidden: Sequence[EarlierHolder] = ()
    """Earlier holders of the user ID whose name is not shown."""
    matches: Sequence[PersonMatch] = ()
    """People to choose from, if several are found."""
    wrong: Mapping[str, Phrase] = attrs.field(factory=dict)
    """Mistakes by field."""

    def filter(self, visit: Visit) -> PunchFilter:
        """Return the filter of the records."""
        return PunchFilter(
            device=self.device,
            area=self.query.area,
            areas=visit.areas,
            pin=self.pin,
            spans=self.spans,
            doubt=self.query.doubt,
            since=self.period.since(visit.zone),
            until=self.period.until(visit.zone),
            record_type=RecordType.ATTENDANCE,
        )

    def file_name(self, visit: Visit, kind: str, more: Phrase | None = None) -> str:
        """Return the name of an exported file: whose records of which days it has."""
        terminal = self.device and (visit.named(self.device) or self.device)
        period = self.period.name or visit.said(Phrase("All"))
        what = visit.said(Phrase("Attendance"))
        sheet = None if more is None else visit.said(more)
        return file_name(kind, what, sheet, self.query.area, terminal, self.pin, period)

    def link(self, **changed: str | int | None) -> str:
        """Return the query of a link, with some arguments changed."""
        kept = {**msgspec.structs.asdict(self.query), "past": None}
        if "person" in changed:
            kept["holder"] = None
        given = {**kept, **changed}
        if given["order"] == "newest":
            del given["order"]
        return urlencode({name: value for name, value in given.items() if value not in ("", None)})

    def check_link(self, today: datetime.date) -> str:
        """Return the query of the days to check: of the same area, and period if it has any."""
        period, query = self.period, self.query
        given = {"since": period.first, "until": period.last, "area": query.area}
        if period.first == today:
            given = {"area": query.area}
        elif query.period is not None:
            given = {"period": query.period, "area": query.area}
        return urlencode({name: value for name, value in given.items() if value is not None})


def asked_period(
    query: PeriodQuery,
    today: datetime.date,
    wrong: dict[str, Phrase],
    otherwise: DayPeriod | None = None,
) -> DayPeriod:
    """Return the days of a query, or else `otherwise` or today; add mistakes to `wrong`."""
    if query.period is not None:
        return named_period(query.period, today)
    days: dict[str, datetime.date | None] = {"since": None, "until": None}
    for name in days:
        try:
            days[name] = parse_day(getattr(query, name))
        except ValueError:
            wrong[name] = NO_DAY
    first, last = days.values()
    if first is not None and last is not None and first > last:
        wrong["until"] = NO_PERIOD
    if first is None and last is None:
        return named_period("today", today) if otherwise is None else otherwise
    return DayPeriod(first, last)


def area_names_thd(tx: Transaction, mine: frozenset[str] | None) -> list[str]:
    """Return the areas that have terminals; `mine` are those of a limited account."""
    names = {name or DEFAULT_AREA for name in tx[TargetStore].area_counts()}
    return sorted(names if mine is None else mine & names)

"""Comparisons of the records of terminals with the stored ones, for the API and the console."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Annotated, Literal

from msgspec import Meta

from ...counting import counted
from ...device import acts
from ...device.queueing import CommandWriter
from ...device.registry import Registry
from ...interfaces import IStore
from ...manage.errors import not_found
from ...manage.limits import TERMINAL, Belongs, Owner, of_device
from ...manage.listing import DeviceQuery
from ...manage.lists import ApiList
from ...manage.routes import Route
from ...manage.targets import TargetRequest, targets_thd, targets_words
from ...model import Caller, Device
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase
from ...protocol.fields import Scope
from .model import AGREED, OPEN_COUNTS, STATES, CountFilter, CountState, DayCount, NewCount
from .nights import days_before
from .runner import CompletenessRunner
from .steps import unfit
from .store import CountStore
from .views import DayCountView, VerifyRunView, count_view, run_view

MOST_DAYS = 62
MOST_COUNTS = 50_000
"""Maximum number of days, of all terminals together, that a request compares."""
WAIT = 3600
"""Default time in seconds that a request waits for a terminal."""
MOST_WAIT = 30 * 24 * 3600
MOST_FAILED = 100
PART = 200
"""Counts stored in one unit of work, so that no upload waits long."""
_VERIFY = "verify attendance"
_FAILED = frozenset(CountState) - OPEN_COUNTS - AGREED

DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_Day = Annotated[str, Meta(pattern=DAY)]


class CompletenessRequest(TargetRequest, frozen=True):
    """Days to compare, and terminals."""

    since: Annotated[
        _Day | None,
        Meta(
            description="First day, by the clock of each terminal. Default: the day before the "
            "present one"
        ),
    ] = None
    until: Annotated[
        _Day | None, Meta(description="Last day, inclusive. Default: the same as `since`")
    ] = None
    days: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_DAYS)] | None,
        Meta(description="Instead of `since` and `until`: so many days before the present one"),
    ] = None
    expires_in: Annotated[
        int,
        Meta(
            ge=1,
            le=MOST_WAIT,
            description="Seconds that the server waits for a terminal that is not connected",
        ),
    ] = WAIT


class VerifyQuery(DeviceQuery, frozen=True):
    """Filter of comparisons."""

    state: Annotated[
        Literal[
            "waiting",
            "counting",
            "fetching",
            "recounting",
            "complete",
            "surplus",
            "short",
            "unsupported",
            "not_answered",
            "cancelled",
        ]
        | None,
        Meta(description="Only in this state"),
    ] = None
    run: Annotated[str | None, Meta(description="Only of this request")] = None
    since: Annotated[_Day | None, Meta(description="From this day on")] = None
    until: Annotated[_Day | None, Meta(description="Up to this day")] = None


class CompletenessEndpoints:
    """Handlers of the routes of completeness."""

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        writer: CommandWriter,
        runner: CompletenessRunner,
    ) -> None:
        self._store = store
        self._registry = registry
        self._writer = writer
        self._runner = runner

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "POST",
                "/attendance/verify",
                Scope.WRITE,
                self.add,
                "Compare the attendance records of terminals with the stored ones, day by day, and "
                "fetch missing ones",
                body=CompletenessRequest,
                returns=VerifyRunView,
                status=HTTPStatus.ACCEPTED,
                takes=("caller",),
                limited=(),
            ),
            ApiList[DayCount](
                path="/attendance/verify",
                summary="Comparisons of attendance records, each of a day of a terminal",
                view=DayCountView,
                query=VerifyQuery,
                filter=_filter,
                find_thd=lambda tx, part, wanted: tx[CountStore].page(part, wanted),
                show=lambda count, caller: count_view(count),
                owner=of_device,
            ).route(self._store),
            Route(
                "GET",
                "/attendance/verify/<id>",
                Scope.READ,
                self.show,
                "A request to compare attendance records, with its failures",
                returns=VerifyRunView,
                limited=(_RUN,),
            ),
        ]

    async def add(self, body: CompletenessRequest, caller: Caller) -> VerifyRunView:
        """Store the counts of a request, and begin with them."""
        _check(body, self._registry.now())
        devices = await self._store.read(lambda tx: _devices_thd(tx, body, caller))
        now = self._registry.now()
        run = self._writer.new_id(now)
        new = [one for device in devices for one in _counts(device, body, run, now)]
        if len(new) > MOST_COUNTS:
            raise ValueError(
                f"days: {counted(len(new), 'day')} of terminals are too many; at "
                f"most {MOST_COUNTS} at once."
            )
        words = f"{targets_words(body, len(devices))}; {new[0].day} to {new[-1].day}"
        for start in range(0, len(new), PART):

            def unit(tx: Transaction, start: int = start) -> None:
                if start == 0:
                    acts.record(tx, caller, _VERIFY, f"request {run}", words, now)
                tx[CountStore].add(new[start : start + PART], now)

            await self._store.write(unit)
        self._runner.begin()
        return await self.show(run)

    async def show(self, id: str) -> VerifyRunView:
        """Show a request."""

        def find_thd(tx: Transaction) -> VerifyRunView:
            counts = tx[CountStore]
            states = counts.states_of(id)
            if not states:
                raise not_found(
                    Phrase("There is no request %(id)s to compare attendance records.", id=id[:40])
                )
            failed = counts.of_run(id, _FAILED, MOST_FAILED)
            return run_view(id, counts.created_at(id), states, failed)

        return await self._store.read(find_thd)


def _terminals_thd(tx: Transaction, names: Mapping[str, object]) -> Collection[Owner]:
    return [Owner(TERMINAL, sn) for sn in tx[CountStore].terminals_of(str(names["id"]))]


_RUN = Belongs(_terminals_thd, "There is no request {id} to compare attendance records.")


_EASTERNMOST = datetime.timedelta(hours=14)
"""Offset of the time zone where days begin first."""


def _check(body: CompletenessRequest, now: int) -> None:
    """Raise `ValueError` for days that contradict each other, or that have begun nowhere."""
    if body.days is not None and (body.since is not None or body.until is not None):
        raise ValueError(Phrase("days: give either `days`, or `since` and `until`."))
    if body.until is not None and body.since is None:
        raise ValueError(Phrase("until: needs `since`."))
    first, last = _day("since", body.since), _day("until", body.until)
    if first is not None and last is not None:
        if last < first:
            raise ValueError(Phrase("until: is before `since`."))
        if (last - first).days >= MOST_DAYS:
            raise ValueError(
                counted_phrase(
                    "until: at most %(num)s day at once.",
                    "until: at most %(num)s days at once.",
                    MOST_DAYS,
                )
            )
    here = datetime.datetime.fromtimestamp(now / 1000, datetime.UTC)
    latest = str((here + _EASTERNMOST).date())
    for name, day in (("since", first), ("until", last)):
        if day is not None and str(day) > latest:
            raise ValueError(
                Phrase(
                    "%(name)s: %(day)s has not begun; choose a day before today.",
                    name=name,
                    day=str(day),
                )
            )


def _day(name: str, text: str | None) -> datetime.date | None:
    try:
        return None if text is None else datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError(
            Phrase(
                "%(name)s: %(text)s is not a day such as 2026-03-01.", name=name, text=repr(text)
            )
        ) from None


def _devices_thd(tx: Transaction, body: CompletenessRequest, caller: Caller) -> list[Device]:
    keys = [one.id for one in targets_thd(tx, body, caller)]
    found = {device.id: device for device in tx[DeviceStore].with_keys(keys)}
    return [found[key] for key in keys]


def _counts(device: Device, body: CompletenessRequest, run: str, now: int) -> list[NewCount]:
    """Return the counts of a terminal; ended ones if it cannot be asked."""
    reason = unfit(device)
    return [
        NewCount(
            device_id=device.id,
            day=day,
            run=run,
            not_before_at=now,
            deadline_at=now + 1000 * body.expires_in,
            state=CountState.WAITING if reason is None else CountState.UNSUPPORTED,
            detail=reason,
        )
        for day in _days(device, body, now)
    ]


def _days(device: Device, body: CompletenessRequest, now: int) -> list[str]:
    first = _day("since", body.since)
    if first is None:
        return days_before(now, device.timezone, body.days or 1)
    last = _day("until", body.until) or first
    return [str(first + datetime.timedelta(days=more)) for more in range((last - first).days + 1)]


def _filter(query: VerifyQuery) -> CountFilter:
    for name, text in (("since", query.since), ("until", query.until)):
        _day(name, text)
    return CountFilter(
        device=query.device,
        state=None if query.state is None else STATES[query.state],
        run=query.run,
        since=query.since,
        until=query.until,
    )

"""The start page: problems first, then terminals, punches of today, and open work."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from zoneinfo import ZoneInfo

import attrs
import msgspec

from ...manage.console.mending import shown_problems
from ...manage.console.pages import (
    ConsolePage,
    ConsoleRoute,
    LivePart,
    NavGroup,
    NavPlace,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...manage.views import ProblemView
from ...model import DeviceState, Page
from ...persist.commandhistory import CommandHistory
from ...persist.devices import DeviceStore
from ...persist.limits import AreaLimitStore
from ...persist.rejects import RejectStore
from ...persist.transaction import Transaction
from ...protocol.codes import AttendanceState, RecordType
from ...protocol.fields import Scope
from ..attendance.model import CheckFigures, Punch, PunchFilter, claim_to
from ..attendance.store import AttendanceStore
from ..forward.model import ForwardFigures
from ..people.model import PunchClaim
from ..people.store import ClaimStore, Holders, PeopleStore

MOST_PROBLEMS = 20
"""Problems of terminals, and of the server, that are shown."""
MOST_WAITING = 5
"""Waiting terminals that are named."""
NEWEST = 9
"""Punches in the feed."""


@attrs.frozen
class FeedPunch:
    """A punch in the feed."""

    punch: Punch
    wall: datetime.datetime
    """Wall clock time in the zone of the visit, or that of the terminal if its zone is unknown."""
    name: str | None
    """Name of the person."""
    has_page: bool
    """Whether the account that sees the punch may see the page of the person."""
    meaning: Phrase | None
    """Check in, check out and the like; None if no state was chosen."""
    claim: PunchClaim | None
    """That the terminal had somebody else under the user ID, whose it is or may be."""
    photo: int | None
    """Id of the photo taken with it; None without one, or if the visit may not see photos."""
    earlier: int | None
    """Number of an earlier holder of the user ID, whose punch it is; None for the present one."""
    instead: Phrase | None
    """Words in place of the name, if nobody has the user ID."""


@attrs.frozen
class HourBar:
    """A bar of the chart."""

    hour: int
    count: int
    height: int
    """Height in percent of the highest bar."""


class OverviewPages:
    """The start page and its live parts."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._registry = services.registry
        self._forwarders = services.offers[ForwardFigures]
        self._to_check = services.offers[CheckFigures]

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and its live parts."""
        return [
            ConsolePage(
                path="/",
                title=Phrase("Overview"),
                scope=Scope.ATTENDANCE,
                run=self.show,
                nav=NavPlace(NavGroup.DAILY, 10, "home"),
                limited=(),
            ),
            LivePart(
                name="overview-problems",
                run=self.problems_part,
                kinds=("problem", "device"),
                every=30.0,
                limited=(),
            ),
            LivePart(
                name="overview-counts",
                run=self.counts_part,
                kinds=("device", "command"),
                every=15.0,
                scope=Scope.ATTENDANCE,
                limited=(),
            ),
            LivePart(
                name="overview-punches",
                run=self.punches_part,
                kinds=("attendance", "user"),
                scope=Scope.ATTENDANCE,
                limited=(),
            ),
        ]

    async def show(self, visit: Visit) -> View:
        """Show everything."""
        sees_problems = visit.allows(Scope.READ)
        values = {
            **(await self._problems(visit) if sees_problems else {}),
            **await self._counts(visit),
            **await self._punches(visit),
            **await self._days(visit),
        }
        live = ["overview-counts", "overview-punches"]
        if sees_problems:
            live = ["overview-problems", *live]
        return View(template="overview.html", values=values, live=live)

    async def problems_part(self, visit: Visit, argument: str | None) -> View:
        """Show the problems."""
        return View(template="_problems.html", values=await self._problems(visit))

    async def counts_part(self, visit: Visit, argument: str | None) -> View:
        """Show the numbers."""
        return View(template="_counts.html", values=await self._counts(visit))

    async def punches_part(self, visit: Visit, argument: str | None) -> View:
        """Show the punches of today."""
        return View(template="_punches.html", values=await self._punches(visit))

    async def _problems(self, visit: Visit) -> Mapping[str, object]:
        areas = visit.areas
        server = [] if areas is not None else await self._services.problems.of_server()

        def find(tx: Transaction) -> tuple[list[ProblemView], list[str], bool]:
            store = tx[DeviceStore]
            devices = store.with_problems(Page(MOST_PROBLEMS, areas=areas))
            pending = store.search(Page(MOST_WAITING, areas=areas), state=DeviceState.PENDING.value)
            found = [view for device in devices for view in ProblemView.of_device(device)]
            has_terminals = bool(store.search(Page(1, areas=areas)))
            return found, [device.sn for device in pending], has_terminals

        of_terminals, waiting, has_terminals = await self._store.read(find)
        views = [*map(ProblemView.of_server, server[:MOST_PROBLEMS]), *of_terminals]
        return {
            "problems": shown_problems(views[:MOST_PROBLEMS]),
            "more_problems": len(views) - MOST_PROBLEMS,
            "waiting": waiting,
            "has_terminals": has_terminals,
        }

    async def _counts(self, visit: Visit) -> Mapping[str, object]:
        window, areas = self._registry.online_window(), visit.areas

        def find(tx: Transaction) -> Mapping[str, object]:
            states = tx[DeviceStore].counts(window, areas)
            total, online = states.get(DeviceState.APPROVED.value, (0, 0))
            return {
                "online": online,
                "offline": total - online,
                "pending": states.get(DeviceState.PENDING.value, (0, 0))[0],
                "commands": sum(tx[CommandHistory].count_open(areas).values()),
                "rejects": sum(tx[RejectStore].counts(areas).values()),
                "deliveries": None if areas is not None else self._forwarders.totals_thd(tx),
            }

        return await self._store.read(find)

    async def _days(self, visit: Visit) -> Mapping[str, object]:
        today = datetime.datetime.fromtimestamp(self._services.now() / 1000, visit.zone).date()
        return {
            "days": await self._store.read(
                lambda tx: self._to_check.recent_thd(tx, visit.zone, today, visit.areas)
            )
        }

    async def _punches(self, visit: Visit) -> Mapping[str, object]:
        now = datetime.datetime.fromtimestamp(self._services.now() / 1000, visit.zone)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        since = int(midnight.timestamp())

        def find(tx: Transaction) -> tuple[list[int], list[FeedPunch]]:
            store = tx[AttendanceStore]
            only = PunchFilter(record_type=RecordType.ATTENDANCE)
            newest = store.page(Page(NEWEST, newest_first=True, areas=visit.areas), only)
            pins = {punch.pin for punch in newest}
            holders = tx[PeopleStore].holders(pins, visit.areas)
            mine = pins if visit.areas is None else tx[AreaLimitStore].people(pins, visit.areas)
            photos = store.photos_beside(newest) if visit.allows(Scope.BIOMETRICS) else {}
            claims = tx[ClaimStore].by_place(mine)
            return store.hours(since, 24, visit.areas), _feed(
                newest, visit.zone, holders, mine, claims, photos
            )

        hours, feed = await self._store.read(find)
        most = max(*hours, 1)
        return {
            "feed": feed,
            "day": now.date(),
            "today": sum(hours),
            "bars": [
                HourBar(hour, count, max(round(100 * count / most), 2 if count else 0))
                for hour, count in enumerate(hours)
            ],
        }


def _feed(
    punches: Sequence[Punch],
    zone: ZoneInfo,
    holders: Holders,
    with_page: Collection[str],
    claims: Mapping[tuple[str, str], Sequence[PunchClaim]],
    photos: Mapping[int, int],
) -> list[FeedPunch]:
    feed = []
    for punch in punches:
        whose = holders.at(punch.pin, punch.utc)
        feed.append(
            FeedPunch(
                punch,
                punch.wall(zone),
                whose.name,
                whose.has_page(punch.pin in with_page),
                _meaning(msgspec.structs.asdict(punch).get("status")),
                claim_to(punch, whose.name, claims),
                photos.get(punch.id),
                whose.earlier,
                whose.instead if whose.is_unknown else None,
            )
        )
    return feed


def _meaning(status: int | None) -> Phrase | None:
    if status is None or status == AttendanceState.NONE_CHOSEN:
        return None
    return Phrase(AttendanceState(status).meaning)


def pages(services: Services) -> list[ConsoleRoute]:
    """The start page."""
    return OverviewPages(services).routes()

"""The page of the audit log."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Annotated, Self
from urllib.parse import urlencode

import attrs
import msgspec
from msgspec import Meta

from ...manage.console.actors import actor_phrase
from ...manage.console.days import NO_DAY, NO_PERIOD, typed_midnight
from ...manage.console.forms import FormEntry
from ...manage.console.pages import (
    ConsolePage,
    ConsoleRoute,
    NavGroup,
    NavPlace,
    View,
    of_whole_site,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...model import Page
from ...persist.audit import AuditStore
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from ...values.audit import AuditRecord
from ..people.model import CHANGE_PERSON
from ..people.store import Holders, PeopleStore
from .changes import detail_phrase
from .filtering import actors_thd, person_thd, suggested_terminals_thd, terminal_thd
from .grouping import grouped
from .naming import readable, subject_pages_thd, subject_phrase
from .orders import OrderWords
from .wording import ACTIONS, action_options

LIMITED = Phrase("Your account is limited to areas, and the audit log is of the whole site.")
"""Why it is refused to limited accounts."""
MOST_SHOWN = 300
"""Characters of a text that are shown."""
PER_PAGE = 40
"""Lines on a page."""
MOST_SUGGESTED = 100
"""Maximum number of terminals that are suggested."""
MOST_READ = 400
"""Maximum number of records that are read for a page."""
_Text = Annotated[str, Meta(max_length=200)]
_FILTERS = ("since", "until", "device", "actor", "action", "pin")


class AuditSearch(msgspec.Struct, frozen=True):
    """Filter of the audit log: days in the zone of the visit, and texts as the page shows them."""

    since: _Text = ""
    until: _Text = ""
    device: _Text = ""
    actor: _Text = ""
    action: _Text = ""
    pin: _Text = ""
    before: int | None = None


@attrs.frozen
class ShownRecord:
    """A record in words that can be translated."""

    stored: AuditRecord
    action: str
    subject: str
    detail: str
    more: int
    """Number of further records in the same line."""
    first_at: int
    """When the first record of the line was added, in milliseconds."""

    @classmethod
    def of(cls, line: Sequence[AuditRecord], pins: Mapping[str, str], orders: OrderWords) -> Self:
        """Find the declared sentences of the newest record of a line.

        `pins` are the user IDs of people by their pseudonyms.
        """
        record = line[0]
        detail = readable(record.detail or "", pins)[:MOST_SHOWN]
        return cls(
            stored=record,
            action=ACTIONS.phrase(record.action[:MOST_SHOWN]),
            subject=subject_phrase(record, pins, MOST_SHOWN),
            detail=detail_phrase(detail, functools.partial(orders.phrase, record.action)),
            more=len(line) - 1,
            first_at=min(one.at for one in line),
        )


@attrs.frozen
class Found:
    """Records, and what they name."""

    records: Sequence[AuditRecord] = ()
    pins: Mapping[str, str] = attrs.field(factory=dict)
    """User IDs of people by their pseudonyms."""
    holders: Holders = attrs.field(factory=lambda: Holders({}, (), {}))
    """Who has, and who had, the user IDs."""
    subject_pages: Mapping[str, str] = attrs.field(factory=dict)
    """Paths of the pages of what records are about, by subject."""
    suggested: tuple[Sequence[str], Sequence[str]] = ((), ())
    """Actors, and names and serial numbers of terminals, to choose from."""


class AuditPages:
    """The audit log."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._orders = OrderWords(services.catalogue)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page."""
        return [
            ConsolePage(
                path="/audit",
                title=Phrase("Audit log"),
                scope=Scope.ADMIN,
                run=self.list,
                query=AuditSearch,
                nav=NavPlace(NavGroup.SERVER, 50, "audit"),
            )
        ]

    async def list(self, visit: Visit, query: AuditSearch) -> View:
        """List records, the newest first.

        Some are added late, since repeated ones are added as one record.
        """
        wrong: dict[str, str] = {}
        since = _midnight(visit, query.since, 0, "since", wrong)
        until = _midnight(visit, query.until, 1, "until", wrong)
        if since is not None and until is not None and since >= until:
            wrong["until"] = NO_PERIOD
        part = Page(MOST_READ + 1, before=query.before, newest_first=True)

        def find_thd(tx: Transaction) -> Found:
            store = tx[AuditStore]
            actors = actors_thd(tx, query.actor, visit.said, wrong)
            device = terminal_thd(tx, query.device, wrong)
            pin = person_thd(tx, query.pin, wrong)
            suggested = store.actors(), suggested_terminals_thd(tx, MOST_SUGGESTED)
            if wrong:
                return Found(suggested=suggested)
            found = store.page(
                part,
                since,
                until,
                action=query.action or None,
                pin=pin,
                device=device,
                actors=actors,
            )
            pins = {pin for one in found for pin in one.pins}
            return Found(
                found,
                {store.person(pin): pin for pin in pins},
                tx[PeopleStore].holders(pins),
                subject_pages_thd(tx, {one.subject for one in found}),
                suggested,
            )

        read = await self._store.read(find_thd)
        found = read.records
        # A reader who chooses an action wants to see each record of it.
        lines = grouped(found[:MOST_READ], is_each=bool(query.action))[:PER_PAGE]
        shown = [
            ShownRecord.of(line, read.pins, self._orders)
            for line in sorted(lines, key=lambda line: line[0].at, reverse=True)
        ]
        kept = {name: text for name in _FILTERS if (text := getattr(query, name))}
        more = None
        if sum(map(len, lines)) < len(found):
            more = {**kept, "before": lines[-1][-1].id}
        return View(
            template="audit.html",
            values={
                "entry": FormEntry({name: [getattr(query, name)] for name in _FILTERS}, (), wrong),
                "records": shown,
                "changes_person": CHANGE_PERSON,
                "holders": read.holders,
                "subject_pages": read.subject_pages,
                "is_filtered": bool(kept),
                "actors": sorted({visit.said(actor_phrase(one)) for one in read.suggested[0]}),
                "terminals": read.suggested[1],
                "actions": action_options(visit.said, query.action),
                "next_query": None if more is None else urlencode(more),
                "first_query": None if query.before is None else urlencode(kept),
            },
        )


def _midnight(visit: Visit, text: str, days: int, name: str, wrong: dict[str, str]) -> int | None:
    """Return the begin (ms) of a day, or of one some days later; None for no day."""
    try:
        begin = typed_midnight(text, visit.zone, days)
    except ValueError:
        wrong[name] = NO_DAY
        return None
    return None if begin is None else begin * 1000


def pages(services: Services) -> list[ConsoleRoute]:
    """The page of the audit log."""
    return of_whole_site(AuditPages(services).routes(), LIMITED)

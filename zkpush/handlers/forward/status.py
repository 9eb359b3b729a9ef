"""What forwarders have still to deliver, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ...manage.news import Cursor, RecordSource
from ...manage.times import instant, parse_instant
from ...model import Page
from ...persist.events import EventStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase
from ...problems import ServerProblem
from .handler import DEAD_LETTERS, FAILING, STOPPED, UNUSABLE
from .model import ForwarderBacklog, ForwarderState, ForwardTotals, StoredForwarder
from .reading import ends_thd, lag, shown_tables
from .store import ForwarderStore
from .wording import DELIVERY_WORDS

FAILING_AFTER = 5 * 60 * 1000
"""Milliseconds of failures after which they are a problem."""
EVERYTHING = Page(10_000)


def backlogs_thd(tx: Transaction, records: RecordSource) -> dict[int, ForwarderBacklog]:
    """Return the backlog of each forwarder."""
    store = tx[ForwarderStore]
    found = store.page(EVERYTHING)
    if not found:
        return {}
    ends, queued, dead = ends_thd(tx, records), store.queued(), store.dead_counts()
    backlogs = {}
    for one in found:
        count, first = queued.get(one.id, (0, None))
        unread = lag(one, shown_tables(one, records), ends)
        oldest = None if first is None else _milliseconds(first)
        if oldest is None and unread:
            oldest = _oldest_thd(tx, one, records)
        backlogs[one.id] = ForwarderBacklog(
            count=count + unread, oldest_at=oldest, dead=dead.get(one.id, 0)
        )
    return backlogs


def _milliseconds(text: str) -> int:
    return parse_instant(text) * 1000


def _oldest_thd(tx: Transaction, stored: StoredForwarder, records: RecordSource) -> int | None:
    """Return when the first row that a forwarder has not looked at was stored (ms)."""
    tables, after = shown_tables(stored, records), Cursor(stored.event_cursor, stored.record_cursor)
    times = []
    if tables.events:
        times += [one.at for one in tx[EventStore].page(Page(1, after.event))]
    if tables.records:
        times += [one.received_at for one in records.read_thd(tx, Page(1, after.record))]
    return min(times, default=None)


def totals_thd(tx: Transaction, records: RecordSource) -> ForwardTotals:
    """Return the figures of all forwarders together."""
    found, backlogs = tx[ForwarderStore].page(EVERYTHING), backlogs_thd(tx, records)
    times = [one.oldest_at for one in backlogs.values() if one.oldest_at is not None]
    return ForwardTotals(
        backlog=sum(one.count for one in backlogs.values()),
        oldest_at=min(times, default=None),
        dead=sum(one.dead for one in backlogs.values()),
        failing=sum(one.tries > 0 or one.state is ForwarderState.STOPPED for one in found),
        delivered=sum(one.delivered for one in found),
    )


def problems_thd(
    tx: Transaction, records: RecordSource, kinds: Collection[str], now: int
) -> Iterable[ServerProblem]:
    """Return the problems of forwarders; `kinds` are the installed ones."""
    store = tx[ForwarderStore]
    dead = store.dead_counts()
    for one in store.page(EVERYTHING):
        subject = Phrase("forwarder %(name)s", name=one.name)
        if one.kind not in kinds or one.damaged:
            why = (
                Phrase("Cannot run: its stored settings are damaged.")
                if one.damaged
                else Phrase("Cannot run: no %(kind)s is installed.", kind=one.kind)
            )
            yield ServerProblem(
                code=UNUSABLE,
                subject=subject,
                detail=why,
                since_at=one.created_at,
            )
        if one.state is ForwarderState.STOPPED:
            yield ServerProblem(
                code=STOPPED,
                subject=subject,
                detail=Phrase(
                    "Stopped: %(reason)s", reason=DELIVERY_WORDS.phrase(one.reason or "")
                ),
                since_at=one.last_error_at or now,
            )
        elif one.failing_since_at is not None and now - one.failing_since_at >= FAILING_AFTER:
            detail = counted_phrase(
                "%(num)s attempt failed: %(error)s",
                "%(num)s attempts in a row failed; the last: %(error)s",
                one.tries,
                error=DELIVERY_WORDS.phrase(one.last_error or ""),
            )
            if one.next_at is not None:
                detail = Phrase(
                    "%(failures)s. The next one is at %(at)s",
                    failures=detail,
                    at=instant(one.next_at),
                )
            yield ServerProblem(
                code=FAILING, subject=subject, detail=detail, since_at=one.failing_since_at
            )
        if dead.get(one.id):
            yield ServerProblem(
                code=DEAD_LETTERS,
                subject=subject,
                detail=counted_phrase(
                    "%(num)s event was given up.", "%(num)s events were given up.", dead[one.id]
                ),
                since_at=one.last_error_at or now,
            )

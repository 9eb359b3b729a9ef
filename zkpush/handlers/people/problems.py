"""Problems about people, read from the database."""

from __future__ import annotations

from collections.abc import Iterator

from ...model import Page
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase, with_more
from ...problems import ProblemCode, ServerProblem
from .contradictions import ConflictStore
from .editing import conflict_words
from .model import Removal
from .removals import RemovalStore

_NAMED = 20
"""Most people named in one problem."""
_QUOTED = 10
"""Most people named in the problem about all conflicts."""


def problems_thd(tx: Transaction) -> Iterator[ServerProblem]:
    """Return the problem of open conflicts, and of each terminal that still has removed people."""
    yield from _conflicts_thd(tx)
    by_device: dict[str, list[Removal]] = {}
    for removal in tx[RemovalStore].still_there():
        by_device.setdefault(removal.device, []).append(removal)
    for sn, removals in by_device.items():
        pins = ", ".join(one.pin for one in removals[:_NAMED])
        more = len(removals) - _NAMED
        yield ServerProblem(
            code=ProblemCode.REMOVED_PERSON,
            subject=Phrase("terminal %(sn)s", sn=sn),
            sn=sn,
            detail=Phrase(
                "Terminal %(sn)s still has removed users: %(pins)s",
                sn=sn,
                pins=pins if more < 1 else with_more(pins, more),
            ),
            since_at=min(one.at for one in removals),
            mark=max(one.at for one in removals),
        )


def _conflicts_thd(tx: Transaction) -> Iterator[ServerProblem]:
    """Return one problem for all open conflicts: an area with another list of people has hundreds,
    and they are settled from their own list."""
    store = tx[ConflictStore]
    first, last = store.page(Page(1)), store.page(Page(1, newest_first=True))
    if not first:
        return
    count, users = store.count()
    newest = Phrase("%(words)s (conflict %(id)s)", words=conflict_words(last[0]), id=last[0].id)
    about = counted_phrase("%(num)s user", "%(num)s users", users)
    pins, more = ", ".join(store.pins(_QUOTED)), users - _QUOTED
    several = Phrase(
        "%(conflicts)s about %(users)s: %(pins)s. The newest: %(newest)s.",
        conflicts=counted_phrase("%(num)s conflict", "%(num)s conflicts", count),
        users=about,
        pins=pins if more < 1 else with_more(pins, more),
        newest=newest,
    )
    yield ServerProblem(
        code=ProblemCode.CONFLICT,
        subject=Phrase("people"),
        detail=Phrase("1 conflict about %(users)s: %(newest)s.", users=about, newest=newest)
        if count == 1
        else several,
        since_at=first[0].at,
        mark=store.last_id(),
    )

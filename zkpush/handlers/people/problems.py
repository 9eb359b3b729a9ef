"""Problems about people, read from the database."""

from __future__ import annotations

from collections.abc import Iterator

from ...model import Page
from ...persist.transaction import Transaction
from ...problems import ProblemCode, ServerProblem
from .contradictions import ConflictStore
from .editing import conflict_words
from .model import Removal
from .persons import PersonStore

_NAMED = 20
"""Most people named in one problem."""
_QUOTED = 10
"""Most people named in the problem about all conflicts."""


def problems_thd(tx: Transaction) -> Iterator[ServerProblem]:
    """Return the problem of open conflicts, and of each terminal that still has removed people."""
    people = tx[PersonStore]
    yield from _conflicts_thd(tx)
    by_device: dict[str, list[Removal]] = {}
    for removal in people.still_there():
        by_device.setdefault(removal.device, []).append(removal)
    for sn, removals in by_device.items():
        pins = ", ".join(one.pin for one in removals[:_NAMED])
        more = "" if len(removals) <= _NAMED else f" and {len(removals) - _NAMED} more"
        yield ServerProblem(
            code=ProblemCode.REMOVED_PERSON,
            subject=f"terminal {sn}",
            detail=f"Terminal {sn} still has removed users: {pins}{more}",
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
    conflicts = "1 conflict" if count == 1 else f"{count} conflicts"
    about = "1 user" if users == 1 else f"{users} users"
    newest = f"{conflict_words(last[0])} (conflict {last[0].id})"
    pins = ", ".join(store.pins(_QUOTED))
    more = "" if users <= _QUOTED else f" and {users - _QUOTED} more"
    yield ServerProblem(
        code=ProblemCode.CONFLICT,
        subject="people",
        detail=f"{conflicts} about {about}: {newest}."
        if count == 1
        else f"{conflicts} about {about}: {pins}{more}. The newest: {newest}.",
        since_at=first[0].at,
        mark=store.last_id(),
    )

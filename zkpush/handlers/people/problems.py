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
_QUOTED = 3
"""Most conflicts described in the problem about all of them."""


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
        )


def _conflicts_thd(tx: Transaction) -> Iterator[ServerProblem]:
    """Return one problem for all open conflicts: an area with another list of people has hundreds,
    and they are settled from their own list."""
    first = tx[ConflictStore].page(Page(_QUOTED))
    if not first:
        return
    count, users = tx[ConflictStore].count()
    quoted = "; ".join(f"{conflict_words(one)} (conflict {one.id})" for one in first)
    more = "" if count <= _QUOTED else f"; and {count - _QUOTED} more"
    conflicts = "1 conflict" if count == 1 else f"{count} conflicts"
    about = "1 user" if users == 1 else f"{users} users"
    yield ServerProblem(
        code=ProblemCode.CONFLICT,
        subject="people",
        detail=f"{conflicts} about {about}: {quoted}{more}.",
        since_at=first[0].at,
    )

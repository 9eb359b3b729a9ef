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

MOST = 200
"""Most conflicts listed as problems of their own."""
_NAMED = 20
"""Most people named in one problem."""


def problems_thd(tx: Transaction) -> Iterator[ServerProblem]:
    """List open conflicts, and terminals that still have removed people."""
    people = tx[PersonStore]
    for one in tx[ConflictStore].page(Page(MOST)):
        yield ServerProblem(
            code=ProblemCode.CONFLICT,
            subject=f"user {one.pin}",
            detail=f"{conflict_words(one)} (conflict {one.id})",
            since_at=one.at,
        )
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

"""Problems about people, read from the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...model import Page
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase, sentences, with_more
from ...problems import ProblemCode, ServerProblem
from .conflictapi import conflict_words
from .contradictions import ConflictStore
from .erased import ErasedPeople
from .model import Removal
from .removals import RemovalStore
from .strangers import StrangerStore

_NAMED = 20
"""Most people named in one problem."""
_QUOTED = 10
"""Most people named in the problem about all conflicts."""


def problems_thd(tx: Transaction) -> Iterator[ServerProblem]:
    """Return the problem of open conflicts, and of each terminal that still has people who were
    removed or erased, or others under their user IDs."""
    yield from _conflicts_thd(tx)
    removed = _by_device(tx[RemovalStore].still_there())
    others = _by_device(tx[StrangerStore].still_there())
    erased = {one.sn: one for one in tx[ErasedPeople].refusing()}
    for sn in dict.fromkeys([*removed, *others, *erased]):
        said = []
        if sn in removed:
            pins = _pins(removed[sn])
            said.append(
                Phrase("Terminal %(sn)s still has removed users: %(pins)s", sn=sn, pins=pins)
            )
        if sn in others:
            pins = _pins(others[sn])
            said.append(
                counted_phrase(
                    "Terminal %(sn)s still has somebody else under the user ID %(pins)s",
                    "Terminal %(sn)s still has others under %(num)s user IDs: %(pins)s",
                    len(others[sn]),
                    sn=sn,
                    pins=pins,
                )
            )
        times = [one.at for one in (*removed.get(sn, ()), *others.get(sn, ()))]
        if sn in erased:
            refusal = erased[sn]
            said.append(
                Phrase(
                    "Terminal %(sn)s refuses to delete %(people)s (return code %(code)s); it is "
                    "asked again by itself, at the latest after a day",
                    sn=sn,
                    people=counted_phrase(
                        "%(num)s erased person", "%(num)s erased people", refusal.people
                    ),
                    code=refusal.return_code,
                )
            )
            times += [refusal.since_at, refusal.mark]
        yield ServerProblem(
            code=ProblemCode.REMOVED_PERSON,
            subject=Phrase("terminal %(sn)s", sn=sn),
            sn=sn,
            detail=sentences(said) if len(said) > 1 else said[0],
            since_at=min(times),
            mark=max(times),
        )


def _by_device(removals: Iterable[Removal]) -> dict[str, list[Removal]]:
    found: dict[str, list[Removal]] = {}
    for one in removals:
        found.setdefault(one.device, []).append(one)
    return found


def _pins(removals: Sequence[Removal]) -> str:
    pins = ", ".join(one.pin for one in removals[:_NAMED])
    more = len(removals) - _NAMED
    return pins if more < 1 else with_more(pins, more)


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

"""Problems of the distribution of people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase, sentences, with_more
from ...problems import ProblemCode, ServerProblem
from .distribution import DistributionStore
from .drift import LASTING, words_of
from .driftstore import DriftStore
from .model import PlacedPart
from .places import PlaceStore

MOST = 1000
"""Parts that are looked at."""
_NAMED = 10
"""People named in one problem."""


def problems_thd(tx: Transaction) -> Iterator[ServerProblem]:
    """List terminals whose deletions wait, those that lack people, and those that count others."""
    store = tx[PlaceStore]
    guarded = store.all_guarded()
    troubled: dict[int, list[PlacedPart]] = {}
    for part in store.troubled(MOST, conflicts=False):
        troubled.setdefault(part.device_id, []).append(part)
    drifts = {key: one for key, one in tx[DriftStore].all().items() if one.differs is not None}
    keys = {*guarded, *troubled, *drifts}
    if not keys:
        return
    devices = {device.id: device for device in tx[DeviceStore].with_keys(keys)}
    terminals = tx[DistributionStore].terminals()
    for key, waiting in guarded.items():
        terminal = terminals.get(key)
        if terminal is None or not store.is_held_back(key):
            continue
        yield ServerProblem(
            code=ProblemCode.DELETIONS_WAIT,
            subject=Phrase("terminal %(sn)s", sn=devices[key].sn),
            sn=devices[key].sn,
            detail=counted_phrase(
                "%(num)s person is not in the area %(area)s and would be deleted from "
                "terminal %(sn)s",
                "%(num)s people are not in the area %(area)s and would be deleted from "
                "terminal %(sn)s",
                waiting.people,
                area=terminal.area,
                sn=devices[key].sn,
            ),
            since_at=terminal.due_at,
            mark=waiting.newest_at,
        )
    for key, parts in troubled.items():
        kept = {part.pin for part in parts if part.wanted is None}
        lacking = {part.pin for part in parts if part.wanted is not None}
        said = [
            *([_lacking(devices[key].sn, sorted(lacking))] if lacking else []),
            *([_kept(devices[key].sn, sorted(kept))] if kept else []),
        ]
        yield ServerProblem(
            code=ProblemCode.NOT_DISTRIBUTED,
            subject=Phrase("terminal %(sn)s", sn=devices[key].sn),
            sn=devices[key].sn,
            detail=sentences(said) if len(said) > 1 else said[0],
            since_at=min(part.updated_at for part in parts),
            mark=max(part.updated_at for part in parts),
        )
    for key, drift in drifts.items():
        if drift.since_at is not None and drift.since_at <= tx.now() - LASTING:
            yield ServerProblem(
                code=ProblemCode.DRIFT,
                subject=Phrase("terminal %(sn)s", sn=devices[key].sn),
                sn=devices[key].sn,
                detail=Phrase(
                    "Terminal %(sn)s counts %(numbers)s",
                    sn=devices[key].sn,
                    numbers=words_of(drift.differences),
                ),
                since_at=drift.since_at,
            )


def _lacking(sn: str, pins: Sequence[str]) -> Phrase:
    if len(pins) == 1:
        return Phrase("Terminal %(sn)s lacks parts of user %(pin)s", sn=sn, pin=pins[0])
    return Phrase("Terminal %(sn)s lacks parts of users %(pins)s", sn=sn, pins=_named(pins))


def _kept(sn: str, pins: Sequence[str]) -> Phrase:
    return Phrase(
        "Terminal %(sn)s has not deleted users who do not belong there: %(pins)s; the deletion is "
        "tried again by itself, at the latest after a day",
        sn=sn,
        pins=_named(pins),
    )


def _named(pins: Sequence[str]) -> str | Phrase:
    named, more = ", ".join(pins[:_NAMED]), len(pins) - _NAMED
    return named if more < 1 else with_more(named, more)

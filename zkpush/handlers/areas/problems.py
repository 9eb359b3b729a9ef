"""Problems of the distribution of people."""

from __future__ import annotations

from collections.abc import Iterator

from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...problems import ProblemCode, ServerProblem
from .drift import LASTING, words_of
from .driftstore import DriftStore
from .model import PlacedPart
from .places import DistributionStore, PlaceStore

MOST = 1000
"""Parts that are looked at."""
_NAMED = 10
"""People named in one problem."""


def problems_thd(tx: Transaction) -> Iterator[ServerProblem]:
    """List terminals whose deletions wait, those that lack people, and those that count others."""
    store = tx[PlaceStore]
    guarded = store.all_guarded()
    troubled: dict[int, list[PlacedPart]] = {}
    for part in store.troubled(MOST):
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
            subject=f"terminal {devices[key].sn}",
            detail=f"{waiting.people} people are not in the area {terminal.area} and would be "
            f"deleted from terminal {devices[key].sn}",
            since_at=terminal.due_at,
            mark=waiting.newest_at,
        )
    for key, parts in troubled.items():
        pins = sorted({part.pin for part in parts})
        named = ", ".join(pins[:_NAMED])
        more = "" if len(pins) <= _NAMED else f" and {len(pins) - _NAMED} more"
        yield ServerProblem(
            code=ProblemCode.NOT_DISTRIBUTED,
            subject=f"terminal {devices[key].sn}",
            detail=f"Terminal {devices[key].sn} lacks parts of users {named}{more}",
            since_at=min(part.updated_at for part in parts),
            mark=max(part.updated_at for part in parts),
        )
    for key, drift in drifts.items():
        if drift.since_at is not None and drift.since_at <= tx.now() - LASTING:
            yield ServerProblem(
                code=ProblemCode.DRIFT,
                subject=f"terminal {devices[key].sn}",
                detail=f"Terminal {devices[key].sn} counts {words_of(drift.differences)}",
                since_at=drift.since_at,
            )

"""Drift of the terminals of an area, together."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...model import Device
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ..people.store import PersonSurvey
from .confirming import area_terminals, unfetched_thd
from .drift import USERS, Drift, words_of, written
from .driftstore import DriftStore
from .store import AreaStore


@attrs.frozen
class AreaDrift:
    """What the terminals of an area hold, against what is recorded."""

    terminals: int
    """Number of approved terminals."""
    differing: Sequence[tuple[str, str, int | None]]
    """Serial numbers of those whose numbers differ, the numbers in words, and since when (ms)."""
    unfetched: int
    """Number of the others that count more people than are known: an area that distributes is only
    watched after some minutes, and while nothing is on its way."""
    asked: int
    """Number of terminals that are being asked, or are to be."""


def drifts_thd(tx: Transaction, area: str) -> list[tuple[Device, Drift]]:
    """Return the approved terminals of an area with their drifts, by serial number.

    Nobody watches those of areas that do not distribute: their numbers of people are compared now.
    """
    drifts = tx[DriftStore].all()
    devices = tx[DeviceStore].with_keys(area_terminals(tx, area))
    is_watched = area in tx[AreaStore].distributing()
    known = {} if is_watched else tx[PersonSurvey].people_on([one.id for one in devices])
    return [
        (
            one,
            drifts.get(one.id)
            or (Drift(device_id=one.id) if is_watched else _people_of(one, known.get(one.id, 0))),
        )
        for one in sorted(devices, key=lambda one: one.sn)
    ]


def _people_of(device: Device, known: int) -> Drift:
    counted = device.counts.get(USERS, known)
    differs = None if counted == known else written({USERS: (counted, known)})
    return Drift(device_id=device.id, differs=differs)


def area_drift_thd(tx: Transaction, area: str) -> AreaDrift:
    """Summarize the drift of an area."""
    found = drifts_thd(tx, area)
    differing = {device.sn for device, drift in found if drift.differences}
    unfetched = unfetched_thd(tx, [device.id for device, _ in found])
    return AreaDrift(
        len(found),
        [
            (device.sn, words_of(drift.differences), drift.since_at)
            for device, drift in found
            if drift.differences
        ],
        len(unfetched.keys() - differing),
        sum(drift.is_asked for _, drift in found),
    )

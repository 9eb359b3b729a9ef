"""The problem of a terminal that refuses access data."""

from __future__ import annotations

from ...model import Problem
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, in_series
from ...problems import ProblemCode
from .declared import BY_NAME
from .model import ENTRY, PlacedEntry
from .store import IssueStore

_NAMED = 5
"""Entries that the problem names."""


def update_problem(tx: Transaction, device_id: int, now: int) -> None:
    """Raise, update or clear the problem of a terminal.

    It stays while commands are open: an entry that is sent again has not been accepted yet.
    """
    device = tx[DeviceStore].get(device_id)
    known = next((one for one in device.problems if one.code == ProblemCode.ACCESS_REFUSED), None)
    refused = tx[IssueStore].refused(device_id, _NAMED + 1)
    if not refused:
        if known is not None and not tx[IssueStore].is_open(device_id):
            tx[DeviceStore].clear_problem(device_id, ProblemCode.ACCESS_REFUSED)
        return
    detail = _words(refused)
    if known is None or known.detail != detail:
        since = now if known is None else known.since_at
        raised = Problem(ProblemCode.ACCESS_REFUSED, detail, since)
        tx[DeviceStore].raise_problem(device_id, raised)


def _words(refused: list[PlacedEntry]) -> Phrase:
    parts: list[object] = [_refusal(one) for one in refused[:_NAMED]]
    if len(refused) > _NAMED:
        parts.append(Phrase("and others"))
    return in_series(parts)


def _refusal(place: PlacedEntry) -> Phrase:
    """Name an entry, and say why the terminal refuses it."""
    table = BY_NAME.get(place.table_name)
    entry = f"{place.table_name if table is None else table.one} {place.entry}"
    reason = place.reason or ""
    if place.part != ENTRY:
        return Phrase(
            "%(entry)s for user %(pin)s: %(reason)s", entry=entry, pin=place.part, reason=reason
        )
    if place.wanted is None:
        return Phrase("deletion of %(entry)s: %(reason)s", entry=entry, reason=reason)
    return Phrase("%(entry)s: %(reason)s", entry=entry, reason=reason)

"""What belongs on a terminal, and what follows from it: pure functions.

The comparison depends on present facts only: the entries of the area, and what the terminal was
told. No table of access data can be read back from a terminal, so an entry is *there* if the
terminal has executed the command with its present content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec

from ..areas.model import DELETED, PartState
from .entries import Name
from .model import ENTRY, PlacedEntry

_UNSENT = frozenset({PartState.WAITING, PartState.REFUSED, PartState.DOES_NOT_FIT})
_DECIDED = frozenset({PartState.REFUSED, PartState.DOES_NOT_FIT, PartState.UNKNOWN})


@attrs.frozen
class EntryComparison:
    """Places to store and to remove."""

    changed: Sequence[PlacedEntry]
    removed: Sequence[PlacedEntry]


def compare_entries(
    device_id: int,
    wanted: Mapping[Name, bytes],
    stored: Mapping[Name, PlacedEntry],
    now: int,
    *,
    again: bool,
) -> EntryComparison:
    """Compare a terminal with the entries of its area.

    `again` says that what was refused, did not fit or was not answered is to be sent again.
    """
    after = {
        name: _belonging(device_id, name, digest, stored.get(name), now, again=again)
        for name, digest in wanted.items()
    }
    removed = []
    for name, before in stored.items():
        if name in wanted:
            continue
        table, entry, part = name
        is_deleted_with = part != ENTRY and (table, entry, ENTRY) not in wanted
        if is_deleted_with or not _may_be_there(before):
            removed.append(before)
        else:
            after[name] = _leaving(before, now, again=again)
    changed = [place for name, place in after.items() if place != stored.get(name)]
    return EntryComparison(changed, removed)


def stopped(stored: Mapping[Name, PlacedEntry], now: int) -> EntryComparison:
    """Return what stays known on a terminal whose area does not distribute any more."""
    changed, removed = [], []
    for before in stored.values():
        if before.told is not None:
            there: dict[str, Any] = {"wanted": before.told, "state": PartState.THERE}
        elif before.command is not None:
            there = {"wanted": before.sent or None, "state": PartState.SENT}
        else:
            removed.append(before)
            continue
        changed.append(
            msgspec.structs.replace(before, **there, reason=None, tries=0, updated_at=now)
        )
    return EntryComparison(changed, removed)


def _belonging(
    device_id: int,
    name: Name,
    digest: bytes,
    before: PlacedEntry | None,
    now: int,
    *,
    again: bool,
) -> PlacedEntry:
    if before is None:
        table, entry, part = name
        return PlacedEntry(
            device_id=device_id,
            table_name=table,
            entry=entry,
            part=part,
            wanted=digest,
            state=PartState.WAITING,
            updated_at=now,
        )
    is_same = before.wanted == digest
    if before.command is not None and before.sent == digest:
        state = PartState.SENT
    elif before.command is None and before.told == digest:
        state = PartState.THERE
    elif is_same and before.state in _DECIDED and not again:
        return before
    else:
        state = PartState.WAITING
    if is_same and before.state is state:
        return before
    return msgspec.structs.replace(
        before, wanted=digest, state=state, reason=None, tries=0, updated_at=now
    )


def _may_be_there(before: PlacedEntry) -> bool:
    """A deletion that is not queued yet is for something that a terminal was sent."""
    is_sent = before.told is not None or before.command is not None
    return is_sent or before.wanted is None or before.state not in _UNSENT


def _leaving(before: PlacedEntry, now: int, *, again: bool) -> PlacedEntry:
    is_decided = before.state not in _DECIDED or not again
    if before.wanted is None and is_decided:
        return before
    is_open = before.command is not None and before.sent == DELETED
    state = PartState.SENT if is_open else PartState.WAITING
    return msgspec.structs.replace(
        before, wanted=None, state=state, reason=None, tries=0, updated_at=now
    )

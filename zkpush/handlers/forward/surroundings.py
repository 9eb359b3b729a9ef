"""What all workers of a process share, and what they hand to a plugin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import msgspec

from ...interfaces import IForwarder, IStore
from ...manage.news import RecordSource
from ...values.forwarding import ForwarderTarget
from .documents import StoredDocuments
from .model import StoredForwarder


@attrs.frozen(kw_only=True)
class Surroundings:
    """What all workers of a process share."""

    store: IStore
    clock: Any
    """The reactor, or a `Clock` in tests; its time is monotonic."""
    wall: Callable[[], float]
    """Returns the time of day, in seconds since the epoch."""
    owner: str
    """Name of this process in leases."""
    records: RecordSource
    chance: Callable[[], float]
    """Returns a random number from 0 to 1."""
    new_mark: Callable[[], str]
    """Returns the identity of a new batch."""
    own_folder: str
    """Path of the data directory."""

    def now(self) -> int:
        """Return the time, in milliseconds since the epoch."""
        return int(self.wall() * 1000)


def target_of(stored: StoredForwarder, kind: IForwarder, around: Surroundings) -> ForwarderTarget:
    """Return what a plugin gets to deliver to a receiver; `ValueError` for invalid settings."""
    settings = msgspec.convert(stored.settings, kind.settings)
    return ForwarderTarget(
        name=stored.name,
        settings=settings,
        secrets=lambda: stored.valid_secrets(around.now()),
        clock=around.clock,
        wall=around.wall,
        documents=StoredDocuments(around.store, stored.id),
        own_folder=around.own_folder,
    )

"""The problem of terminals that are connected, and do not fetch or do not answer commands.

A job looks every few seconds, in one process of the database. A terminal that is not connected is
another problem: then this one stays as it was.
"""

from __future__ import annotations

from typing import Any

from ...clock import wall_clock
from ...device.modes import takes_commands
from ...device.registry import Registry
from ...interfaces import IStore
from ...model import Device, DeviceState, Problem
from ...periodic import PeriodicService
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...problems import ProblemCode
from ..trace.model import LastRequests, last_poll
from .model import stuck_detail
from .store import QueueProgress

EVERY = 20.0
"""Seconds between checks."""


class QueueWatch(PeriodicService):
    """Raises and clears the problem of stuck queues."""

    def __init__(
        self, store: IStore, registry: Registry, requests: LastRequests, clock: Any
    ) -> None:
        super().__init__(clock)
        self._store = store
        self._registry = registry
        self._requests = requests
        self._wall = wall_clock(clock)
        self.every(EVERY, self.look, Phrase("Stuck commands are not noticed"))

    async def look(self) -> None:
        """Raise new problems and clear those that ended."""
        now = int(self._wall() * 1000)
        waiting = await self._store.read(lambda tx: tx[QueueProgress].waiting(now))
        for terminal in [*self._registry.terminals.values()]:
            device = terminal.device
            if device.id in waiting or _known(device) is not None:
                await self._settle(device, now)

    async def _settle(self, device: Device, now: int) -> None:
        """Make the problem of a terminal match its queue."""
        known = _known(device)
        found = await self._problem(device, now)
        if (known and known.detail) == (found and found.detail):
            return

        def unit(tx: Transaction) -> Device:
            if found is None:
                tx[DeviceStore].clear_problem(device.id, ProblemCode.QUEUE_STUCK)
            else:
                tx[DeviceStore].raise_problem(device.id, found)
            return tx[DeviceStore].get(device.id)

        try:
            self._registry.updated(await self._store.write(unit))
        except LookupError:  # the terminal was removed
            return

    async def _problem(self, device: Device, now: int) -> Problem | None:
        if device.state is not DeviceState.APPROVED or not takes_commands(device):
            return None
        stuck = await self._store.read(lambda tx: tx[QueueProgress].stuck(device.id, now))
        if stuck is None or not self._registry.is_online(device):
            return None if stuck is None else _known(device)
        polled_at = last_poll(await self._requests.of(device))
        detail = stuck_detail(stuck, polled_at, now)
        if detail is None:
            return None
        return Problem(ProblemCode.QUEUE_STUCK, detail, stuck.queued_at)


def _known(device: Device) -> Problem | None:
    """Return the problem that a terminal has now."""
    return next((one for one in device.problems if one.code == ProblemCode.QUEUE_STUCK), None)

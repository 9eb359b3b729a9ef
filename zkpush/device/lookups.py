"""Batched look-ups of terminals: concurrent requests share one query."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from ..interfaces import IStore
from ..model import Device
from ..persist.commandschedule import CommandSchedule
from ..persist.devices import DeviceStore
from ..persist.transaction import Transaction

Found = tuple[Device | None, int | None]
"""The terminal, None if not stored; and the time (ms) its next command is due, or None."""
_NOT_FOUND: Found = (None, None)


class StoreLookups:
    """Looks up terminals; requests that arrive during a query share the next one."""

    def __init__(self, store: IStore, clock: IReactorTime) -> None:
        self._store = store
        self._clock = clock
        self._waiting: dict[str, list[Deferred[Found]]] = {}
        self._runs = False

    def find(self, sn: str) -> Deferred[Found]:
        """Look up a serial number in the next query."""
        asker: Deferred[Found] = Deferred()
        self._waiting.setdefault(sn, []).append(asker)
        if not self._runs:
            self._runs = True
            self._clock.callLater(0, self._begin)
        return asker

    def _begin(self) -> None:
        batch, self._waiting = self._waiting, {}
        Deferred.fromCoroutine(self._read(batch)).addBoth(self._finish, batch)

    async def _read(self, serials: Collection[str]) -> Mapping[str, Found]:
        found: Mapping[str, Found] = await self._store.read(lambda tx: _find_all(tx, serials))
        return found

    def _finish(
        self, outcome: Mapping[str, Found] | Failure, batch: Mapping[str, list[Deferred[Found]]]
    ) -> None:
        self._runs = bool(self._waiting)
        if self._runs:
            self._clock.callLater(0, self._begin)
        for sn, askers in batch.items():
            for asker in askers:
                if isinstance(outcome, Failure):
                    asker.errback(outcome)
                else:
                    asker.callback(outcome.get(sn, _NOT_FOUND))


def _find_all(tx: Transaction, serials: Collection[str]) -> Mapping[str, Found]:
    return {
        device.sn: (device, tx[CommandSchedule].next_due(device.id))
        for device in tx[DeviceStore].find_all(serials)
    }

"""Automatic retry of rejects after changes that may make them readable.

For each terminal with rejects, a job compares the current reader with the one that last tried them
(`RejectReader.reader_of`). The reader changes with an upgrade, a new handler or table, and the
zone, encoding or version of the terminal. The job runs in one process of the database.
"""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from ...interfaces import IStore
from ...model import Device
from ...periodic import PeriodicService
from ...persist.devices import DeviceStore
from ...persist.rejects import RejectStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...values.setaside import RejectSelection
from .reading import RejectReader

EVERY = 60.0
"""Seconds between checks."""
COUNTED_EVERY = 5.0
"""Seconds between updates of the problems of terminals that sent more rejects."""


class RejectRetry(PeriodicService):
    """Retries rejects automatically, and keeps the problems of terminals up to date."""

    _log = Logger()

    def __init__(self, store: IStore, reader: RejectReader, clock: Any) -> None:
        super().__init__(clock)
        self._store = store
        self._reader = reader
        self._last: int | None = None
        self.every(EVERY, self.look, Phrase("Rejects are not read again by themselves"), now=True)
        self.every(COUNTED_EVERY, self.count, Phrase("Rejects are not counted"))

    async def look(self) -> None:
        """Retry the rejects of terminals whose reader has changed."""
        for device in await self._due():
            await self._read(device)
        await self._update()

    async def count(self) -> None:
        """Update the problems of terminals if there are new rejects."""
        last = await self._store.read(lambda tx: tx[RejectStore].last_id())
        if last != self._last:
            await self._update()
            self._last = last

    async def _update(self) -> None:
        await self._reader.update_problems(
            await self._store.read(lambda tx: tx[RejectStore].outdated_problems())
        )

    async def _due(self) -> list[Device]:
        def find(tx: Transaction) -> list[Device]:
            found = [
                (tx[DeviceStore].get(key), reader)
                for key, reader in tx[RejectStore].readers().items()
            ]
            return [one for one, reader in found if reader != self._reader.reader_of(one)]

        return await self._store.read(find)

    async def _read(self, device: Device) -> None:
        counts = await self._reader.retry(RejectSelection(device.sn))
        reader = self._reader.reader_of(device)
        await self._store.write(lambda tx: tx[RejectStore].remember_reader(device.id, reader))
        self._log.info(
            "Terminal {sn}: {read} rejects are read, {kept} are still not understood",
            sn=device.sn,
            read=counts.read,
            kept=counts.kept,
        )

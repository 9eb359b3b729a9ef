"""Automatic retry of rejects after changes that may make them readable.

For each terminal with rejects, a job compares the current reader with the one that last tried them
(`RejectReader.reader_of`). The reader changes with an upgrade, a new handler or table, and the
zone, encoding or version of the terminal. The job runs on the node that holds its lease.
"""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from ...clock import wall_clock
from ...interfaces import IStore
from ...model import Device
from ...periodic import PeriodicService
from ...persist.devices import DeviceStore
from ...persist.leases import LeaseStore
from ...persist.rejects import RejectStore
from ...persist.transaction import Transaction
from ...values.setaside import RejectSelection
from .reading import RejectReader

EVERY = 60.0
"""Seconds between checks."""
LEASE_SECONDS = 600
"""Seconds until another node may take over an unfinished run."""


class RejectRetry(PeriodicService):
    """Retries rejects automatically, and keeps the problems of terminals up to date."""

    _log = Logger()

    def __init__(self, store: IStore, reader: RejectReader, clock: Any, owner: str) -> None:
        """`owner` is the id of this process."""
        super().__init__(clock)
        self._store = store
        self._reader = reader
        self._owner = owner
        self._wall = wall_clock(clock)
        self.every(EVERY, self.look, "Rejects are not read again by themselves", now=True)

    async def look(self) -> None:
        """Retry the rejects of terminals whose reader has changed, unless another node does."""
        due = await self._due()
        if due and await self._leads():
            for device in due:
                await self._read(device)
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

    async def _leads(self) -> bool:
        now = int(self._wall() * 1000)
        until = now + 1000 * LEASE_SECONDS
        return await self._store.write(
            lambda tx: tx[LeaseStore].hold("rejects", self._owner, until, now)
        )

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

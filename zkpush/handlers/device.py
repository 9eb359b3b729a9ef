"""What terminals tell of themselves: pushed options (8) and update information (9)."""

from __future__ import annotations

import attrs
from twisted.plugin import IPlugin
from zope.interface import implementer

from ..interfaces import IRecordHandler, ITransaction
from ..model import Device
from ..protocol.records import Batch
from ..protocol.tables import INFO, OPTIONS


@implementer(IPlugin, IRecordHandler)
@attrs.frozen
class DeviceHandler:
    """Keeps options and update information with the terminal."""

    name = "device"
    tables = (OPTIONS, INFO)
    changes_device = True

    def persist(self, tx: ITransaction, device: Device, batch: Batch, now: int) -> None:
        """Write what one upload says."""
        told = {str(name): value for name, value in batch.rows}
        if batch.table is INFO:
            tx.devices.merge_info(device.id, told)
        else:
            tx.devices.merge_options(device.id, {name: str(value) for name, value in told.items()})

    def stored(self, device: Device, batch: Batch) -> None:
        """Nothing follows: whoever asks for the terminal sees it."""

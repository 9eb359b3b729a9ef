"""Handler of options pushed by terminals (8), update information (9) and option commands (12.4)."""

from __future__ import annotations

import attrs
from zope.interface import implementer

from ...device.functions import CommandFunctions, Result
from ...interfaces import IRecordHandler
from ...model import Device
from ...persist.devices import DeviceStore
from ...persist.rejects import RejectStore
from ...persist.transaction import Transaction
from ...protocol.codes import succeeded
from ...protocol.records import Batch, encode_pairs
from ...protocol.rejects import Reject
from ...protocol.replies import CommandReply
from ...protocol.reports import INFO, OPTIONS
from ...values.commands import QueuedCommand
from .wording import INTENTS


@implementer(IRecordHandler)
@attrs.frozen
class DeviceHandler:
    """Stores options and update information with the terminal."""

    name = "device"
    tables = (OPTIONS, INFO)
    changes_device = True

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the contents of one upload."""
        told = {str(name): value for name, value in batch.rows}
        if batch.table is INFO:
            tx[DeviceStore].merge_info(device.id, told)
        else:
            options = {name: str(value) for name, value in told.items()}
            left = tx[DeviceStore].merge_options(device.id, options)
            if left:
                reason = f"{len(left)} options are more than is kept of one terminal"
                raw = encode_pairs(left.items()).encode("utf-8", "surrogatepass")
                tx[RejectStore].add(device.id, [Reject(OPTIONS.name, reason, raw)], now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Do nothing: the data is visible with the terminal."""


def _keep_options(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result:
    """INFO and GET OPTION FROM: store the options in the answer (12.4.3)."""
    tx[DeviceStore].merge_options(device.id, reply.values)
    return dict(reply.values)


def _keep_option(
    tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
) -> Result:
    """SET OPTION: store the option that the terminal now has (12.4.1)."""
    if succeeded(command.command, reply.return_code):
        params = command.params
        tx[DeviceStore].merge_options(device.id, {params["key"]: params["value"]})
    return dict(reply.values)


FUNCTIONS = CommandFunctions(
    effects={
        "GET OPTION FROM": _keep_options,
        "INFO": _keep_options,
        "SET OPTION": _keep_option,
    }
)

HANDLERS = (DeviceHandler(),)

__all__ = ["FUNCTIONS", "HANDLERS", "INTENTS"]

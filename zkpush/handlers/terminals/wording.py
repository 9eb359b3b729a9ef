"""Intents for terminals as commands of Attendance PUSH (12)."""

from __future__ import annotations

from collections.abc import Sequence

from ...device.intents import Instruction, NotPossible, Translations
from ...model import Device
from ...persist.stamps import StampStore
from ...persist.transaction import Transaction
from ...protocol.dialect import FIRST_FAMILY
from ...protocol.exchange import STAMPS
from .model import AskRecords, OpenDoor, Reboot, SetOption

_QUERIES = frozenset({"ATTLOG", "ATTPHOTO"})
"""Data types that can be requested by period (12.1.3)."""


def _open_door(tx: Transaction, device: Device, intent: OpenDoor) -> Sequence[Instruction]:
    if intent.door != 1:
        raise NotPossible("Terminals of Attendance PUSH have one door, which is number 1.")
    if intent.seconds is not None:
        raise NotPossible(
            "A terminal of Attendance PUSH opens its door for the time that is set on it; leave "
            "out the seconds."
        )
    return [Instruction("AC_UNLOCK")]


def _reboot(tx: Transaction, device: Device, intent: Reboot) -> Sequence[Instruction]:
    return [Instruction("REBOOT")]


def _set_option(tx: Transaction, device: Device, intent: SetOption) -> Sequence[Instruction]:
    return [Instruction("SET OPTION", {"key": intent.key, "value": intent.value})]


def _ask_records(tx: Transaction, device: Device, intent: AskRecords) -> Sequence[Instruction]:
    """Request a period, or reset the stamp and make the terminal check its stamps (12.3.1)."""
    names = {name.lower(): name for name, _, _ in STAMPS}
    name = names.get(intent.table.lower())
    if name is None:
        raise ValueError(f"table must be one of {', '.join(names.values())}")
    if intent.since is not None and intent.until is not None:
        if name not in _QUERIES:
            raise NotPossible(f"A terminal sends {name} again as a whole; leave out the period.")
        period = {"StartTime": intent.since, "EndTime": intent.until}
        return [Instruction(f"DATA QUERY {name}", period)]
    tx[StampStore].reset(device.id, name)
    return [Instruction("CHECK")]


INTENTS: Translations = {
    (FIRST_FAMILY, OpenDoor): _open_door,
    (FIRST_FAMILY, Reboot): _reboot,
    (FIRST_FAMILY, SetOption): _set_option,
    (FIRST_FAMILY, AskRecords): _ask_records,
}

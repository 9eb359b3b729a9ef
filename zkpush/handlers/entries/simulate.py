"""Work codes and short messages, as entered at a simulated terminal (12.1.1.9, 12.1.1.12)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ...protocol.fields import Table
from ...simulator.clock import text
from ...simulator.happening import Happening
from ...simulator.record import Record, RecordForm
from .tables import SMS, WORKCODE

if TYPE_CHECKING:
    from ...simulator.terminal import SimulatedTerminal

WORK_CODES = {"10": "Assembly", "20": "Delivery", "30": "Repair"}
EVERYONE = 253
"""TAG of a message to everyone (12.1.1.9)."""
MESSAGES = ("The canteen is closed today.", "Fire drill at noon.", "Please wash your hands.")


def enter_work_codes(terminal: SimulatedTerminal, chance: random.Random) -> None:
    """Enter the work codes, as the administrator."""
    for index, (code, name) in enumerate(WORK_CODES.items(), 1):
        _keep(terminal, WORKCODE, {"index": index, "code": code, "name": name})


def write_message(terminal: SimulatedTerminal, chance: random.Random) -> None:
    """Write a message to everyone, as the administrator."""
    values = {
        "message": chance.choice(MESSAGES),
        "tag": EVERYONE,
        "number": terminal.outbox.made(SMS) + 1,
        "minutes": 60,
        "start_time": text(terminal.clock.now()),
    }
    _keep(terminal, SMS, values)


def _keep(terminal: SimulatedTerminal, table: Table, values: dict[str, object]) -> None:
    terminal.keep(Record(RecordForm(table, values), table.transfer[:1]))


HAPPENINGS = (
    Happening(enter_work_codes, is_once=True),
    Happening(write_message, lambda model: not model.old),
)

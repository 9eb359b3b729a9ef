"""Errors of a simulated terminal (11.16)."""

from __future__ import annotations

import base64
import json
import random
from typing import TYPE_CHECKING

from ...simulator.happening import Happening
from ...simulator.record import Record, RecordForm
from .tables import ERRORLOG

if TYPE_CHECKING:
    from ...simulator.terminal import SimulatedTerminal

ERRORS = ("D01E0001", "D01E0002", "D01E0003", "D01E0004", "D01E0005", "D01E0006")
"""Error codes of Appendix 9."""


def fail(terminal: SimulatedTerminal, chance: random.Random) -> None:
    """Record an error of the terminal."""
    values = {
        "code": chance.choice(ERRORS),
        "message": "",
        "origin": "dev",
        "command_id": "",
        "additional": base64.b64encode(json.dumps({"retries": 3}).encode()).decode(),
    }
    terminal.keep(Record(RecordForm(ERRORLOG, values)))


HAPPENINGS = (Happening(fail, lambda model: not model.old),)

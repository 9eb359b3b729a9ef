"""What a command of 12 is to be: its exact line, its exact answer, its end.

Lines and answers are written as their sections have them; the templates are invented.
"""

from __future__ import annotations

import attrs

from zkpush.protocol.versions import Version
from zkpush.simulator.model import ATT, Model

DONE = "Successful"
NEWEST = attrs.evolve(ATT, version=Version(2, 4, 2), identity_cards=True)
"""A terminal of 2.4.2 that has everything."""
DAY = {"StartTime": "2026-03-01 00:00:00", "EndTime": "2026-03-01 23:59:59"}
IN_DAY = "StartTime=2026-03-01 00:00:00\tEndTime=2026-03-01 23:59:59"


@attrs.frozen(kw_only=True)
class Case:
    """A command, and what is to come of it."""

    section: str
    command: str
    params: dict[str, str] = attrs.field(factory=dict)
    line: str | bytes
    """What stands behind `C:<CmdID>:`, without LF."""
    answer: str | bytes = "ID={id}&Return=0&CMD=DATA\n"
    state: str = "done"
    code: int = 0
    meaning: str | None = DONE
    result: dict[str, str] | None = None
    uploads: tuple[bytes, ...] = ()
    """The bodies of what the terminal sends before it answers."""
    begins: tuple[bytes, ...] = ()
    """How they begin, where the terminal invents something."""
    model: Model = NEWEST
    file: tuple[str, bytes] | None = None
    """A file that is added first."""

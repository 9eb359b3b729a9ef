"""Commands: what the server asks of a terminal (12)."""

from __future__ import annotations

from ..fields import Command

COMMANDS = (
    Command(
        name="CHECK",
        section="12.3.1",
        reply="CHECK",
        ends_batch=True,
        meaning="Read the options again, and send again what is behind a stamp of 0",
    ),
    Command(
        name="LOG",
        section="12.3.2",
        reply="LOG",
        meaning="Look for new data now, and send it",
    ),
    Command(
        name="INFO",
        section="12.4.3",
        reply="INFO",
        meaning="Send all options of the terminal",
    ),
    Command(
        name="REBOOT",
        section="12.7.1",
        reply="REBOOT",
        ends_batch=True,
        meaning="Restart the terminal",
    ),
)

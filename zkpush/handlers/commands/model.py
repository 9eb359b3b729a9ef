"""Values of commands."""

from __future__ import annotations

import msgspec

from ...values.commands import CommandState


class CommandFilter(msgspec.Struct, frozen=True):
    """Filter of commands; None for any."""

    device: str | None = None
    """Serial number."""
    state: CommandState | None = None
    command: str | None = None
    """Name of the command."""
    job: str | None = None
    since: int | None = None
    """Queued at this instant (ms) or later."""


EVERY_COMMAND = CommandFilter()

"""Values of commands."""

from __future__ import annotations

import msgspec

from ...causes import NOT_ANSWERED, NOT_FETCHED, NOT_FETCHED_LATELY
from ...manage.times import instant
from ...phrases import Phrase
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
    is_open: bool = False
    """Only those that have not ended."""


EVERY_COMMAND = CommandFilter()


STUCK = 600_000
"""Milliseconds without an answer after which a queue with due commands counts as stuck."""


WAITS = 60_000
"""Milliseconds without an answer after which it is worth a word that commands wait."""


class StuckQueue(msgspec.Struct, frozen=True):
    """A queue with due commands, none of which was answered lately."""

    command: str
    """The command that was fetched and not answered; without one, the oldest that is due."""
    queued_at: int
    """When that command was queued (ms)."""
    is_fetched: bool


def stuck_detail(
    stuck: StuckQueue, polled_at: int | None, now: int, after: int = STUCK
) -> Phrase | None:
    """Return why a queue is stuck; None if the terminal polls, and its commands are held back.

    `polled_at` is the time of the last known poll (ms), which counts for `after` (ms). The text
    stays the same while the cause does.
    """
    at = instant(stuck.queued_at)
    if stuck.is_fetched:
        return NOT_ANSWERED.said(command=stuck.command, at=at)
    if polled_at is None or polled_at < stuck.queued_at:
        return NOT_FETCHED.said(command=stuck.command, at=at)
    if now - polled_at < after:
        return None
    return NOT_FETCHED_LATELY.said(at=instant(polled_at))

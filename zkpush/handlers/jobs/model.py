"""Values of jobs."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from ...protocol.fields import Scope
from ...protocol.times import local_time

MINUTES = 24 * 60


class JobState(StrEnum):
    """State of a job, as stored."""

    QUEUEING = "queueing"
    """Commands are still to be queued."""
    QUEUED = "queued"
    """All commands are queued, or have ended."""
    STOPPED = "stopped"
    """Commands failed; the rest waits for a caller."""
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class TargetState(StrEnum):
    """State of a terminal in a job."""

    WAITING = "waiting"
    NEXT = "next"
    """In the wave that is being queued."""
    QUEUED = "queued"
    REFUSED = "refused"
    """The terminal cannot take the commands; the reason is in words."""
    MOVED = "moved"
    """Refused, because the terminal has left the areas of the caller."""
    CANCELLED = "cancelled"


class JobCommand(msgspec.Struct, frozen=True):
    """A command of a job."""

    command: str
    params: dict[str, str] = {}


class Window(msgspec.Struct, frozen=True):
    """A daily window by the clock of each terminal, in minutes since midnight."""

    begin: int
    end: int
    """Exclusive; smaller than `begin` if the window contains midnight."""

    def end_at(self, now: int, timezone: str | None) -> int | None:
        """Return the end (ms) of the window that is open now; None if it is closed.

        Without a zone, the window is by UTC.
        """
        hours, minutes, seconds = map(int, local_time(timezone, now / 1000)[-8:].split(":"))
        minute = 60 * hours + minutes
        if (minute - self.begin) % MINUTES >= (self.end - self.begin) % MINUTES:
            return None
        left = 60 * ((self.end - minute) % MINUTES) - seconds
        return now - now % 1000 + 1000 * left


class JobOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the commands of a job are delivered."""

    expires_in: int | None = None
    not_before_at: int | None = None
    priority: int | None = None
    wave: int | None = None
    """Number of terminals at a time; None for all at once."""
    stop_after: int | None = None
    """Number of failed commands after which no further wave begins; None for any."""
    window: Window | None = None
    scopes: frozenset[Scope] = frozenset()
    """Scopes that its commands need."""
    areas: frozenset[str] | None = None
    """Areas of the caller who queued it, or let it go on last; None for no limit."""


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job to store."""

    id: str
    commands: list[JobCommand]
    options: JobOptions
    priority: int
    """Jobs of higher priority are queued first."""
    created_by: str
    idempotency_key: str | None
    request: bytes
    """The request, to tell whether a later one with the same key is the same."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A stored job."""

    seq: int
    id: str
    state: JobState
    reason: str | None
    names: list[str]
    """Names of its commands, each once."""
    number: int
    """Number of its commands for each terminal."""
    terminals: int
    options: JobOptions
    priority: int
    created_at: int
    created_by: str
    ended_at: int | None
    retry_states: list[str]
    retry_below: int
    forgiven: int


class JobTarget(msgspec.Struct, frozen=True):
    """A terminal of a job."""

    place: int
    device_id: int
    state: TargetState
    queued: int
    retrying: bool

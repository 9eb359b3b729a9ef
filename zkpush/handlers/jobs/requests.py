"""Requests for jobs: commands for many terminals at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ...manage.listing import ListQuery, Order
from ...manage.targets import MOST_TERMINALS, TargetRequest
from ...manage.times import instant_of
from ...model import Caller
from ...phrases import Phrase
from ...protocol.fields import MOST_PRIORITY, Command
from ..people.model import RULE
from .model import JobCommand, JobOptions
from .views import WindowView

MOST_COMMANDS = 1000
"""Maximum number of commands in a job, for each terminal."""
MOST_WAIT = 3650 * 24 * 3600
WAVE = 10
"""Default number of terminals at a time, for commands that restart a terminal."""
WAVE_WAIT = 3600
"""Default time in seconds that a command of a wave waits for its terminal."""


class OneCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command of a job."""

    command: Annotated[
        str,
        Meta(
            description="The words of the protocol, such as INFO, or of a command that the site "
            "defines: `GET commands/catalogue` lists all"
        ),
    ]
    params: dict[str, str] = {}


class JobRequest(TargetRequest, frozen=True):
    """Commands to queue, and the terminals that get them."""

    commands: Annotated[
        Annotated[list[OneCommand], Meta(min_length=1, max_length=MOST_COMMANDS)] | None,
        Meta(description="The commands, in their order; or `command` and `params` for one"),
    ] = None
    command: str | None = None
    params: dict[str, str] = {}
    expires_in: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_WAIT)] | None,
        Meta(
            description="Seconds that a command may wait for its terminal, once it is queued; the "
            f"catalogue has the default, and for waves it is {WAVE_WAIT}"
        ),
    ] = None
    not_before: Annotated[
        str | None, Meta(description="Earliest time to send the commands, ISO 8601 with Z")
    ] = None
    priority: Annotated[
        Annotated[int, Meta(ge=0, le=MOST_PRIORITY)] | None,
        Meta(description="Higher ones are sent first; the catalogue has the default"),
    ] = None
    wave: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_TERMINALS)] | None,
        Meta(
            description="Terminals at a time: the next ones follow when all commands of these have "
            f"ended. Default: {WAVE} if a command restarts the terminal, else all at once"
        ),
    ] = None
    stop_after: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(
            description="Number of failed commands after which no further wave begins. Default: 1"
        ),
    ] = None
    window: Annotated[
        WindowView | None,
        Meta(description="Time of day, by the clock of each terminal, to send the commands"),
    ] = None


class JobDeletionQuery(msgspec.Struct, frozen=True):
    """Confirmation of deletions of people."""

    confirm: Annotated[
        int | None,
        Meta(
            description="Number of people to delete on all terminals together, as DATA DELETE "
            "USERINFO, CLEAR DATA and CLEAR ALL USERINFO do, and such lines of RAW: needed if one "
            f"terminal loses {RULE}"
        ),
    ] = None


class RetryRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Commands to queue again."""

    states: Annotated[
        list[Literal["failed", "expired", "unknown"]],
        Meta(
            description="Commands in these states are queued again; `unknown` ones may be executed "
            "twice"
        ),
    ] = msgspec.field(default_factory=lambda: ["failed", "expired"])


class JobQuery(ListQuery, frozen=True):
    """Paging of jobs."""

    order: Order = "desc"


def commands_of(body: JobRequest) -> list[JobCommand]:
    """Return the commands of a request; `ValueError` if it gives them in no way or in two."""
    if (body.commands is None) == (body.command is None) or (body.commands and body.params):
        raise ValueError(Phrase("commands: give either `commands`, or `command` with `params`."))
    if body.command is not None:
        return [JobCommand(body.command, body.params)]
    return [JobCommand(one.command, one.params) for one in body.commands or ()]


def options_of(
    body: JobRequest, entries: Sequence[tuple[Command, Mapping[str, str]]], caller: Caller
) -> JobOptions:
    """Return the options of a job: those of a request, and defaults that suit its commands."""
    restarts = any(entry.restarts for entry, _ in entries)
    wave = WAVE if body.wave is None and restarts else body.wave
    if wave is None and body.stop_after is not None:
        raise ValueError(
            Phrase("stop_after: needs `wave`, because without waves all are sent at once.")
        )
    not_before = instant_of("not_before", body.not_before)
    expires_in = body.expires_in
    if expires_in is None and wave is not None:
        expires_in = WAVE_WAIT
    return JobOptions(
        expires_in=expires_in,
        not_before_at=None if not_before is None else not_before * 1000,
        priority=body.priority,
        wave=wave,
        stop_after=None if wave is None else body.stop_after or 1,
        window=None if body.window is None else body.window.window(),
        scopes=frozenset().union(*(entry.scopes(params) for entry, params in entries)),
        areas=caller.areas,
    )

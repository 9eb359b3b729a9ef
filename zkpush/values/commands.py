"""Commands in the queue of a terminal.

Instants are integers, milliseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ..protocol.dialect import FIRST_FAMILY


class CommandState(StrEnum):
    """State of a command."""

    QUEUED = "queued"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    """Given up: not fetched in time, too old, or sent the configured number of times unanswered."""
    CANCELLED = "cancelled"
    """Not sent again, because of a caller or of a later command."""
    UNKNOWN = "unknown"
    """Sent, not repeatable, and not answered."""


OPEN_STATES = frozenset({CommandState.QUEUED, CommandState.SENT})


FINAL_STATES = frozenset(CommandState) - OPEN_STATES


class CommandFile(msgspec.Struct, frozen=True):
    """The file that a command makes a terminal download."""

    id: int
    digest: bytes
    """SHA-256 of the secret in its URL."""


class NewCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command to queue."""

    id: str
    command: str
    family: str = FIRST_FAMILY
    """The terminal family of the command."""
    params: Mapping[str, str]
    """Parameters as sent."""
    asked: Mapping[str, str]
    """Parameters as given by the caller, without values derived from the store."""
    text: str
    """Text as sent. Secrets in it, such as the URL of a file, appear in no other attribute."""
    file: CommandFile | None = None
    idempotency_key: str | None = None
    priority: int = 0
    """Commands with a higher priority are sent first."""
    not_before_at: int | None = None
    """Earliest time of sending; None for immediately."""
    expires_at: int | None = None
    """Latest time of sending; None for the configured lifetime."""
    subject: bytes | None = None
    """Digest of the object that it changes; commands with one subject are sent in order."""
    job: tuple[str, int] | None = None
    """The job that it belongs to, and its number among the commands of the job."""
    repeats: str | None = None
    """CmdID of the ended command that it repeats, and whose area it has."""


class QueuedCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A queued command of one terminal, with its state."""

    id: str
    """CmdID on the wire."""
    device: str
    command: str
    family: str = FIRST_FAMILY
    """The terminal family of the command."""
    params: dict[str, str]
    asked: dict[str, str]
    """Parameters as given by the caller."""
    text: str
    """Text after the CmdID: the command and its parameters as on the wire."""
    file: CommandFile | None = None
    state: CommandState
    attempts: int
    records: int = 0
    """For a QUERY: number of its records that have arrived. For a command with a file that is made
    when it is fetched: the number of lines that the command announced."""
    created_at: int
    sent_at: int | None = None
    finished_at: int | None = None
    return_code: int | None = None
    result: dict[str, str] | None = None
    priority: int = 0
    not_before_at: int | None = None
    expires_at: int | None = None
    """Latest time of sending; None if an earlier version queued it without a deadline."""
    answered_at: int | None = None
    """Time of the terminal's first answer, in whatever state the command was then."""
    reason: str | None = None
    """Code of the reason why it ended: a `zkpush.endings.EndReason`."""
    replaced_by: str | None = None
    """CmdID of the later command that supersedes this one."""
    body_removed_at: int | None = None
    """Time when its parameters and result were removed, because of their age."""
    area: str | None = None
    """Area of the terminal when it was queued; None if an earlier version queued it."""
    job: tuple[str, int] | None = None
    """The job that it belongs to, and its number among the commands of the job."""
    damaged: tuple[str, ...] = ()
    """Names of the values that cannot be decrypted; they are empty here."""

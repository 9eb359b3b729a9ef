"""The life of a command, as a state machine.

Theory of operation. For developers and operators. A command is *queued* until a poll of its
terminal takes it; then it is *sent*, and the terminal has a lease, the time for its answer. The
answer ends it as *done* or *failed*. So does, for a command that restarts the terminal, a new
initialization exchange that the server did not ask for.

The table entry determines what happens to an unanswered command. A repeatable command is sent again
after its lease, with the same ID, as often as configured; after that it is *expired*. A command
that must not be executed twice, such as opening a door, is sent once; after its lease it is
*unknown*, because the terminal may have executed it. A command whose answer was lost is *unknown*,
too, once the terminal has executed a later command on the same person or setting that was sent with
it. Commands on the same person or setting are sent in the order in which they were queued, except
that a command with a `not_before` waits until then: a command is held back while an earlier one may
be sent again.

Each command has a deadline, and is not sent after it. The table entry sets how long the command may
wait, unless the caller sets another time. A command that the terminal did not fetch in time is
*expired*. A caller can cancel an open command: then it is not sent again. A later command that
changes the same person or setting, and sets everything that the earlier one sets, replaces it.

The terminal is authoritative about what it executed. An answer settles an unknown command, and one
that a new session had ended. An answer to a cancelled or expired command is recorded, with its code
and its effects, but the state stays, because it records the server's decision. Of several answers,
the first one counts.

The database holds the state. A transition loads the stored state and stores the new one in the same
transaction, if the state is still the one that was loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

import attrs

from ..endings import EndReason
from ..persist.commands import CommandStore
from ..persist.transaction import Transaction
from ..values.commands import CommandState, QueuedCommand

_QUEUED, _SENT = CommandState.QUEUED, CommandState.SENT
_DONE, _FAILED = CommandState.DONE, CommandState.FAILED
_EXPIRED, _CANCELLED = CommandState.EXPIRED, CommandState.CANCELLED
_UNKNOWN = CommandState.UNKNOWN


class LifeEvent(Enum):
    """What happens to a command."""

    TAKEN = "a poll takes it"
    SUCCEEDED = "the terminal answers that it succeeded"
    FAILED = "the terminal answers that it failed"
    SHORT = "the terminal answers that it succeeded, with less than was announced or asked for"
    ACKNOWLEDGED = "the terminal answers a query whose records may still come"
    GATHERED = "the terminal polls after it has answered a query"
    RESTARTED = "the terminal begins a new session that it was not asked for, and restarts by it"
    CONFIRMED = "the terminal answers that it succeeded, after a new session had ended it"
    REFUTED = "the terminal answers that it failed, after a new session had ended it"
    UNREPEATABLE = "its lease ends, and it must not be executed twice"
    EXHAUSTED = "its lease ends, and it was sent as often as configured"
    LATE = "its lease ends after its deadline"
    OVERTAKEN = "its lease ends, and the terminal has executed a later command on the same"
    SUPERSEDED = "its lease ends, and a later command has replaced it"
    DEADLINE = "its deadline passes"
    CANCELLED = "a caller cancels it"
    REPLACED = "a later command sets the same"
    RETIRED = "its terminal is retired or replaced"
    DAMAGED = "its stored text is found to be damaged"


@attrs.frozen
class LifeStep:
    """A transition: the next state and the outcome."""

    state: CommandState
    reason: EndReason | None = None
    """Why the command ends; None if it does not."""
    note: str = "nothing"
    """The outcome of an event that does not end the command."""

    @property
    def outcome(self) -> str:
        """The outcome in words."""
        return self.note if self.reason is None else f"ends: {self.reason.value}"


_RECORDED = "the answer is recorded, with its effects"
_TABLE: Mapping[LifeEvent, Mapping[CommandState, LifeStep]] = {
    LifeEvent.TAKEN: {
        _QUEUED: LifeStep(_SENT, note="is sent"),
        _SENT: LifeStep(_SENT, note="is sent again with the same ID, after its lease"),
    },
    LifeEvent.SUCCEEDED: {
        **dict.fromkeys((_QUEUED, _SENT, _UNKNOWN), LifeStep(_DONE, EndReason.DONE)),
        _CANCELLED: LifeStep(_CANCELLED, note=_RECORDED),
        _EXPIRED: LifeStep(_EXPIRED, note=_RECORDED),
        _DONE: LifeStep(_DONE),
        _FAILED: LifeStep(_FAILED),
    },
    LifeEvent.FAILED: {
        **dict.fromkeys((_QUEUED, _SENT, _UNKNOWN), LifeStep(_FAILED, EndReason.FAILED)),
        _CANCELLED: LifeStep(_CANCELLED, note=_RECORDED),
        _EXPIRED: LifeStep(_EXPIRED, note=_RECORDED),
        _DONE: LifeStep(_DONE),
        _FAILED: LifeStep(_FAILED),
    },
    LifeEvent.SHORT: {
        **dict.fromkeys((_QUEUED, _SENT, _UNKNOWN), LifeStep(_FAILED, EndReason.SHORT)),
        _CANCELLED: LifeStep(_CANCELLED, note=_RECORDED),
        _EXPIRED: LifeStep(_EXPIRED, note=_RECORDED),
        _DONE: LifeStep(_DONE),
        _FAILED: LifeStep(_FAILED),
    },
    LifeEvent.ACKNOWLEDGED: dict.fromkeys(
        (_QUEUED, _SENT), LifeStep(_SENT, note="ends at the next poll")
    ),
    LifeEvent.GATHERED: {_SENT: LifeStep(_DONE, EndReason.DONE)},
    LifeEvent.RESTARTED: {_SENT: LifeStep(_DONE, EndReason.RESTARTED)},
    LifeEvent.CONFIRMED: {_DONE: LifeStep(_DONE, EndReason.DONE)},
    LifeEvent.REFUTED: {_DONE: LifeStep(_FAILED, EndReason.FAILED)},
    LifeEvent.UNREPEATABLE: {_SENT: LifeStep(_UNKNOWN, EndReason.NOT_REPEATED)},
    LifeEvent.OVERTAKEN: {_SENT: LifeStep(_UNKNOWN, EndReason.OVERTAKEN)},
    LifeEvent.EXHAUSTED: {_SENT: LifeStep(_EXPIRED, EndReason.NOT_ANSWERED)},
    LifeEvent.LATE: {_SENT: LifeStep(_EXPIRED, EndReason.TOO_OLD)},
    LifeEvent.SUPERSEDED: {_SENT: LifeStep(_CANCELLED, EndReason.REPLACED_LATE)},
    LifeEvent.DEADLINE: {_QUEUED: LifeStep(_EXPIRED, EndReason.NOT_FETCHED)},
    LifeEvent.CANCELLED: {
        _QUEUED: LifeStep(_CANCELLED, EndReason.CANCELLED),
        _SENT: LifeStep(_CANCELLED, EndReason.CANCELLED_LATE),
    },
    LifeEvent.REPLACED: {
        _QUEUED: LifeStep(_CANCELLED, EndReason.REPLACED),
        _SENT: LifeStep(_SENT, note="is not sent again"),
    },
    LifeEvent.RETIRED: dict.fromkeys((_QUEUED, _SENT), LifeStep(_CANCELLED, EndReason.RETIRED)),
    LifeEvent.DAMAGED: dict.fromkeys((_QUEUED, _SENT), LifeStep(_FAILED, EndReason.DAMAGED)),
}
"""Transitions: for each event, the states in which it can occur and the resulting step."""


def answer_event(command: QueuedCommand, *, is_success: bool) -> LifeEvent:
    """The event for a terminal's answer to a command."""
    if command.reason == EndReason.RESTARTED and command.answered_at is None:
        return LifeEvent.CONFIRMED if is_success else LifeEvent.REFUTED
    return LifeEvent.SUCCEEDED if is_success else LifeEvent.FAILED


def step_of(event: LifeEvent, state: CommandState) -> LifeStep | None:
    """The transition for an event in a state; None if it cannot occur there."""
    return _TABLE[event].get(state)


@attrs.frozen
class LifeRules:
    """Rules for giving up commands."""

    attempts: int
    """Maximum number of times a command is sent."""
    lifetime: int
    """Lifetime in milliseconds of a command without a deadline."""

    def due(self, command: QueuedCommand, now: int, *, is_repeatable: bool) -> LifeEvent:
        """The event for a command that is due: queued, or sent with an expired lease."""
        if command.state is _SENT and command.answered_at is not None:
            return LifeEvent.GATHERED
        is_late = self.deadline(command) < now
        if command.state is _QUEUED and is_late:
            return LifeEvent.DEADLINE
        if command.state is _SENT and not is_repeatable:
            return LifeEvent.UNREPEATABLE
        if command.damaged:
            return LifeEvent.DAMAGED
        if command.state is _QUEUED:
            return LifeEvent.TAKEN
        if command.replaced_by is not None:
            return LifeEvent.SUPERSEDED
        if command.attempts >= self.attempts:
            return LifeEvent.EXHAUSTED
        return LifeEvent.LATE if is_late else LifeEvent.TAKEN

    def deadline(self, command: QueuedCommand) -> int:
        """The last time (ms) at which a command may be sent."""
        if command.expires_at is None:
            return command.created_at + self.lifetime
        return command.expires_at


def happen(
    tx: Transaction, command: QueuedCommand, event: LifeEvent, now: int
) -> QueuedCommand | None:
    """End a command on an event other than an answer; None if it does not end."""
    step = step_of(event, command.state)
    if step is None or step.reason is None:
        return None
    return tx[CommandStore].end(command, step.state, step.reason, now)


def end_replaced(tx: Transaction, replaced: Sequence[tuple[QueuedCommand, str]], now: int) -> None:
    """End queued commands, each replaced by a later one, given by its ID."""
    step = _TABLE[LifeEvent.REPLACED][_QUEUED]
    assert step.reason is not None  # noqa: S101 - for mypy
    tx[CommandStore].end_replaced(replaced, step.state, step.reason, now)


def transitions() -> list[tuple[str, str, str, str]]:
    """All transitions: state, event, next state, and the outcome in words."""
    order = {state: place for place, state in enumerate(CommandState)}
    rows = [
        (state, event, step) for event, steps in _TABLE.items() for state, step in steps.items()
    ]
    return [
        (state.value, event.value, step.state.value, step.outcome)
        for state, event, step in sorted(rows, key=lambda row: order[row[0]])
    ]


def reasons() -> list[tuple[str, str]]:
    """All end reasons of commands: code and words."""
    places = {"attempts": "{attempts}", "replaced_by": "{replaced_by}"}
    return [(reason.value, reason.words % places) for reason in EndReason]

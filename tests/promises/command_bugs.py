"""Bugs of a command queue, each planted in the server by a function.

Each is a mistake of one place: a forgotten condition, a state that is not stored, or a row of the
table of transitions that is missing or wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from zkpush.device import answers, exchange, life, replacing
from zkpush.device.life import LifeEvent, LifeRules, LifeStep
from zkpush.persist.commands import CommandStore
from zkpush.values.commands import CommandState, NewCommand, QueuedCommand

from .command_model import Promise

Plant = Callable[[pytest.MonkeyPatch], None]
_DUE, _ADD, _LEASE = LifeRules.due, CommandStore.add, CommandStore.lease


def resends_what_may_not_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unanswered door command is sent again after its lease."""

    def due(self: LifeRules, command: QueuedCommand, now: int, **_: bool) -> LifeEvent:
        return _DUE(self, command, now, is_repeatable=True)

    monkeypatch.setattr(LifeRules, "due", due)


def sends_expired_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queued command is sent after its deadline, if the poll is ahead of the sweep."""

    def due(self: LifeRules, command: QueuedCommand, now: int, *, is_repeatable: bool) -> LifeEvent:
        event = _DUE(self, command, now, is_repeatable=is_repeatable)
        return LifeEvent.TAKEN if event is LifeEvent.DEADLINE else event

    monkeypatch.setattr(LifeRules, "due", due)


def ignores_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The earliest time of a command is not stored."""

    def add(self: CommandStore, device_id: int, command: NewCommand, now: int) -> QueuedCommand:
        return _ADD(self, device_id, msgspec.structs.replace(command, not_before_at=None), now)

    monkeypatch.setattr(CommandStore, "add", add)


def does_not_renew_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is sent again keeps its first lease, which has ended."""

    def lease(self: CommandStore, leased: Sequence[QueuedCommand], until: int, now: int) -> None:
        again = [one for one in leased if one.state is CommandState.SENT]
        _LEASE(self, again, now, now)
        _LEASE(self, [one for one in leased if one not in again], until, now)

    monkeypatch.setattr(CommandStore, "lease", lease)


def _ignores_success(monkeypatch: pytest.MonkeyPatch, where: CommandState) -> None:
    """Leave out the row of the table for an answer in a state."""

    def step_of(event: LifeEvent, state: CommandState) -> LifeStep | None:
        return (
            None if (event, state) == (LifeEvent.SUCCEEDED, where) else life.step_of(event, state)
        )

    monkeypatch.setattr(answers, "step_of", step_of)


def loses_answers_after_a_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer to a cancelled command is not recorded."""
    _ignores_success(monkeypatch, CommandState.CANCELLED)


def loses_answers_of_unknown_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that comes after the lease does not settle an unknown command."""
    _ignores_success(monkeypatch, CommandState.UNKNOWN)


def takes_answers_of_other_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is attributed by the ID alone, whichever terminal sent it."""

    def known(self: CommandStore, _: int, ids: Sequence[str]) -> dict[str, QueuedCommand]:
        return {one: found for one in ids if (found := self.get(one)) is not None}

    monkeypatch.setattr(CommandStore, "known_among", known)


def sends_replaced_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replaced command is sent as well."""
    monkeypatch.setattr(replacing, "end_replaced", lambda *_: None)


def leaves_unrepeatable_commands_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep passes over unanswered commands that may not be repeated."""
    real = CommandStore.overdue

    def overdue(self: CommandStore, now: int, *rest: Any) -> list[QueuedCommand]:
        return [one for one in real(self, now, *rest) if one.command not in ("AC_UNLOCK", "REBOOT")]

    monkeypatch.setattr(CommandStore, "overdue", overdue)


def ignores_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new session does not answer a REBOOT."""
    monkeypatch.setattr(exchange, "answered_by_restart", lambda *_: None)


BUGS: Mapping[Plant, tuple[Promise, int]] = {
    resends_what_may_not_be_repeated: (Promise.ONCE, 0),
    sends_expired_commands: (Promise.IN_TIME, 0),
    ignores_not_before: (Promise.IN_TIME, 2),
    does_not_renew_leases: (Promise.RECORDED, 8),
    loses_answers_after_a_cancellation: (Promise.RECORDED, 7),
    loses_answers_of_unknown_commands: (Promise.RECORDED, 24),
    takes_answers_of_other_terminals: (Promise.RECORDED, 0),
    sends_replaced_commands: (Promise.WITHDRAWN, 7),
    leaves_unrepeatable_commands_open: (Promise.ONCE, 0),
    ignores_restarts: (Promise.RECORDED, 12),
}
"""The bugs, each with the promise that it breaks, and the seed of examples that showed it first.

The other seeds are tried after that one, so that it may be wrong: then the test takes longer.
"""

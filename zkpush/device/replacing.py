"""Replacement and order of commands that change the same person or setting.

Commands on one *subject*, a person or a setting, are sent in the order in which they were queued,
whatever their priorities, and a command is not sent while an earlier one may be sent again. A
command replaces the earlier ones that set nothing beyond what it sets, so that each change reaches
the terminal once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..persist.commandrows import person_subject, subject_digest
from ..persist.commands import CommandStore
from ..persist.transaction import Transaction
from ..protocol.fields import Command
from ..values.commands import CommandState, NewCommand, QueuedCommand
from .life import end_replaced

_PERSON = "pin"
"""The name of the user ID field."""


def subject_of(command: Command, params: Mapping[str, str]) -> bytes | None:
    """Digest of a command's subject: a person or a setting; None for the whole terminal.

    Commands on one subject are sent in the order in which they were queued.
    """
    for field in command.parameters:
        if field.name == _PERSON and field.wire in params:
            return person_subject(params[field.wire])
    names = command.key or tuple(params)
    if names and command.name.startswith(("DATA UPDATE ", "DATA DELETE ", "SET OPTION")):
        table = command.name.rpartition(" ")[2]
        return subject_digest((table, *(params.get(name, "") for name in names)))
    return None


def replace(
    tx: Transaction, news: Sequence[tuple[int, Command, NewCommand]], now: int
) -> list[list[str]]:
    """Replace earlier commands that set nothing beyond new ones; returns the IDs for each new one.

    `news` are new commands, each with the key of its terminal and its table entry; none replaces
    another or has a higher priority than an earlier one on its subject. Stops at the first command
    to keep, from the latest back, because a command in between may depend on earlier ones. The kept
    commands are not overtaken.
    """
    store = tx[CommandStore]
    places = [(device_id, new.subject) for device_id, _, new in news if new.subject is not None]
    found = store.of_subjects(places)
    every: list[list[str]] = []
    replaced: list[tuple[QueuedCommand, str]] = []
    for device_id, command, new in news:
        own: list[str] = []
        every.append(own)
        if new.subject is None:
            continue
        # A second command on the subject does not look past the first one.
        earlier = found.pop((device_id, new.subject), [])
        while earlier and _covers(command, new, earlier[0]):
            old = earlier.pop(0)
            if old.state is CommandState.QUEUED:
                replaced.append((old, new.id))
            else:
                store.supersede(old, new.id)
            own.append(old.id)
        store.urge(earlier, new.priority)
    end_replaced(tx, replaced, now)
    return every


def _covers(command: Command, new: NewCommand, old: QueuedCommand) -> bool:
    """Whether a new command supersedes an earlier one: it sets as much, and no later."""
    return (
        bool(command.key)
        and old.command == new.command
        and not old.damaged
        and old.answered_at is None
        and all(old.params.get(key) == new.params.get(key) for key in command.key)
        and old.params.keys() <= new.params.keys()
        and (new.not_before_at or 0) <= (old.not_before_at or 0)
        and old.expires_at is not None
        and new.expires_at is not None
        and old.expires_at <= new.expires_at
        and old.priority <= new.priority
    )

"""Erasure of one person: the part of each noun, and that of the command queue."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import attrs
import msgspec
from sqlalchemy import or_, update

from ..endings import EndReason
from ..values.commands import OPEN_STATES, CommandState, QueuedCommand
from .commandrows import CommandBody, command_of, select_commands, subject_index
from .commandschema import commands
from .sealed import sealed
from .transaction import Transaction


@attrs.frozen(kw_only=True)
class PersonErasure:
    """Erasure of a person, as passed to the parts of nouns that take part in it."""

    tx: Transaction
    pin: str
    """User ID."""
    now: int
    """The time, in milliseconds since the epoch."""
    with_attendance: bool
    """Whether attendance records go too, which otherwise stay under the user ID."""
    with_others: bool = False
    """Whether those go, too, that are or may be another person's."""
    spans: Sequence[tuple[int | None, int | None]] | None = None
    """Periods whose records are this person's, each with the seconds since the epoch at which it
    begins and before which it ends; None for all records. Others are of people who had the user ID
    before."""


_DELETION = "DATA DELETE "
_PIN, _LINE, _PEOPLE = "PIN", "line", "People"
"""Parameters that name people: of most commands, of RAW, and of packages."""
_NAMING = ("RAW", "PutFile")
"""Commands that may name people, but have no person as their subject."""
_ASSIGNED = re.compile(r"pin\d*\s*=\s*")
_MORE = re.compile(r"[^\s,;&]")
"""A further character of a value."""
_CLEARED: dict[str, object] = {
    "body": msgspec.json.encode(CommandBody({}, {}, "")),
    "result": None,
    "file_id": None,
    "file_digest": None,
}
ErasePerson = Callable[[PersonErasure], int]
"""`erase_person` of a capability's `store` part: removes what its tables hold about a person, and
returns the number of rows that it changed. It runs before those of the capabilities it requires."""


def _states(line: str, pin: str) -> bool:
    """Whether a line of a command names a person, such as `PIN=7` or `Pin2=7`; any case."""
    line, pin = line.lower(), pin.lower()
    ends = (found.end() for found in _ASSIGNED.finditer(line))
    return any(line.startswith(pin, end) and not _MORE.match(line, end + len(pin)) for end in ends)


def without_person(params: Mapping[str, str], pin: str) -> Mapping[str, str] | None:
    """Return the parameters of a command without a person; None if it is about the person only.

    Returns `params` itself if it does not name the person.
    """
    if params.get(_PIN) == pin:
        return None
    if _states(params.get(_LINE, ""), pin):
        return None
    named = params.get(_PEOPLE, "").split(",")
    if pin not in named:
        return params
    left = [one for one in named if one != pin]
    return {**params, _PEOPLE: ",".join(left)} if left else None


def erase_commands(erasure: PersonErasure, subject: bytes) -> set[str]:
    """Clear the parameters and results of commands on a person; cancel those still open.

    `subject` is the digest that all commands on the person have. RAW lines and packages are on a
    person whose user ID they name; a package for others, too, only loses the person. Returns the
    serial numbers of the terminals that may have the person: of open deletions, of sent commands
    without an answer, and of sent RAW lines and packages.
    """
    tx = erasure.tx
    open_states = {state.value for state in OPEN_STATES}
    query = select_commands().where(
        or_(
            commands.c.subject == subject_index(erasure.tx.vault, subject),
            commands.c.command.in_(_NAMING) & commands.c.body_removed_at.is_(None),
        )
    )
    query = query.order_by(commands.c.seq).with_for_update(of=commands)
    terminals = set()
    for row in tx.connection.execute(query).all():
        is_open = row.state in open_states
        is_naming = row.command in _NAMING
        values: dict[str, object] = _CLEARED | {"body_removed_at": erasure.now}
        if row.body_removed_at is None or not row.command.startswith(_DELETION):
            values["subject"] = None
        if is_naming:
            command = command_of(tx.vault, row._mapping)
            asked = without_person(command.asked, erasure.pin)
            if asked is command.asked:
                continue
            if asked is not None:
                body = CommandBody({**command.params}, {**asked}, command.text)
                values = {"body": msgspec.json.encode(body)}
                is_open = False
        if (row.attempts and (is_naming or row.answered_at is None)) or (
            is_open and row.command.startswith(_DELETION)
        ):
            terminals.add(row.sn)
        if is_open:
            values |= {
                "state": CommandState.CANCELLED.value,
                "reason": EndReason.ERASED.value,
                "finished_at": erasure.now,
            }
        changed = sealed(tx.vault, commands, {"id": row.id, **values})
        tx.connection.execute(update(commands).where(commands.c.id == row.id).values(changed))
    return terminals


def forget_command(tx: Transaction, command: QueuedCommand, now: int) -> None:
    """Clear the parameters of a command that has deleted an erased person.

    The keyed index of the user ID stays, by which it is found that the deletion is done.
    """
    values = _CLEARED | {"id": command.id, "body_removed_at": now}
    changed = sealed(tx.vault, commands, values)
    tx.connection.execute(update(commands).where(commands.c.id == command.id).values(changed))

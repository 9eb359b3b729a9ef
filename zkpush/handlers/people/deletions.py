"""Number of people whom commands delete on terminals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from ...device.replacing import subject_of
from ...persist.commandrows import subject_index
from ...persist.commandschema import commands
from ...persist.devices import DeviceStore
from ...values.commands import OPEN_STATES
from .limits import FEW, deletion_of, is_many
from .survey import PersonSurvey
from .wording import UPDATES

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


class TerminalDeletions(NamedTuple):
    """Deletions of people on terminals by the commands of one request."""

    people: int
    """Number of people, those of each terminal counted by themselves."""
    is_many: bool
    """Whether they need a confirmation."""


_DELETION = UPDATES["DATA DELETE USERINFO"]
NO_DELETIONS = TerminalDeletions(0, is_many=False)


def queued_deletions_thd(
    tx: Transaction, places: Collection[tuple[int, str]]
) -> set[tuple[int, str]]:
    """Return those of some terminals and user IDs for which a deletion of the user is open."""
    subjects = {
        subject_index(tx.vault, subject_of(_DELETION, {"PIN": pin}) or b""): pin
        for _, pin in places
    }
    query = select(commands.c.device_id, commands.c.subject).where(
        commands.c.device_id.in_({device_id for device_id, _ in places}),
        commands.c.subject.in_([*subjects]),
        commands.c.command == _DELETION.name,
        commands.c.state.in_([state.value for state in OPEN_STATES]),
    )
    rows = tx.connection.execute(query).all()
    return {(row.device_id, subjects[bytes(row.subject)]) for row in rows} & {*places}


def deletions_thd(
    tx: Transaction, commands: Iterable[tuple[str, Mapping[str, str]]], devices: Collection[int]
) -> TerminalDeletions:
    """Count the people whom commands delete on terminals.

    Each command has a name and parameters. Terminals hold as many people as they count or as are
    known to be there, whichever is more.
    """
    named: set[str] = set()
    is_emptying = False
    for name, params in commands:
        deletion = deletion_of(name, params)
        is_emptying = is_emptying or deletion.everybody
        named |= deletion.pins
    if not named and not is_emptying:
        return NO_DELETIONS
    known = tx[PersonSurvey].people_on(devices)
    count, is_over = 0, False
    for device in tx[DeviceStore].with_keys(devices):
        held = max(device.counts.get("users") or 0, known.get(device.id, 0))
        deleted = held if is_emptying else len(named)
        count += deleted
        is_over = is_over or is_many(deleted, held)
    return TerminalDeletions(count, is_many=is_over or (is_emptying and count > FEW))

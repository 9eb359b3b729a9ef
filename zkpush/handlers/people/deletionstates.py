"""The deletion of a person who left, terminal by terminal: what is done, open, refused or unasked.

A terminal is listed if it last stated that it has the person, or if a deletion of the user has been
queued for it since the present holder got the user ID. Of an erased person the commands keep the
keyed index of the user ID alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
from sqlalchemy import select

from ...device.replacing import subject_of
from ...model import DEFAULT_AREA, Caller, DeviceState
from ...persist.areas import distributing_thd, sent_to_thd
from ...persist.commandrows import command_of, reason_phrase, select_commands, subject_index
from ...persist.commandschema import commands
from ...persist.devices import DeviceStore
from ...persist.limits import of_terminals
from ...persist.schema import devices
from ...phrases import Phrase
from ...protocol.codes import ReturnCode
from ...values.commands import OPEN_STATES, CommandState, QueuedCommand
from .bounds import own_terminals_thd
from .erased import ErasedHolder, ErasedPeople
from .former import Departure
from .holders import EarlierHolders
from .persons import PersonStore
from .survey import PersonSurvey
from .wording import UPDATES

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_DELETION = UPDATES["DATA DELETE USERINFO"]
_PUT = UPDATES["DATA UPDATE USERINFO"]


class DeletionState(StrEnum):
    """State of the deletion of a person from a terminal."""

    DONE = "done"
    OPEN = "open"
    """The terminal is to delete the person, and has not done so yet."""
    FAILED = "failed"
    UNASKED = "unasked"
    """The terminal has the person, and was not told to delete the person."""


@attrs.frozen(kw_only=True)
class TerminalDeletion:
    """The deletion of a person from a terminal."""

    device: str
    """Serial number."""
    state: DeletionState
    at: int | None = None
    """When it was done or failed, in milliseconds since the epoch."""
    command: str | None = None
    """Id of the last command."""
    reason: str | None = None
    """Why it failed, for translation."""


def deletions_of_thd(tx: Transaction, pin: str, departure: Departure) -> list[TerminalDeletion]:
    """List the terminals of a person who left, by serial number, with their deletions."""
    since = departure.at
    if departure.is_erased:  # an erasure may be repeated
        earlier = tx[EarlierHolders].of([pin]).get(pin, ())
        since = max((one.until * 1000 for one in earlier), default=0)
    last = _last_commands(tx, pin, since)
    if departure.is_erased:
        held = {one.sn: one for one in tx[ErasedPeople].held(pin)}
        return [_of_erased(sn, last.get(sn), held.get(sn)) for sn in sorted({*last, *held})]
    holders = tx[PersonStore].holders(pin)
    by_itself = _by_themselves(tx, pin, holders)
    return [
        _of_removed(sn, last.get(sn), is_there=sn in holders, by_itself=sn in by_itself)
        for sn in sorted({*last, *holders})
    ]


def possible_holders_thd(tx: Transaction, pin: str) -> list[str]:
    """List the terminals that have a person, or may have one by a command, by serial number."""
    query = select(devices.c.sn).join(commands, commands.c.device_id == devices.c.id)
    query = query.where(
        commands.c.command == _PUT.name,
        commands.c.subject == subject_index(tx.vault, subject_of(_PUT, {"PIN": pin})),
        commands.c.state.in_([state.value for state in OPEN_STATES])
        | (commands.c.attempts > 0) & commands.c.answered_at.is_(None),
    )
    told = tx.connection.execute(query.distinct()).scalars()
    return sorted({*tx[PersonStore].holders(pin), *told})


def to_ask_thd(tx: Transaction, pin: str, serials: Collection[str]) -> list[str]:
    """Return those of some terminals that delete a person only if they are told to, sorted."""
    return sorted({*serials} - _by_themselves(tx, pin, serials))


def unfetched_thd(
    tx: Transaction, areas: frozenset[str] | None, listed: Collection[str] = ()
) -> list[str]:
    """List the terminals, besides the `listed`, that count more people than are known to be there.

    Nobody knows whether they have a person. `areas` are those of a limited caller.
    """
    # The whole terminals would take most of the time of a page.
    query = select(devices.c.id, devices.c.sn, devices.c.counts).where(
        devices.c.state == DeviceState.APPROVED.value,
        devices.c.counts.contains('"users"'),
        *of_terminals(devices.c.id, areas),
    )
    rows = tx.connection.execute(query).all()
    counts = {row.id: msgspec.json.decode(row.counts).get("users") or 0 for row in rows}
    known = tx[PersonSurvey].people_on([key for key, users in counts.items() if users])
    missing = {row.sn for row in rows if counts[row.id] > known.get(row.id, 0)}
    return sorted(missing - {*listed})


def _by_themselves(tx: Transaction, pin: str, serials: Collection[str]) -> set[str]:
    """Return those of some terminals from which a person who is removed is deleted in any case.

    Their areas keep their people on them, or the server has sent the person there.
    """
    found = tx[DeviceStore].find_all(serials)
    areas = {*distributing_thd(tx, {one.area or DEFAULT_AREA for one in found})}
    distributing = {one.sn for one in found if (one.area or DEFAULT_AREA) in areas}
    return distributing | sent_to_thd(tx, pin).intersection(serials)


def _last_commands(tx: Transaction, pin: str, since: int) -> dict[str, QueuedCommand]:
    """Return the last command of each terminal that deletes the person, since a time (ms)."""
    query = select_commands().where(
        commands.c.command == _DELETION.name,
        commands.c.subject == subject_index(tx.vault, subject_of(_DELETION, {"PIN": pin})),
        commands.c.created_at >= since,
    )
    rows = tx.connection.execute(query.order_by(commands.c.seq)).all()
    found = (command_of(tx.vault, row._mapping) for row in rows)
    return {one.device: one for one in found}


def _is_done(command: QueuedCommand | None) -> bool:
    """Whether the terminal has deleted the user, or had none."""
    return command is not None and (
        command.state is CommandState.DONE or command.return_code == ReturnCode.USER_UNKNOWN
    )


def _of_erased(
    sn: str, command: QueuedCommand | None, held: ErasedHolder | None
) -> TerminalDeletion:
    id_ = None if command is None else command.id
    if held is None:  # it has confirmed the deletion, or was emptied
        at = command.finished_at if command is not None and _is_done(command) else None
        return TerminalDeletion(device=sn, state=DeletionState.DONE, at=at, command=id_)
    if held.refusals:
        reason = Phrase(
            "The terminal refused it (return code %(code)s); it is asked again by itself.",
            code=held.return_code,
        )
        failed = DeletionState.FAILED
        return TerminalDeletion(
            device=sn, state=failed, at=held.refused_at, command=id_, reason=reason
        )
    if command is None or held.is_due or _is_done(command):
        return TerminalDeletion(device=sn, state=DeletionState.OPEN, command=id_)
    return _of_command(sn, command)


def _of_removed(
    sn: str, command: QueuedCommand | None, *, is_there: bool, by_itself: bool
) -> TerminalDeletion:
    if command is None or (is_there and _is_done(command)):
        state = DeletionState.OPEN if by_itself else DeletionState.UNASKED
        return TerminalDeletion(device=sn, state=state)
    return _of_command(sn, command)


def _of_command(sn: str, command: QueuedCommand) -> TerminalDeletion:
    state, reason = DeletionState.FAILED, None
    if command.state in OPEN_STATES:
        state = DeletionState.OPEN
    elif _is_done(command):
        state = DeletionState.DONE
    else:
        reason = reason_phrase(command)
    return TerminalDeletion(
        device=sn, state=state, at=command.finished_at, command=command.id, reason=reason
    )


def asked_again(deletions: Sequence[TerminalDeletion]) -> list[str]:
    """Return the terminals that can be told to delete the person, first or once more."""
    states = (DeletionState.UNASKED, DeletionState.FAILED)
    return [one.device for one in deletions if one.state in states]


def departed_values_thd(
    tx: Transaction, pin: str, departure: Departure, caller: Caller
) -> dict[str, Any]:
    """Return what pages show of the deletions of a person who left, as far as a caller sees it."""
    found = deletions_of_thd(tx, pin, departure)
    mine = {*own_terminals_thd(tx, caller, [one.device for one in found])}
    shown = [one for one in found if one.device in mine]
    numbers = Counter(one.state for one in shown)
    return {
        # A page shows the first ones: those that are not done are not to be missed.
        "deletions": sorted(shown, key=lambda one: one.state is DeletionState.DONE),
        "deletion_counts": [(one, numbers[one]) for one in DeletionState if numbers[one]],
        "unfetched": unfetched_thd(tx, caller.areas, mine),
    }

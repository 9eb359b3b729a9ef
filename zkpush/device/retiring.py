"""Retirement of terminals, and their replacement by others.

A retired terminal is refused like a blocked one until an operator approves it again. Its records
stay; its queue, its keys and what is known of its present state end. A terminal that is replaced is
retired, and its successor takes its name, place and settings in the same unit of work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from ..counting import counted
from ..model import Caller, Device, DeviceState
from ..persist.commands import CommandStore
from ..persist.devices import DeviceStore
from ..persist.ending import EndTerminal, TerminalEnding, move_command
from ..persist.sessions import SessionStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..protocol.catalogue import Catalogue
from ..values.commands import CommandState, QueuedCommand
from ..values.sessions import SessionState
from . import acts
from .changes import change, check_scopes, scopes_to_remove
from .life import LifeEvent, happen
from .registry import Registry

_MOVED = (
    "alias",
    "area",
    "timezone",
    "settings",
    "networks",
    "encryption",
    "cipher",
    "token_policy",
)
"""Attributes that a successor takes over: those of the place, and not of the device."""


class NotReplaceable(Exception):
    """A terminal cannot be retired or replaced now; the message says why, and what to do."""


@attrs.frozen
class Ended:
    """Outcome of a retirement or replacement."""

    device: Device
    successor: Device | None
    moved: int
    """Number of queued commands that moved to the successor."""
    cancelled: int
    """Number of open commands that were cancelled."""


class TerminalRetirement:
    """Retires and replaces terminals on behalf of callers of the API."""

    def __init__(
        self,
        registry: Registry,
        catalogue: Catalogue,
        enders: Iterable[EndTerminal],
        now: Callable[[], int],
    ) -> None:
        """`enders` are the functions of all capabilities."""
        self._registry = registry
        self._catalogue = catalogue
        self._enders = tuple(enders)
        self._now = now

    def retire_thd(self, tx: Transaction, sn: str, by: Caller) -> Ended:
        """Retire a terminal; call `Registry.updated` for it after the commit.

        Raises `LookupError` for an unknown terminal, `NotReplaceable` if it is retired already, and
        `ScopeNeeded` if it has protection that the caller may not lower.
        """
        device = _present(tx, sn)
        ended = self._end(tx, device, None)
        acts.record(tx, by, acts.RETIRE_TERMINAL, f"terminal {sn}", _counts(ended), self._now())
        return ended

    def replace_thd(
        self, tx: Transaction, sn: str, by_sn: str, by: Caller, *, may_have_records: bool
    ) -> Ended:
        """Replace a terminal by another one, which is approved.

        Call `Registry.updated` for both after the commit. Raises the errors of `retire_thd`, and
        `NotReplaceable` for a successor that has records of its own unless `may_have_records`.
        """
        now = self._now()
        if sn == by_sn:
            raise NotReplaceable(
                f"{sn} is the same terminal. A device that keeps its serial number needs no "
                "replacement; approve it."
            )
        device = _present(tx, sn)
        successor = tx[DeviceStore].find(by_sn)
        if successor is None:
            successor = tx[DeviceStore].add(by_sn, DeviceState.PENDING, device.timezone, now)
        else:
            needed = scopes_to_remove(tx, successor)
            check_scopes(by, needed, "Replacing the settings of a protected terminal")
            if not may_have_records and tx[DeviceStore].has_records(successor.id):
                raise NotReplaceable(
                    f"The terminal {by_sn} has records of its own, which stay under its serial "
                    "number beside the history. If it is the right one, allow it with "
                    "`has_records`."
                )
        values: dict[str, object] = {name: getattr(device, name) for name in _MOVED}
        values |= {"state": DeviceState.APPROVED, "replaced_by": None}
        # Settings are merged: those of the successor only end.
        values["settings"] = {**dict.fromkeys(successor.settings), **device.settings}
        secret = tx[SessionStore].secret(device.id)
        if secret:
            values["secret"] = secret
        ciphers, families = self._registry.ciphers, self._registry.families
        successor = change(tx, successor, values, ciphers, families, now)
        ended = self._end(tx, device, successor)
        detail = f"by {by_sn}; {_counts(ended)}"
        acts.record(tx, by, acts.REPLACE_TERMINAL, f"terminal {sn}", detail, now)
        return ended

    def _end(self, tx: Transaction, device: Device, successor: Device | None) -> Ended:
        now, moved, cancelled = self._now(), 0, 0
        for command in tx[CommandStore].open(device.id):
            if successor is not None and self._may_move(command, successor):
                move_command(tx, command, successor.id)
                moved += 1
            else:
                happen(tx, command, LifeEvent.RETIRED, now)
                cancelled += 1
        for end in self._enders:
            end(TerminalEnding(tx=tx, device=device, successor=successor, now=now))
        tx[SessionStore].drop(device.id)
        values: dict[str, object] = {
            "state": DeviceState.RETIRED,
            "replaced_by": None if successor is None else successor.sn,
            "session": SessionState.NEW,
            "generation": device.generation + 1,
            "tokens": (),
            "problems": (),
        }
        return Ended(tx[DeviceStore].change(device.id, values), successor, moved, cancelled)

    def _may_move(self, command: QueuedCommand, successor: Device) -> bool:
        """Whether a command may go to another terminal: never sent, and repeatable.

        Commands of jobs, and those with a file or a result that depends on the terminal, stay.
        """
        entry = self._catalogue.get(command.command, command.family)
        return (
            command.state is CommandState.QUEUED
            and command.family == successor.family
            and command.job is None
            and command.file is None
            and not command.damaged
            and entry is not None
            and entry.is_repeatable
            and not entry.is_prepared
        )


def _present(tx: Transaction, sn: str) -> Device:
    """Find a terminal that is not retired."""
    device = tx[DeviceStore].find(sn)
    if device is None:
        raise LookupError(Phrase("There is no terminal %(sn)s.", sn=sn))
    if device.state is DeviceState.RETIRED:
        if device.replaced_by:
            raise NotReplaceable(
                Phrase(
                    "The terminal %(sn)s is retired already, and replaced by %(by)s.",
                    sn=sn,
                    by=device.replaced_by,
                )
            )
        raise NotReplaceable(Phrase("The terminal %(sn)s is retired already.", sn=sn))
    return device


def _counts(ended: Ended) -> str:
    return f"{counted(ended.moved, 'command')} moved, {ended.cancelled} cancelled"

"""One person who is sent to terminals by a caller; no area is switched, and nobody else is sent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import attrs

from ...counting import counted
from ...device import acts
from ...interfaces import IStore
from ...manage.errors import ApiError, not_found
from ...manage.limits import PERSON, Owner, require_thd
from ...manage.targets import TargetRequest, targets_thd
from ...model import Caller, Device
from ...persist.audit import AuditStore
from ...persist.devices import DeviceStore
from ...persist.targets import TargetStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ..people.store import PersonStore, PersonSurvey, StrangerStore, queued_deletions_thd
from .copies import CopyOutcome, copy_thd, refusal_of, target_thd
from .desired import PRIVILEGE, sent_fields
from .model import USER, PartState
from .store import AreaStore
from .whereabouts import ON_ITS_WAY, WhereaboutsStore

SEND = "send person"
AT_ONCE = 20
"""Terminals in one unit of work."""
_REACHED = ("there", ON_ITS_WAY)
"""States of a person who is on a terminal, or about to be."""
_STRANGER = Phrase(
    "The terminal may still have somebody else under this user ID. Delete the user there first."
)
_DELETION_WAITS = Phrase(
    "A command that deletes this user waits for the terminal. Cancel it, or send the person after "
    "it."
)


@attrs.frozen
class SendOutcome:
    """What sending a person means for one terminal."""

    sn: str
    found: CopyOutcome
    refusal: Phrase | None = None
    """Why the person is not sent there, and what to do; None if the terminal takes people."""

    @property
    def is_there(self) -> bool:
        """Whether the terminal has the person already, with all that fits."""
        return self.found.there > 0

    @property
    def is_sent(self) -> bool:
        """Whether something is sent."""
        return self.found.commands > 0


@attrs.frozen
class ClosedArea:
    """An area that keeps its people on its terminals, and does not have a person."""

    name: str
    terminals: int


@attrs.frozen
class SendingChoice:
    """The terminals that a person can be sent to."""

    keys: Sequence[int]
    """Approved terminals that neither have the person nor are to have the person."""
    closed: Sequence[ClosedArea]
    """Areas whose terminals would delete the person again."""


class PersonSending:
    """Sends a person to terminals."""

    def __init__(self, store: IStore) -> None:
        self._store = store

    async def send(
        self, pin: str, targets: TargetRequest, by: Caller, now: int, *, dry_run: bool
    ) -> list[SendOutcome]:
        """Send a person to terminals.

        Commands are queued a few at a time afterwards, by the reconciler. Raises `ApiError` if
        there is no such person, and as `targets_thd`; then nothing is sent.
        """
        keys = await self._store.read(partial(_terminals_thd, pin=pin, targets=targets, by=by))
        run = self._store.read if dry_run else self._store.write
        outcomes: list[SendOutcome] = []
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            unit = partial(_send_thd, keys=some, pin=pin, by=by, now=now, is_written=not dry_run)
            outcomes += await run(unit)
        return outcomes


def _terminals_thd(tx: Transaction, pin: str, targets: TargetRequest, by: Caller) -> list[int]:
    """Return the keys of the terminals; `ApiError` for an unknown person."""
    require_thd(tx, by, Owner(PERSON, pin))
    if pin not in tx[PersonStore].authored([pin]):
        raise _no_person(pin)
    return [one.id for one in targets_thd(tx, targets, by)]


def _no_person(pin: str) -> ApiError:
    return not_found(Phrase("There is no user %(pin)s.", pin=pin))


def _send_thd(
    tx: Transaction, keys: Sequence[int], pin: str, by: Caller, now: int, *, is_written: bool
) -> list[SendOutcome]:
    """Send a person to some terminals, and record each."""
    strangers = tx[StrangerStore].places([pin]).get(pin, ())
    deleting = queued_deletions_thd(tx, [(key, pin) for key in keys])
    devices = {one.id: one for one in tx[DeviceStore].with_keys(keys)}
    outcomes = []
    for device in (devices[key] for key in keys if key in devices):
        if device.id in strangers:
            outcomes.append(SendOutcome(device.sn, CopyOutcome(), _STRANGER))
            continue
        is_leaving = (device.id, pin) in deleting
        one = _outcome_thd(tx, device, pin, now, is_leaving=is_leaving, is_written=is_written)
        if is_written and one.is_sent:
            detail = f"to terminal {device.sn}: {counted(one.found.commands, 'command')}"
            acts.record(tx, by, SEND, tx[AuditStore].person(pin), detail, now)
        outcomes.append(one)
    return outcomes


def _outcome_thd(
    tx: Transaction, device: Device, pin: str, now: int, *, is_leaving: bool, is_written: bool
) -> SendOutcome:
    """Send a person to a terminal; with `is_leaving`, a command deletes the user there."""
    found = CopyOutcome()
    refusal = refusal_of(device)
    if refusal is not None:
        return SendOutcome(device.sn, found, refusal)
    target = target_thd(tx, device)
    if is_leaving and not target.distributes:  # an area that does sends the person again
        found_there = copy_thd(tx, target, [pin], now, is_written=False).get(pin) or ()
        if any(one.part == USER and one.state is PartState.THERE for one in found_there):
            return SendOutcome(device.sn, found, _DELETION_WAITS)
    copied = copy_thd(tx, target, [pin], now, is_written=is_written)
    if pin not in copied:
        raise _no_person(pin)  # removed meanwhile
    parts = copied[pin]
    if parts is None:
        return SendOutcome(
            device.sn,
            found,
            Phrase(
                "Terminal %(sn)s is in the area %(area)s, which keeps its people on its terminals "
                "and does not have this person: it would delete the person again. Add the person "
                "to the area %(area)s.",
                sn=device.sn,
                area=target.area,
            ),
        )
    found.add(pin, parts)
    return SendOutcome(device.sn, found)


def choice_thd(tx: Transaction, pin: str, areas: frozenset[str] | None) -> SendingChoice | None:
    """Return the terminals that a person can be sent to; None for an unknown person.

    `areas` are those of a limited account.
    """
    if pin not in tx[PersonStore].authored([pin]):
        return None
    own = tx[PersonStore].areas([pin]).get(pin, ())
    targets = tx[TargetStore]
    closed = {
        name: [one.id for one in targets.approved(name, areas)]
        for name in sorted(tx[AreaStore].distributing().difference(own))
    }
    places = tx[WhereaboutsStore].of_person(pin) or ()
    left_out = {key for keys in closed.values() for key in keys}
    left_out |= {one.id for one in places if one.state in _REACHED}
    return SendingChoice(
        [one.id for one in targets.approved(areas=areas) if one.id not in left_out],
        [ClosedArea(name, len(keys)) for name, keys in closed.items() if keys],
    )


@attrs.frozen
class Powers:
    """What a person can do at terminals that the person is sent to."""

    has_rights: bool
    has_password: bool


def powers_thd(tx: Transaction, pin: str) -> Powers:
    """Return what terminals that are sent a person learn of rights and a password.

    Rights that only a terminal has given stay there.
    """
    fields = sent_fields(tx[PersonSurvey].of([pin])[pin].fields or {})
    return Powers(fields.get(PRIVILEGE) not in (None, 0), "password" in fields)

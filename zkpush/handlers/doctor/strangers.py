"""Checks of serial numbers that are not among the terminals, from the refusals in the audit log.

Requests in their names are not traced, because anybody can invent serial numbers. Refusals are
recorded at a bounded rate (`zkpush.device.refusals`).
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from ...device.refusals import ACTION, Refusal, RefusalLog
from ...model import Page
from ...persist.audit import AuditStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...values.audit import AuditRecord, device_actor
from .advice import advice_on_paths, approval_of, counted, duration, with_zone
from .model import Check

DAY = 24 * 3600_000
"""Milliseconds for which refusals are shown."""
HOUR = 3600_000
"""Milliseconds for which the check of the installation shows them."""
MOST_READ = 200
_MOST_SHOWN = 3
_DEVICE = device_actor("")
_OF_STRANGERS = tuple(
    one.words
    for one in (
        Refusal.PATH,
        Refusal.UNKNOWN,
        Refusal.PENDING_TERMINALS,
        Refusal.TERMINALS,
        Refusal.UNKNOWN_PER_MINUTE,
    )
)
"""Reasons for which an unknown terminal is refused and not recorded."""


class StrangerRefusals:
    """Reads the recent refusals of serial numbers, including those not written yet."""

    def __init__(self, refusals: RefusalLog) -> None:
        self._refusals = refusals

    def of_thd(self, tx: Transaction, sn: str, now: int) -> list[AuditRecord]:
        """List the refusals of a serial number in the last day, newest first."""
        actor = device_actor(sn)
        page = Page(MOST_READ, newest_first=True)
        return tx[AuditStore].page(page, since=now - DAY, actor=actor, action=ACTION)

    def recent_thd(self, tx: Transaction, now: int) -> list[AuditRecord]:
        """List the refusals of the last hour, newest first."""
        page = Page(MOST_READ, newest_first=True)
        return tx[AuditStore].page(page, since=now - HOUR, action=ACTION)

    def unwritten(self, sn: str | None = None) -> list[AuditRecord]:
        """List the refusals of this process that are not stored yet, newest first."""
        actor = None if sn is None else device_actor(sn)
        found = [one for one in self._refusals.unwritten() if actor in (None, one.actor)]
        return sorted(found, key=lambda one: one.at, reverse=True)


def examine_stranger(
    sn: str, refusals: Sequence[AuditRecord], now: int, *, knows_zone: bool
) -> list[Check]:
    """Make a check for each reason for which an unknown terminal was refused; `refusals` are its
    own, newest first."""
    checks = []
    for reason in dict.fromkeys(one.subject for one in refusals):
        found = [one for one in refusals if one.subject == reason]
        ago = duration(now - found[0].at)
        seen = "; ".join(dict.fromkeys(one.detail or "" for one in found[:_MOST_SHOWN]))
        checks.append(
            Check(
                "refusals",
                "error",
                Phrase(
                    "It is not among the terminals, but requests with this serial number reached "
                    "the server and were refused, the last %(ago)s ago: %(reason)s (%(seen)s).",
                    ago=ago,
                    reason=reason,
                    seen=seen,
                ),
                _advice(sn, reason, found, knows_zone=knows_zone),
            )
        )
    return checks


def check_strangers(
    refusals: Sequence[AuditRecord], known: Container[str], now: int
) -> list[Check]:
    """Warn of unknown terminals and of bad serial numbers that were refused, if there are any.

    `known` are the serial numbers of terminals.
    """
    last: dict[str, AuditRecord] = {}
    malformed: dict[str, AuditRecord] = {}
    for one in refusals:
        if one.subject == Refusal.ARGUMENTS.words:
            malformed.setdefault(one.actor, one)
        sn = one.actor.removeprefix(_DEVICE)
        is_stranger = one.actor.startswith(_DEVICE) and sn not in known
        if is_stranger and one.subject in _OF_STRANGERS:
            last.setdefault(sn, one)
    return [*_strangers(last, now), *_malformed(malformed, now)]


def _malformed(last: Mapping[str, AuditRecord], now: int) -> list[Check]:
    """Warn of requests without a valid serial number; `last` are the last ones by actor."""
    if not last:
        return []
    shown = "; ".join(
        f"{duration(now - one.at)} ago ({one.detail})" for one in [*last.values()][:_MOST_SHOWN]
    )
    more = f"; and {len(last) - _MOST_SHOWN} more" if len(last) > _MOST_SHOWN else ""
    return [
        Check(
            "serial numbers",
            "warning",
            "Requests whose serial number is missing or malformed were refused with status 400 in "
            f"the last hour, the last {shown}{more}.",
            "A serial number has 1 to 32 letters, digits, - or _. If it is a terminal, look at its "
            "serial number in its menu (System Info); it takes none from the server. If a proxy is "
            "in front, let it pass the query (?SN=…) on unchanged. Otherwise it is no terminal.",
        )
    ]


def _strangers(last: Mapping[str, AuditRecord], now: int) -> list[Check]:
    """Warn of unknown serial numbers; `last` are their last refusals."""
    if not last:
        return []
    shown = "; ".join(
        f"{sn}, {duration(now - one.at)} ago: {one.subject} ({one.detail})"
        for sn, one in [*last.items()][:_MOST_SHOWN]
    )
    more = f"; and {len(last) - _MOST_SHOWN} more" if len(last) > _MOST_SHOWN else ""
    return [
        Check(
            "strangers",
            "warning",
            f"Requests with {counted(len(last), 'serial number')} of no known terminal were "
            f"refused in the last hour: {shown}{more}.",
            f"Examine those that are yours: `zkpush doctor {next(iter(last))}`.",
        )
    ]


def _advice(sn: str, reason: str, found: Sequence[AuditRecord], *, knows_zone: bool) -> Phrase:
    advice = _advice_on(sn, reason, found, knows_zone=knows_zone)
    return with_zone(advice, knows_zone=knows_zone or "command" not in advice.values)


def _advice_on(sn: str, reason: str, found: Sequence[AuditRecord], *, knows_zone: bool) -> Phrase:
    add = approval_of(sn, knows_zone=knows_zone, adds=True)
    if reason == Refusal.PATH.words:
        return advice_on_paths([one.detail or "" for one in found])
    if reason == Refusal.UNKNOWN.words:
        return Phrase(
            "This server takes no unknown terminals (`admission` in the configuration). If it is "
            "yours, add it: `%(command)s`.",
            command=add,
        )
    if reason == Refusal.PENDING_TERMINALS.words:
        return Phrase(
            "Too many terminals are pending: approve or block them (`zkpush devices list`). Or add "
            "this one: `%(command)s`.",
            command=add,
        )
    if reason == Refusal.TERMINALS.words:
        return Phrase(
            "Raise `limits.terminals` in the configuration, or delete terminals that are gone."
        )
    if reason == Refusal.UNKNOWN_PER_MINUTE.words:
        return Phrase(
            "Too many unknown terminals come at once. If it is yours, add it: `%(command)s`.",
            command=add,
        )
    return Phrase(
        "See all refusals: `zkpush audit list --action refused --actor '%(actor)s'`; `zkpush docs "
        "refusals` lists the reasons.",
        actor=device_actor(sn),
    )

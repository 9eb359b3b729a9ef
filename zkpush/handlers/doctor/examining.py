"""The examination of one terminal, as the API and the console show it."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...clock import wall_clock
from ...device.acts import CHANGE_TERMINAL
from ...device.places import GONE_AFTER
from ...device.registry import Registry
from ...interfaces import IStore
from ...manage.arguments import suggestion
from ...manage.problems import Problems
from ...manage.services import Services
from ...model import Device, Page
from ...persist.audit import AuditStore
from ...persist.commandschedule import CommandSchedule
from ...persist.devices import DeviceStore
from ...persist.presence import PresenceStore
from ...persist.rejects import RejectStore
from ...persist.stamps import StampStore
from ...persist.transaction import Transaction
from ...values.audit import AuditRecord, terminal_subject
from ...values.sessions import TokenPolicy
from ...values.setaside import RepeatedReject
from ..attendance.store import AttendanceStore
from ..commands.model import StuckQueue
from ..commands.store import QueueProgress
from ..trace.model import LastRequests
from .facts import TerminalFacts
from .model import Examination, examination
from .refusing import RECENT
from .strangers import StrangerRefusals, examine_stranger
from .terminal import examine, rank


class _Decisions(NamedTuple):
    """What operators decided about a terminal lately."""

    decided_at: int | None
    """When somebody last changed in the last hour what of it is refused (ms)."""
    has_begun_anew: bool
    """Whether somebody began its tokens anew in the last day."""


_Found = (
    tuple[
        Device,
        int | None,
        StuckQueue | None,
        StuckQueue | None,
        frozenset[str],
        bool,
        _Decisions,
        int | None,
        RepeatedReject | None,
    ]
    | list[AuditRecord]
)
_DECISION = re.compile(r"\b(state|networks|comm_key|token_policy|encryption)\b")
"""Changed attributes of a terminal that decide what is refused, in the audit log."""
_ANEW = f"token_policy={TokenPolicy.CHECK.value}"
"""Change that begins the tokens of a terminal anew, in the audit log."""
_MOST_CHANGES = 100


class TerminalExaminer:
    """Examines a terminal, or the refusals of a serial number that is not among the terminals."""

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        requests: LastRequests,
        strangers: StrangerRefusals,
        problems: Problems,
        clock: object,
    ) -> None:
        self._store = store
        self._registry = registry
        self._requests = requests
        self._strangers = strangers
        self._problems = problems
        self._wall = wall_clock(clock)

    async def meant(self, sn: str) -> str:
        """Ask whether a terminal with a similar serial number was meant; empty without one."""
        serials = await self._store.read(lambda tx: tx[PresenceStore].serials())
        return suggestion(sn, serials)

    async def examine(self, sn: str) -> tuple[Device | None, Examination]:
        """Return the terminal, or None for a stranger, and its examination.

        Raises `LookupError` if nothing is known of the serial number.
        """
        now = int(self._wall() * 1000)

        def find(tx: Transaction) -> _Found:
            device = tx[DeviceStore].find(sn)
            if device is None:
                return self._strangers.of_thd(tx, sn, now)
            oldest = tx[CommandSchedule].oldest_due(device.id, now)
            stuck = tx[QueueProgress].stuck(device.id, now)
            waits = tx[QueueProgress].unanswered(device.id, now)
            stamps = frozenset(tx[StampStore].of(device.id))
            has_any = tx[AttendanceStore].has_any(device.id)
            decisions = _decisions_thd(tx, sn, now)
            current = tx[RejectStore].current(device)
            newest = tx[RejectStore].newest_id(device.id)
            repeated = tx[RejectStore].most_repeated(device.id)
            return current, oldest, stuck, waits, stamps, has_any, decisions, newest, repeated

        found = await self._store.read(find)
        if isinstance(found, list):
            refusals = [*self._strangers.unwritten(sn), *found]
            if not refusals:
                raise LookupError(sn)
            knows_zone = self._registry.timezone is not None
            return None, examination(examine_stranger(sn, refusals, now, knows_zone=knows_zone))
        device, oldest, stuck, waits, stamps, has_records, decisions, newest, repeated = found
        last_seen_at, _ = self._registry.last_seen(device)
        trace = await self._requests.of(device)
        facts = TerminalFacts(
            device=device,
            now=now,
            is_online=self._registry.is_online(device),
            last_seen_at=last_seen_at,
            trace=trace,
            oldest_command_at=oldest,
            stuck=stuck,
            unanswered=waits,
            others=[
                one
                for one in await self._problems.of_server()
                if sn == one.sn
                or (
                    sn in one.candidates
                    and not any(each.refused and each.at > one.since_at for each in trace)
                )
            ],
            stamps=stamps,
            has_records=has_records,
            newest_reject=newest,
            repeated=repeated,
            decided_at=decisions.decided_at,
            has_begun_anew=decisions.has_begun_anew,
        )
        return device, examination(examine(facts), rank)


def _decisions_thd(tx: Transaction, sn: str, now: int) -> _Decisions:
    changes = tx[AuditStore].page(
        Page(_MOST_CHANGES, newest_first=True),
        since=now - GONE_AFTER,
        action=CHANGE_TERMINAL,
        subject=terminal_subject(sn),
    )
    recent = [one for one in changes if one.at >= now - RECENT]
    decided_at = next((one.at for one in recent if _DECISION.search(one.detail or "")), None)
    return _Decisions(decided_at, any(_ANEW in (one.detail or "") for one in changes))


def examiner(services: Services) -> TerminalExaminer:
    """Return an examiner of the terminals of a server."""
    return TerminalExaminer(
        services.store,
        services.registry,
        services.offers[LastRequests],
        StrangerRefusals(services.refusals),
        services.problems,
        services.clock,
    )

"""Steps of counts: each is one unit of work, with the command that it queues."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import msgspec

from ...device.families import Families
from ...device.modes import REFUSAL, takes_commands
from ...device.queueing import CommandWriter, Delivery
from ...model import Device, DeviceState, Page, Problem
from ...persist.commandrows import reason_words
from ...persist.commands import CommandStore
from ...persist.devices import DeviceStore
from ...persist.rejects import RejectStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase, in_series, two_sentences
from ...problems import ProblemCode
from ...protocol.codes import RecordType
from ...protocol.dialect import FIRST_FAMILY
from ...protocol.errors import CommandError
from ...protocol.times import local_time
from ...values.commands import OPEN_STATES, QueuedCommand
from ...values.setaside import RejectSelection
from ..attendance.store import AttendanceStore
from ..attendance.tables import ATTLOG
from .life import CountEvent, answer_to_count, answer_to_query, next_state, numbers_of
from .model import ASKED_STATES, CONCLUSIVE, OPEN_COUNTS, CountState, DayCount, ShortDay
from .store import CountStore

COUNT, QUERY = "VERIFY SUM ATTLOG", f"DATA QUERY {ATTLOG.name}"
ANSWER_WITHIN = 900
"""Seconds that a terminal may take to fetch the command to count."""
SEND_WITHIN = 1800
"""Seconds that a terminal may take to fetch the command to send its records."""
ASK_AGAIN = 600_000
"""Milliseconds until a terminal that did not answer is asked again."""
MOST_DAYS = 10
"""Maximum number of days of a terminal that are counted at the same time."""
_COUNT_DELIVERY = Delivery(expires_in=ANSWER_WITHIN, priority=0)
_QUERY_DELIVERY = Delivery(expires_in=SEND_WITHIN, priority=0)
_MOST_REJECTS = 1000
"""Maximum number of rejects searched for a date."""
_MOST_NAMED = 5
"""Maximum number of days that a problem names."""


@attrs.frozen
class CountStep:
    """Outcome of a step."""

    hurried: str | None = None
    """Serial number of a terminal with a new command."""
    changed: Device | None = None
    """The terminal, if its problems have changed."""


_NOTHING = CountStep()


def unfit(device: Device) -> str | None:
    """Say why a terminal cannot be asked for its records of a day; None if it can."""
    if device.state is not DeviceState.APPROVED:
        return Phrase("The terminal is not approved.")
    if device.family != FIRST_FAMILY:
        return Phrase("The terminal does not speak Attendance PUSH.")
    if not takes_commands(device):
        return REFUSAL
    if device.timezone is None:
        return Phrase(
            "The time zone of the terminal is not known, so a day has no meaning there. Set it: "
            "`zkpush devices set %(sn)s timezone=ZONE`, such as Europe/Berlin.",
            sn=device.sn,
        )
    return None


class CountSteps:
    """Writes the steps of counts."""

    def __init__(self, writer: CommandWriter, families: Families, at_once: int) -> None:
        """`at_once` is the maximum number of terminals that are asked at the same time."""
        self._writer = writer
        self._families = families
        self._at_once = at_once

    def ask(self, tx: Transaction, device_id: int, now: int) -> CountStep:
        """Ask a terminal for the numbers of its records of all days that are due."""
        counts = tx[CountStore]
        busy = counts.terminals_asked()
        if device_id in busy or len(busy) >= self._at_once:
            return _NOTHING
        device = tx[DeviceStore].get(device_id)
        reason, hurried = unfit(device), None
        for count in counts.due_of(device_id, now, MOST_DAYS):
            if reason is None:
                try:
                    step = self._send(tx, device, count, CountEvent.ASKED, COUNT, now)
                    hurried = step.hurried
                    continue
                except CommandError as error:
                    reason = str(error)
            self._move(tx, device, count, CountEvent.UNFIT, now, detail=reason)
        return CountStep(hurried=hurried)

    def give_up(self, tx: Transaction, count_id: int, now: int) -> CountStep:
        """End a count whose terminal was not connected in time."""
        count = tx[CountStore].get(count_id, locked=True)
        if count is None or count.state is not CountState.WAITING:
            return _NOTHING
        device = tx[DeviceStore].get(count.device_id)
        detail = "It was asked and did not answer." if count.asked else "It was not connected."
        return self._move(
            tx, device, count, CountEvent.DEADLINE, now, detail=count.detail or detail
        )

    def settle(self, tx: Transaction, count_id: int, now: int) -> CountStep:
        """Go on with a count whose command has ended."""
        count = tx[CountStore].get(count_id, locked=True)
        if count is None or count.state not in ASKED_STATES:
            return _NOTHING
        command = tx[CommandStore].get(count.command or "")
        if command is not None and command.state in OPEN_STATES:
            return _NOTHING
        device = tx[DeviceStore].get(count.device_id)
        if count.state is CountState.FETCHING:
            return self._fetched(tx, device, count, command, now)
        return self._counted(tx, device, count, command, now)

    def _counted(
        self,
        tx: Transaction,
        device: Device,
        count: DayCount,
        command: QueuedCommand | None,
        now: int,
    ) -> CountStep:
        event = answer_to_count(count, command)
        numbers = None if command is None else numbers_of(command)
        if numbers is None or event in (CountEvent.REFUSED, CountEvent.SILENT):
            return self._not_counted(tx, device, count, command, event, now)
        tx[CountStore].can_count(device.id)
        counted, stored = numbers
        before = count.stored
        count = msgspec.structs.replace(count, counted=counted, stored=stored)
        fetched = None
        if count.state is CountState.RECOUNTING and before is not None:
            fetched = max(stored - before, 0)
        values = {"counted": counted, "stored": stored, "fetched": fetched}
        if event is CountEvent.MORE and count.state is CountState.COUNTING:
            return self._send(tx, device, count, event, QUERY, now, **values)
        return self._move(tx, device, count, event, now, **values)

    def _not_counted(
        self,
        tx: Transaction,
        device: Device,
        count: DayCount,
        command: QueuedCommand | None,
        event: CountEvent,
        now: int,
    ) -> CountStep:
        """Go on without a number."""
        detail = self._words(command)
        if count.state is CountState.RECOUNTING:
            return self._unproved(tx, device, count, event, now, detail)
        if event is CountEvent.SILENT:
            again = now + ASK_AGAIN
            return self._move(tx, device, count, event, now, detail=detail, not_before_at=again)
        if event is CountEvent.REFUSED:
            tx[CountStore].refused(device.id, detail, now)
            step = self._move(tx, device, count, event, now, detail=detail)
            tx[CountStore].give_up_waiting(device.id, detail, now)
            return step
        return self._move(tx, device, count, event, now, detail=detail)

    def _fetched(
        self,
        tx: Transaction,
        device: Device,
        count: DayCount,
        command: QueuedCommand | None,
        now: int,
    ) -> CountStep:
        event = answer_to_query(command)
        if event is CountEvent.NOT_FETCHED:
            return self._unproved(tx, device, count, event, now, self._words(command))
        sent = 0 if command is None else command.records
        return self._send(tx, device, count, event, COUNT, now, sent=sent)

    def _unproved(
        self,
        tx: Transaction,
        device: Device,
        count: DayCount,
        event: CountEvent,
        now: int,
        detail: str | None,
    ) -> CountStep:
        """End a count that found a shortfall, unless the records have arrived meanwhile.

        On the present day, new records could stand for missing ones.
        """
        stored = tx[AttendanceStore].count_times(device.id, count.begin, count.end)
        counted, before = count.counted or 0, count.stored or 0
        is_over = local_time(device.timezone, now / 1000)[:10] > count.day
        if is_over and stored >= counted:
            event, detail = CountEvent.EQUAL, None
        fetched = max(stored - before, 0)
        return self._move(
            tx, device, count, event, now, stored=stored, fetched=fetched, detail=detail
        )

    def _send(
        self,
        tx: Transaction,
        device: Device,
        count: DayCount,
        event: CountEvent,
        name: str,
        now: int,
        **values: object,
    ) -> CountStep:
        """Queue a command, and go on to the state in which its answer is expected."""
        state = _after(count, event)
        delivery = _QUERY_DELIVERY if name == QUERY else _COUNT_DELIVERY
        params = {"StartTime": count.begin, "EndTime": count.end}
        command = self._writer.add(tx, device, name, params, None, delivery, now)
        asked = count.asked + (name == COUNT)
        values |= {"command": command.id, "asked": asked, "detail": None}
        if not tx[CountStore].change(count, state, **values):
            raise RuntimeError(f"the count {count.id} was changed while it was locked")
        return CountStep(hurried=device.sn)

    def _move(
        self,
        tx: Transaction,
        device: Device,
        count: DayCount,
        event: CountEvent,
        now: int,
        **values: object,
    ) -> CountStep:
        """Go on to the state after an event; update the problem of the terminal at the end."""
        state = _after(count, event)
        if state not in OPEN_COUNTS:
            values["finished_at"] = now
        if state is CountState.SHORT:
            values["rejects"] = _rejects_of(tx, device.sn, count.day)
        if state is CountState.SURPLUS:
            values["verifications"] = tx[AttendanceStore].count_times(
                device.id, count.begin, count.end, RecordType.VERIFICATION
            )
        tx[CountStore].change(count, state, **values)
        changed = update_problem(tx, device, now) if state in CONCLUSIVE else None
        return CountStep(changed=changed)

    def _words(self, command: QueuedCommand | None) -> str | None:
        """Say why a command has no number."""
        if command is None:
            return "Its command was deleted."
        code = command.return_code
        if command.state in OPEN_STATES or code is None:
            return reason_words(command)
        outcome = self._families.named(command.family).outcome(command.command, code)
        if outcome.is_success:
            return "It answered without a number."
        return f"It answered with the return code {code}: {outcome.meaning or 'unknown'}."


def _after(count: DayCount, event: CountEvent) -> CountState:
    state = next_state(count.state, event)
    if state is None:
        raise RuntimeError(f"{event.name} cannot happen to a count that is {count.state.value}")
    return state


def _rejects_of(tx: Transaction, sn: str, day: str) -> int:
    """Count the rejects of a terminal that contain a date."""
    selection = RejectSelection(device=sn, table=ATTLOG.name)
    found = tx[RejectStore].page(Page(_MOST_REJECTS, newest_first=True), selection=selection)
    dates = [day.encode(), day.replace("-", "/").encode()]
    return sum(any(date in (reject.raw or b"") for date in dates) for reject in found)


def _missing_words(days: Sequence[ShortDay]) -> Phrase:
    """Name the days of which a terminal holds more records than are stored."""
    parts: list[Phrase] = [
        Phrase(
            "%(day)s: %(stored)s of %(counted)s",
            day=one.day,
            stored=one.stored,
            counted=one.counted,
        )
        for one in days[:_MOST_NAMED]
    ]
    if len(days) > _MOST_NAMED:
        unnamed = len(days) - _MOST_NAMED
        parts.append(counted_phrase("and %(num)s more day", "and %(num)s more days", unnamed))
    detail = Phrase(
        "Stored of the records that the terminal counts: %(days)s.", days=in_series(parts)
    )
    rejects = sum(one.rejects for one in days)
    if not rejects:
        return detail
    more = counted_phrase(
        "%(num)s reject contains these dates.", "%(num)s rejects contain these dates.", rejects
    )
    return two_sentences(detail, more)


def update_problem(tx: Transaction, device: Device, now: int) -> Device | None:
    """Raise, update or clear the problem of a terminal; returns the terminal if it has changed."""
    present = tx[DeviceStore].get(device.id)
    known = next((one for one in present.problems if one.code == ProblemCode.RECORDS_MISSING), None)
    days = tx[CountStore].short_days(device.id)
    if not days:
        if known is None:
            return None
        tx[DeviceStore].clear_problem(device.id, ProblemCode.RECORDS_MISSING)
        return tx[DeviceStore].get(device.id)
    detail = _missing_words(days)
    if known is not None and known.detail == detail:
        return None
    since = now if known is None else known.since_at
    problem = Problem(ProblemCode.RECORDS_MISSING, detail, since)
    tx[DeviceStore].raise_problem(device.id, problem)
    return tx[DeviceStore].get(device.id)

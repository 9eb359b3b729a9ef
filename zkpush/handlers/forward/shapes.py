"""The data of punches as a forwarder sends it, and corrections of punches that were sent before.

The direction of a punch, and whether it is left out because of the minimum gap, depend on other
punches of the same person. They are computed from the punches up to a record id. A portion of
events moves that id forward, so the punches before it may look different afterwards: a punch that
arrives late changes the later ones of its working day. Each such punch is corrected.

Records whose instants were computed again are different: their old instants are gone. All punches
of their working days that were sent before are sent again as corrections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ...persist.transaction import Transaction
from ...protocol.codes import RecordType
from ..attendance.model import Punch
from ..attendance.store import AttendanceStore
from .directions import Passed, days_around, pass_punches, working_day
from .model import DirectionRule, ForwardRules
from .rules import EventSelection, fill

Data = dict[str, Any]


@attrs.frozen
class Recomputed:
    """A record whose instant was computed again."""

    event: int
    """Id of the event that names it."""
    at: int
    """When that was stored, in milliseconds since the epoch."""
    punch: Punch


@attrs.define
class PortionPunches:
    """Punches that decide how a portion looks; those that the rules leave out count as well."""

    seen: int
    """Id of the last record before the portion."""
    end: int
    """Id of its last record."""
    arrived: list[Punch] = attrs.field(factory=list)
    """Records of the portion."""
    recomputed: dict[int, Recomputed] = attrs.field(factory=dict)
    """Records whose instants were computed again, by id."""

    def __iter__(self) -> Iterator[Punch]:
        yield from self.arrived
        for one in self.recomputed.values():
            yield one.punch


@attrs.frozen
class PunchChange:
    """A correction of a punch that was sent before."""

    id: str
    """Id of the event."""
    punch: Punch
    data: Data
    is_withdrawn: bool
    """Whether the rules leave it out now."""
    at: int
    """When the cause was stored, in milliseconds since the epoch."""


@attrs.frozen
class Shape:
    """How the punches of a portion look."""

    rules: ForwardRules
    passed: Mapping[int, Passed] | None = None
    """Punches that pass the rules about several punches, by id; None without such rules."""
    before: Mapping[int, Passed] = attrs.field(factory=dict)
    """The same, as it was before the portion."""
    sent: Sequence[Punch] = ()
    """Selected punches of the same people and days from before the portion."""

    @classmethod
    def of(cls, tx: Transaction, selection: EventSelection, punches: PortionPunches) -> Shape:
        """Apply the rules that need other punches of the same people."""
        rules = selection.rules
        causes = [punch for punch in punches if _is_punch(punch)]
        if not causes or (rules.directions is None and not rules.minimum_gap_seconds):
            return cls(rules)
        pins = {punch.pin for punch in causes}
        found: dict[int, Punch] = {}
        for begin, end in days_around(causes):
            several = tx[AttendanceStore].of_people(pins, begin, end)
            found |= {one.id: one for one in several if one.id <= punches.end}
        counted = [punch for punch in found.values() if selection.counts(punch)]
        known = [punch for punch in counted if punch.id <= punches.seen]
        return cls(
            rules,
            pass_punches(counted, rules),
            pass_punches(known, rules),
            sorted(filter(selection.wants_punch, known), key=lambda one: one.id),
        )

    def shaped(self, punch: Punch, data: Data) -> Data | None:
        """Return the data of a punch; None if it is left out."""
        return self._filled(punch, data, self.passed)

    def changes(
        self, punches: PortionPunches, chosen: Iterable[int], view: Callable[[Punch], Data]
    ) -> Iterator[PunchChange]:
        """Yield the corrections of punches that were sent before the portion.

        `chosen` are the ids of records that the portion contains anyway.
        """
        if self.passed is None or not self.sent:
            return
        skipped = frozenset(chosen)
        latest = {punch.pin: punch for punch in sorted(punches.arrived, key=lambda one: one.id)}
        days = {
            self._day(one.punch): one
            for one in sorted(punches.recomputed.values(), key=lambda one: one.event)
        }
        for punch in self.sent:
            if punch.id in skipped:
                continue
            data = view(punch)
            new = self.shaped(punch, data)
            recomputed = days.get(self._day(punch))
            if recomputed is not None:
                identity, at = f"evt_{recomputed.event}_{punch.id}", recomputed.at
            elif new != self._filled(punch, data, self.before):
                cause = latest[punch.pin]
                identity, at = f"rec_{cause.id}_{punch.id}", cause.received_at
            else:
                continue
            shown = self.withdrawn(data) if new is None else new
            yield PunchChange(identity, punch, shown, new is None, at)

    def withdrawn(self, data: Data) -> Data:
        """Return the data of a punch that is withdrawn; it has no direction."""
        return self._renamed({**data, "direction": None})

    def _day(self, punch: Punch) -> object:
        rule = self.rules.directions or DirectionRule()
        return punch.pin, working_day(punch.time, rule.day_starts)

    def _filled(self, punch: Punch, data: Data, passed: Mapping[int, Passed] | None) -> Data | None:
        if passed is not None and _is_punch(punch):
            found = passed.get(punch.id)
            if found is None:
                return None
            data = {**data, "direction": found.direction}
        return self._renamed(data)

    def _renamed(self, data: Data) -> Data:
        if self.rules.fields is None:
            return data
        return {name: fill(template, data) for name, template in self.rules.fields.items()}


def _is_punch(punch: Punch) -> bool:
    return (punch.record_type or 0) == RecordType.ATTENDANCE

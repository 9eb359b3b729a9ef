"""Counts in the store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, case, delete, func, insert, select, text, update

from ...model import DeviceState, Page
from ...persist.commandrows import IS_OPEN
from ...persist.commandschema import commands
from ...persist.databases import insert as upsert
from ...persist.paging import key_of, part_of
from ...persist.schema import devices
from ...protocol.dialect import FIRST_FAMILY
from .model import (
    ASKED_STATES,
    CONCLUSIVE,
    OPEN_COUNTS,
    STATES,
    CompletenessOverview,
    CountFilter,
    CountState,
    DayCount,
    NewCount,
    ShortDay,
)
from .schema import counted_terminals, day_counts

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

# Literals, to match the partial indexes.
_IS_OPEN = text(
    f"day_counts.state IN ({', '.join(repr(state.value) for state in sorted(OPEN_COUNTS))})"
)
_IS_SHORT = text("day_counts.state = 'short'")
_IS_ASKED = day_counts.c.state.in_(sorted(state.value for state in ASKED_STATES))
_IS_WAITING = day_counts.c.state == CountState.WAITING.value
_IS_CONCLUSIVE = day_counts.c.state.in_(sorted(state.value for state in CONCLUSIVE))


class CountStore:
    """Counts of the days of terminals."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def add(self, new: Sequence[NewCount], now: int) -> None:
        """Store counts."""
        rows = [
            {
                "device_id": one.device_id,
                "day": one.day,
                "run": one.run,
                "state": one.state.value,
                "detail": one.detail,
                "not_before_at": one.not_before_at,
                "deadline_at": one.deadline_at,
                "created_at": now,
                "finished_at": None if one.state in OPEN_COUNTS else now,
            }
            for one in new
        ]
        if rows:
            self._connection.execute(insert(day_counts), rows)

    def get(self, count_id: int, *, locked: bool = False) -> DayCount | None:
        """Find a count; with `locked`, its row is locked until the commit."""
        query = _select().where(day_counts.c.id == count_id)
        query = query.with_for_update(of=day_counts) if locked else query
        found = self._counts(query)
        return found[0] if found else None

    def page(self, part: Page, wanted: CountFilter) -> list[DayCount]:
        """List counts by id."""
        query, c = _select(), day_counts.c
        if wanted.device is not None:
            query = query.where(c.device_id == key_of(wanted.device))
        if wanted.state is not None:
            query = query.where(c.state == wanted.state.value)
        if wanted.run is not None:
            query = query.where(c.run == wanted.run)
        if wanted.since is not None:
            query = query.where(c.day >= wanted.since)
        if wanted.until is not None:
            query = query.where(c.day <= wanted.until)
        return self._counts(part_of(query, c.id, part))

    def states_of(self, run: str) -> dict[CountState, int]:
        """Count the counts of a request by state; empty for an unknown request."""
        query = (
            select(day_counts.c.state, func.count())
            .where(day_counts.c.run == run)
            .group_by(day_counts.c.state)
        )
        return {STATES[state]: int(count) for state, count in self._connection.execute(query)}

    def terminals_of(self, run: str) -> list[str]:
        """Return the serial numbers of the terminals of a request."""
        query = (
            select(devices.c.sn)
            .join(day_counts, day_counts.c.device_id == devices.c.id)
            .where(day_counts.c.run == run)
            .distinct()
        )
        return list(self._connection.execute(query).scalars())

    def created_at(self, run: str) -> int:
        """Return the time (ms) of a request."""
        query = select(func.min(day_counts.c.created_at)).where(day_counts.c.run == run)
        return int(self._connection.execute(query).scalar_one())

    def of_run(self, run: str, states: Collection[CountState], limit: int) -> list[DayCount]:
        """Return the first counts of a request in some states."""
        query = _select().where(day_counts.c.run == run, day_counts.c.state.in_(sorted(states)))
        return self._counts(query.order_by(day_counts.c.id).limit(limit))

    def is_counting(self, command_id: str) -> bool:
        """Whether a command belongs to a count."""
        query = select(day_counts.c.id).where(day_counts.c.command == command_id).limit(1)
        return self._connection.execute(query).one_or_none() is not None

    def answered(self, limit: int) -> list[int]:
        """Return counts whose command has ended, or does not exist any more."""
        is_open = select(commands.c.seq).where(commands.c.id == day_counts.c.command, IS_OPEN)
        query = (
            select(day_counts.c.id)
            .where(_IS_OPEN, _IS_ASKED, ~is_open.exists())
            .order_by(day_counts.c.id)
            .limit(limit)
        )
        return list(self._connection.execute(query).scalars())

    def overdue(self, now: int, limit: int) -> list[int]:
        """Return waiting counts past their deadline."""
        query = (
            select(day_counts.c.id)
            .where(_IS_OPEN, _IS_WAITING, day_counts.c.deadline_at <= now)
            .limit(limit)
        )
        return list(self._connection.execute(query).scalars())

    def terminals_asked(self) -> set[int]:
        """Return the terminals that are asked now."""
        query = select(day_counts.c.device_id).where(_IS_OPEN, _IS_ASKED)
        return set(self._connection.execute(query).scalars())

    def terminals_waiting(self, now: int) -> list[int]:
        """Return the terminals with counts that are due; those of requests first."""
        is_of_night = case((func.count(day_counts.c.run) > 0, 0), else_=1)
        query = (
            select(day_counts.c.device_id)
            .where(_IS_OPEN, _IS_WAITING, day_counts.c.not_before_at <= now)
            .group_by(day_counts.c.device_id)
            .order_by(is_of_night, func.min(day_counts.c.id))
        )
        return list(self._connection.execute(query).scalars())

    def due_of(self, device_id: int, now: int, limit: int) -> list[DayCount]:
        """Return the due counts of a terminal: those of requests first, then the oldest."""
        query = (
            _select()
            .where(
                _IS_OPEN,
                _IS_WAITING,
                day_counts.c.device_id == device_id,
                day_counts.c.not_before_at <= now,
            )
            .order_by(day_counts.c.run.is_(None), day_counts.c.id)
            .limit(limit)
        )
        return self._counts(query)

    def change(self, count: DayCount, state: CountState, **values: object) -> bool:
        """Change the state of a count; False if it was changed since it was read."""
        changed = self._connection.execute(
            update(day_counts)
            .where(
                day_counts.c.id == count.id,
                day_counts.c.state == count.state.value,
                day_counts.c.asked == count.asked,
            )
            .values(state=state.value, **values)
        )
        return changed.rowcount == 1

    def give_up_waiting(self, device_id: int, detail: str | None, now: int) -> None:
        """End the waiting counts of a terminal that cannot count."""
        self._connection.execute(
            update(day_counts)
            .where(_IS_WAITING, day_counts.c.device_id == device_id)
            .values(state=CountState.UNSUPPORTED.value, detail=detail, finished_at=now)
        )

    def short_days(self, device_id: int) -> list[ShortDay]:
        """Return the days of a terminal whose last conclusive count is short, newest first."""
        later = day_counts.alias("later")
        is_settled = (
            select(later.c.id)
            .where(
                later.c.device_id == device_id,
                later.c.day == day_counts.c.day,
                later.c.id > day_counts.c.id,
                later.c.state.in_(sorted(state.value for state in CONCLUSIVE)),
            )
            .exists()
        )
        c = day_counts.c
        query = (
            select(c.day, c.counted, c.stored, c.rejects)
            .where(_IS_SHORT, c.device_id == device_id, ~is_settled)
            .order_by(c.day.desc())
        )
        return [
            ShortDay(row.day, row.counted or 0, row.stored or 0, row.rejects or 0)
            for row in self._connection.execute(query)
        ]

    def terminals_short(self) -> list[int]:
        """Return the terminals with counts that are, or were, short."""
        query = select(day_counts.c.device_id).where(_IS_SHORT).distinct()
        return list(self._connection.execute(query).scalars())

    def last_of(self, device_id: int, days: Collection[str]) -> dict[str, tuple[CountState, int]]:
        """Return the states of some days of a terminal, each with the time (ms) of its count.

        The state is that of the open count, else of the last conclusive one.
        """
        states = sorted(state.value for state in OPEN_COUNTS | CONCLUSIVE)
        c = day_counts.c
        query = (
            select(c.day, c.state, c.created_at)
            .where(c.device_id == device_id, c.day.in_(days), c.state.in_(states))
            .order_by(c.id)
        )
        rows = self._connection.execute(query)
        return {day: (STATES[state], int(at)) for day, state, at in rows}

    def nights(self) -> list[tuple[int, str, str | None]]:
        """Return the approved terminals with a zone: key, zone, and night planned last."""
        query = (
            select(devices.c.id, devices.c.timezone, counted_terminals.c.night)
            .join(counted_terminals, counted_terminals.c.device_id == devices.c.id, isouter=True)
            .where(
                devices.c.state == DeviceState.APPROVED.value,
                devices.c.family == FIRST_FAMILY,
                devices.c.timezone.is_not(None),
            )
            .order_by(devices.c.id)
        )
        return [(int(key), zone, night) for key, zone, night in self._connection.execute(query)]

    def plan(self, device_id: int, night: str) -> bool:
        """Record that a terminal is planned for a night; False if it was before."""
        statement = upsert(self._connection, counted_terminals).values(
            device_id=device_id, night=night
        )
        is_new = counted_terminals.c.night.is_distinct_from(night)
        planned = self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[counted_terminals.c.device_id], set_={"night": night}, where=is_new
            ).returning(counted_terminals.c.device_id)
        )
        return planned.one_or_none() is not None

    def refused(self, device_id: int, refusal: str | None, now: int) -> None:
        """Record that a terminal cannot count."""
        values = {"refused_at": now, "refusal": refusal}
        statement = upsert(self._connection, counted_terminals).values(
            device_id=device_id, **values
        )
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[counted_terminals.c.device_id], set_=values
            )
        )

    def can_count(self, device_id: int) -> None:
        """Record that a terminal has counted."""
        self._connection.execute(
            update(counted_terminals)
            .where(
                counted_terminals.c.device_id == device_id,
                counted_terminals.c.refused_at.is_not(None),
            )
            .values(refused_at=None, refusal=None)
        )

    def refused_at(self, device_id: int) -> int | None:
        """Return when a terminal refused to count; None if it did not, or has counted since."""
        query = select(counted_terminals.c.refused_at).where(
            counted_terminals.c.device_id == device_id
        )
        found: int | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def overview(self) -> CompletenessOverview:
        """Count for metrics."""
        opened = select(func.count()).select_from(day_counts).where(_IS_OPEN)
        refused = (
            select(func.count())
            .select_from(counted_terminals)
            .where(counted_terminals.c.refused_at.is_not(None))
        )
        return CompletenessOverview(
            int(self._connection.execute(opened).scalar_one()),
            sum(len(self.short_days(key)) for key in self.terminals_short()),
            int(self._connection.execute(refused).scalar_one()),
        )

    def remove_old(self, before: int, limit: int) -> int:
        """Remove counts that ended before an instant (ms); return their number."""
        old = select(day_counts.c.id).where(day_counts.c.finished_at < before)
        query = delete(day_counts).where(day_counts.c.id.in_(old.limit(limit)))
        return self._connection.execute(query).rowcount

    def _counts(self, query: Select[Any]) -> list[DayCount]:
        return [_count(row) for row in self._connection.execute(query)]


def _select() -> Select[Any]:
    return select(day_counts, devices.c.sn).join(devices)


def _count(row: Any) -> DayCount:
    values = {name: row._mapping[name] for name in _COPIED}
    return DayCount(device=row.sn, state=STATES[row.state], **values)


_COPIED = tuple(name for name in DayCount.__struct_fields__ if name not in ("device", "state"))

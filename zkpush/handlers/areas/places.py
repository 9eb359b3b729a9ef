"""Parts of people on terminals, in the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, delete, func, literal_column, select, update

from ...persist.commandschema import commands
from ...persist.databases import Insert
from ...persist.limits import people_in
from ...values.commands import OPEN_STATES, CommandState
from ..people.model import is_many
from .model import USER, PartState, PlacedPart
from .room import FULL
from .schema import distribution_terminals, places

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_NAMES = PlacedPart.__struct_fields__
_REPLACE = "(device_id, pin, part) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in _NAMES if name not in ("device_id", "pin", "part")
)
_OPEN = tuple(sorted(state.value for state in OPEN_STATES))
# Rendered as a literal: the partial index needs a constant.
_WAITING: Any = literal_column(f"'{PartState.WAITING.value}'")
_LACKING = (PartState.DOES_NOT_FIT, PartState.REFUSED, PartState.UNKNOWN)
"""States of parts that a terminal lacks for reasons of its own."""


class EndedPart(NamedTuple):
    """A part whose command has ended, or was deleted."""

    part: PlacedPart
    state: CommandState | None
    """None if the command was deleted."""
    return_code: int | None = None


class GuardedDeletions(NamedTuple):
    """Deletions that wait for a confirmation at one terminal."""

    people: int
    newest_at: int
    """When the last of them began to wait, in milliseconds."""


class PlaceStore:
    """Parts of people on terminals."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def of_people(self, pins: Collection[str]) -> dict[tuple[int, str], dict[str, PlacedPart]]:
        """Return the parts of people by terminal and person, then by name."""
        found: dict[tuple[int, str], dict[str, PlacedPart]] = {}
        for row in self._connection.execute(select(places).where(places.c.pin.in_(pins))):
            part = _part(row)
            found.setdefault((part.device_id, part.pin), {})[part.part] = part
        return found

    def pins_at(self, device_id: int, after: str, limit: int) -> list[str]:
        """List the people with parts on a terminal, after a user ID."""
        query = select(places.c.pin).where(places.c.device_id == device_id, places.c.pin > after)
        query = query.distinct().order_by(places.c.pin).limit(limit)
        return list(self._connection.execute(query).scalars())

    def put(self, parts: Sequence[PlacedPart]) -> None:
        """Store parts."""
        if parts:
            columns = [
                [
                    value.value if isinstance(value, PartState) else value
                    for value in (getattr(one, name) for one in parts)
                ]
                for name in _NAMES
            ]
            self._tx.insert(Insert(places, _NAMES, columns, _REPLACE))

    def remove(self, parts: Iterable[PlacedPart]) -> None:
        """Remove parts."""
        for one in parts:
            device_id, pin, name = one.key
            self._connection.execute(
                delete(places).where(
                    places.c.device_id == device_id, places.c.pin == pin, places.c.part == name
                )
            )

    def forget(self, device_id: int) -> None:
        """Forget what a terminal had when it was emptied.

        Parts with an open command stay: the terminal may execute it after it was emptied.
        """
        is_own = places.c.device_id == device_id
        opened = select(commands.c.id).where(
            commands.c.id == places.c.command, commands.c.state.in_(_OPEN)
        )
        self._connection.execute(delete(places).where(is_own, ~opened.exists()))
        self._connection.execute(update(places).where(is_own).values(told=None))

    def forget_person(self, pin: str) -> int:
        """Remove all parts of a person; returns their number."""
        return self._connection.execute(delete(places).where(places.c.pin == pin)).rowcount

    def gone(self, device_id: int, pin: str) -> None:
        """Record that a terminal has deleted a person: what belongs there is to be sent again."""
        here = and_(places.c.device_id == device_id, places.c.pin == pin)
        self._connection.execute(delete(places).where(here, places.c.wanted.is_(None)))
        self._connection.execute(
            update(places)
            .where(here, places.c.state == PartState.THERE.value)
            .values(told=None, state=PartState.WAITING.value)
        )
        self._connection.execute(update(places).where(here).values(told=None))

    def lack(self, device_id: int, pin: str, part: str) -> None:
        """Record that a terminal has lost a part of a person: it is to be sent again."""
        here = and_(
            places.c.device_id == device_id,
            places.c.pin == pin,
            places.c.part == part,
            places.c.state == PartState.THERE.value,
        )
        self._connection.execute(
            update(places).where(here).values(told=None, state=PartState.WAITING.value)
        )

    def is_awaited(self, device_id: int) -> bool:
        """Whether anything is on its way to a terminal, or waits for that without confirmation."""
        is_coming = _is_waiting() & places.c.is_guarded.is_(False)
        query = select(places.c.pin).where(
            places.c.device_id == device_id, is_coming | places.c.command.is_not(None)
        )
        return self._connection.execute(query.limit(1)).first() is not None

    def pack(self, device_id: int, pins: Collection[str], command: str, now: int) -> None:
        """Record that a package has the fields and templates of people that wait."""
        self._connection.execute(
            update(places)
            .where(
                places.c.device_id == device_id,
                places.c.pin.in_(pins),
                _is_waiting(),
                _is_packable(),
            )
            .values(
                state=PartState.SENT.value,
                sent=places.c.wanted,
                command=command,
                reason=None,
                updated_at=now,
            )
        )

    def packable(self, device_id: int, limit: int) -> list[tuple[str, str]]:
        """List user IDs and names of parts that wait and can be in a package."""
        query = select(places.c.pin, places.c.part).where(
            _is_waiting(), places.c.device_id == device_id, _is_packable()
        )
        rows = self._connection.execute(query.order_by(places.c.pin, places.c.part).limit(limit))
        return [(row.pin, row.part) for row in rows]

    def of_command(self, device_id: int, command: str, limit: int) -> list[PlacedPart]:
        """List parts of the open command of a terminal."""
        query = select(places).where(places.c.device_id == device_id, places.c.command == command)
        rows = self._connection.execute(query.order_by(places.c.pin, places.c.part).limit(limit))
        return [_part(row) for row in rows]

    def is_sent_by(self, device_id: int, command: str) -> bool:
        """Whether the open command of a terminal has parts that have not changed since."""
        query = select(places.c.pin).where(
            places.c.device_id == device_id,
            places.c.command == command,
            places.c.state == PartState.SENT.value,
        )
        return self._connection.execute(query.limit(1)).first() is not None

    def pins_of(self, device_id: int, command: str) -> Any:
        """Return a query for the people of whom a command has parts."""
        return select(places.c.pin).where(
            places.c.device_id == device_id, places.c.command == command
        )

    def packed_for(self, pin: str) -> list[int]:
        """List the terminals that were sent a package with parts of a person."""
        query = (
            select(places.c.device_id)
            .join(
                distribution_terminals,
                and_(
                    distribution_terminals.c.device_id == places.c.device_id,
                    distribution_terminals.c.package == places.c.command,
                ),
            )
            .join(commands, commands.c.id == places.c.command)
            .where(places.c.pin == pin, commands.c.attempts > 0)
        )
        return list(self._connection.execute(query.distinct()).scalars())

    def ended(self, limit: int) -> list[EndedPart]:
        """List parts whose commands have ended, except for packages."""
        package = select(distribution_terminals.c.package).where(
            distribution_terminals.c.device_id == places.c.device_id,
            distribution_terminals.c.package == places.c.command,
        )
        query = (
            select(places, commands.c.state.label("ending"), commands.c.return_code)
            .outerjoin(commands, commands.c.id == places.c.command)
            .where(
                places.c.command.is_not(None),
                commands.c.state.is_(None) | commands.c.state.not_in(_OPEN),
                ~package.exists(),
            )
            .limit(limit)
        )
        return [
            EndedPart(
                _part(row),
                None if row.ending is None else CommandState(row.ending),
                row.return_code,
            )
            for row in self._connection.execute(query)
        ]

    def waiting(self, *, deletions: bool = False) -> list[int]:
        """List the terminals with parts to send; with `deletions`, those with people to delete."""
        query = select(places.c.device_id).where(_is_waiting()).distinct()
        if deletions:
            query = query.where(places.c.wanted.is_(None))
        return list(self._connection.execute(query).scalars())

    def next_waiting(
        self, device_id: int, after: str, limit: int, *, deletions: bool = False
    ) -> list[str]:
        """List the next people with parts to send to a terminal, after a user ID.

        With `deletions`, only people who are to be deleted there.
        """
        query = select(places.c.pin).where(
            _is_waiting(), places.c.device_id == device_id, places.c.pin > after
        )
        if deletions:
            query = query.where(places.c.wanted.is_(None))
        query = query.distinct().order_by(places.c.pin).limit(limit)
        return list(self._connection.execute(query).scalars())

    def open_commands(self, device_id: int) -> int:
        """Return the number of open commands for a terminal; a package is one of them."""
        query = select(func.count(places.c.command.distinct())).where(
            places.c.device_id == device_id, places.c.command.is_not(None)
        )
        return int(self._connection.execute(query).scalar_one())

    def new_on_way(self, device_id: int) -> list[str]:
        """List the names of the parts that open commands add to a terminal."""
        query = select(places.c.part).where(
            places.c.device_id == device_id,
            places.c.command.is_not(None),
            places.c.wanted.is_not(None),
            places.c.told.is_(None),
        )
        return list(self._connection.execute(query).scalars())

    def try_full_again(self, device_id: int) -> None:
        """Send again what did not fit because a terminal was full."""
        self._connection.execute(
            update(places)
            .where(
                places.c.device_id == device_id,
                places.c.state == PartState.DOES_NOT_FIT.value,
                places.c.reason.startswith(FULL, autoescape=True),
            )
            .values(state=PartState.WAITING.value, reason=None)
        )

    def delete_again(self, until: int) -> None:
        """Send deletions again that have been refused, or not answered, since an instant (ms)."""
        is_left = places.c.state.in_((PartState.REFUSED.value, PartState.UNKNOWN.value))
        self._connection.execute(
            update(places)
            .where(places.c.wanted.is_(None), is_left, places.c.updated_at <= until)
            .values(state=PartState.WAITING.value, tries=0)
        )

    def guarded(self, device_id: int) -> int:
        """Return the number of deletions that wait and count for the limit."""
        query = select(func.count()).where(
            _is_waiting(), places.c.device_id == device_id, _is_guarded()
        )
        return int(self._connection.execute(query).scalar_one())

    def is_held_back(self, device_id: int) -> bool:
        """Whether deletions that wait for a terminal are many, and not confirmed."""
        count = self.guarded(device_id)
        if not count:
            return False
        query = select(distribution_terminals.c.may_delete).where(
            distribution_terminals.c.device_id == device_id
        )
        confirmed = self._connection.execute(query).scalar_one_or_none() or 0
        return count > confirmed and is_many(count, self.people_at(device_id))

    def all_guarded(self) -> dict[int, GuardedDeletions]:
        """Return the deletions that wait and count for the limit, by terminal."""
        newest_at = func.max(places.c.updated_at)
        query = select(places.c.device_id, func.count(), newest_at)
        query = query.where(_is_waiting(), _is_guarded()).group_by(places.c.device_id)
        rows = self._connection.execute(query)
        return {key: GuardedDeletions(int(count), int(at)) for key, count, at in rows}

    def counts(self, devices: Collection[int]) -> dict[PartState, int]:
        """Count the parts on terminals by state."""
        query = select(places.c.state, func.count()).where(places.c.device_id.in_(devices))
        rows = self._connection.execute(query.group_by(places.c.state))
        return {PartState(row[0]): int(row[1]) for row in rows}

    def counts_at(self, devices: Collection[int]) -> dict[int, dict[PartState, int]]:
        """Count the parts on each of some terminals by state."""
        query = select(places.c.device_id, places.c.state, func.count())
        query = query.where(places.c.device_id.in_(devices))
        found: dict[int, dict[PartState, int]] = {}
        for row in self._connection.execute(query.group_by(places.c.device_id, places.c.state)):
            found.setdefault(row[0], {})[PartState(row[1])] = int(row[2])
        return found

    def people_at(self, device_id: int) -> int:
        """Return the number of people who belong on a terminal or are to be deleted there."""
        query = select(func.count()).where(places.c.device_id == device_id, places.c.part == USER)
        return int(self._connection.execute(query).scalar_one())

    def members_of(self, device_id: int) -> Any:
        """Return a query for the people with parts on a terminal."""
        return select(places.c.pin).where(places.c.device_id == device_id)

    def known_people(self, device_id: int, pins: Collection[str]) -> set[str]:
        """Return those of the people whom a terminal is known to have."""
        query = select(places.c.pin).where(
            places.c.device_id == device_id,
            places.c.pin.in_(pins),
            places.c.part == USER,
            places.c.told.is_not(None),
        )
        return set(self._connection.execute(query).scalars())

    def troubled(
        self,
        limit: int,
        devices: Collection[int] | None = None,
        areas: frozenset[str] | None = None,
        *,
        conflicts: bool = True,
    ) -> list[PlacedPart]:
        """List parts that are refused, do not fit or are unknown, of some terminals or of all.

        With `conflicts`, also those that wait for somebody to settle a conflict. Those of copies
        are left out: nothing but another copy would mend these. `areas` are those of a limited
        caller, to whom people of other areas are not shown.
        """
        states = (*_LACKING, PartState.CONFLICT) if conflicts else _LACKING
        is_troubled = places.c.state.in_([state.value for state in states])
        query = select(places).where(is_troubled, places.c.is_copied.is_(False)).limit(limit)
        if areas is not None:
            query = query.where(places.c.pin.in_(people_in(areas)))
        if devices is not None:
            query = query.where(places.c.device_id.in_(devices))
            query = query.order_by(places.c.device_id, places.c.pin, places.c.part)
        return [_part(row) for row in self._connection.execute(query)]

    def is_empty(self) -> bool:
        """Whether nothing is known about any terminal."""
        return self._connection.execute(select(places.c.pin).limit(1)).first() is None


def _is_waiting() -> Any:
    return places.c.state == _WAITING


def _is_packable() -> Any:
    """Select fields and templates to send, of people who are not copied."""
    is_part = (places.c.part == USER) | places.c.part.startswith("template ")
    return is_part & places.c.wanted.is_not(None) & places.c.is_copied.is_(False)


def _is_guarded() -> Any:
    return places.c.is_guarded.is_(True)


def _part(row: Any) -> PlacedPart:
    values = {name: getattr(row, name) for name in _NAMES}
    for name in ("wanted", "told", "sent"):
        if values[name] is not None:
            values[name] = bytes(values[name])
    for name in ("is_guarded", "is_copied"):
        values[name] = bool(values[name])
    return PlacedPart(**{**values, "state": PartState(row.state)})

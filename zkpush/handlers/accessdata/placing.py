"""Entries on terminals, in the store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import and_, delete, func, literal_column, select, update

from ...persist.commandschema import commands
from ...persist.databases import Insert, insert
from ...persist.limits import of_terminals
from ...persist.schema import devices
from ...values.commands import OPEN_STATES, CommandState
from ..areas.model import PartState
from .entries import Name
from .model import ENTRY, IssuedTerminal, PlacedEntry
from .schema import access_places, access_terminals

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_KEY = ("device_id", "table_name", "entry", "part")
_NAMES = PlacedEntry.__struct_fields__
_REPLACE = f"({', '.join(_KEY)}) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in _NAMES if name not in _KEY
)
_OPEN = tuple(sorted(state.value for state in OPEN_STATES))
# Rendered as literals: the partial indexes need constants.
_IS_OPEN: Any = literal_column("(state = 'waiting' OR command IS NOT NULL)")
_IS_OF_USER: Any = literal_column("part <> ''")


class EndedEntry(NamedTuple):
    """An entry whose command has ended, or was deleted."""

    place: PlacedEntry
    state: CommandState | None
    """None if the command was deleted."""
    return_code: int | None


class IssueStore:
    """Entries that belong on terminals, and how far they are there."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def of_device(self, device_id: int) -> dict[Name, PlacedEntry]:
        """Return the entries of a terminal."""
        query = select(access_places).where(access_places.c.device_id == device_id)
        found = map(_place, self._connection.execute(query))
        return {(one.table_name, one.entry, one.part): one for one in found}

    def of_table(self, table: str, keys: Collection[int]) -> list[PlacedEntry]:
        """Return the entries of a table on terminals."""
        query = select(access_places).where(
            access_places.c.table_name == table, access_places.c.device_id.in_(keys)
        )
        return [_place(row) for row in self._connection.execute(query)]

    def put(self, places: Sequence[PlacedEntry]) -> None:
        """Store entries of terminals."""
        if places:
            columns = [
                [
                    value.value if isinstance(value, PartState) else value
                    for value in (getattr(one, name) for one in places)
                ]
                for name in _NAMES
            ]
            self._tx.insert(Insert(access_places, _NAMES, columns, _REPLACE))

    def remove(self, places: Sequence[PlacedEntry]) -> None:
        """Remove entries of terminals."""
        for one in places:
            values = zip(_KEY, one.key, strict=True)
            self._connection.execute(
                delete(access_places).where(
                    and_(*(access_places.c[name] == value for name, value in values))
                )
            )

    def gone(self, place: PlacedEntry, now: int) -> None:
        """Record that a terminal has deleted an entry, and with a message, who it is for.

        What belongs there by now is to be sent again.
        """
        if place.wanted is None:
            self.remove([place])
        else:
            more = {"told": None, "sent": None, "command": None, "updated_at": now}
            self.put([msgspec.structs.replace(place, **more, state=PartState.WAITING)])
        here = and_(
            access_places.c.device_id == place.device_id,
            access_places.c.table_name == place.table_name,
            access_places.c.entry == place.entry,
            _IS_OF_USER,
        )
        self._connection.execute(
            delete(access_places).where(here, access_places.c.wanted.is_(None))
        )
        self._connection.execute(
            update(access_places)
            .where(here, access_places.c.told.is_not(None))
            .values(told=None, state=PartState.WAITING.value)
        )

    def note_unsupported(self, place: PlacedEntry, reason: str, now: int) -> None:
        """Record that a terminal does not support a table: its waiting entries do not fit."""
        is_refused = (access_places.c.entry == place.entry) & (access_places.c.part == place.part)
        is_waiting = access_places.c.state == PartState.WAITING.value
        self._connection.execute(
            update(access_places)
            .where(
                access_places.c.device_id == place.device_id,
                access_places.c.table_name == place.table_name,
                is_waiting | is_refused,
            )
            .values(state=PartState.DOES_NOT_FIT.value, reason=reason, updated_at=now)
        )

    def doubt(self, device_id: int) -> None:
        """Take everything on a terminal as unknown, because it may have lost its data."""
        here = access_places.c.device_id == device_id
        is_left = access_places.c.wanted.is_(None) & (
            access_places.c.state == PartState.DOES_NOT_FIT.value
        )
        self._connection.execute(delete(access_places).where(here, is_left))
        nothing = {"told": None, "sent": None, "command": None, "reason": None, "tries": 0}
        self._connection.execute(
            update(access_places).where(here).values(**nothing, state=PartState.UNKNOWN.value)
        )

    def forget_person(self, pin: str) -> int:
        """Remove what is for a person; returns the number of rows."""
        return self._connection.execute(
            delete(access_places).where(_IS_OF_USER, access_places.c.part == pin)
        ).rowcount

    def busy(self) -> list[int]:
        """List the terminals with something to send, or with an open command."""
        query = select(access_places.c.device_id).where(_IS_OPEN).distinct()
        return list(self._connection.execute(query).scalars())

    def waiting(self, device_id: int) -> list[PlacedEntry]:
        """Return what is to be sent to a terminal."""
        query = select(access_places).where(
            _IS_OPEN,
            access_places.c.device_id == device_id,
            access_places.c.state == PartState.WAITING.value,
        )
        return [_place(row) for row in self._connection.execute(query)]

    def open_commands(self, device_id: int) -> int:
        """Return the number of open commands for a terminal."""
        query = select(func.count()).where(
            access_places.c.device_id == device_id, access_places.c.command.is_not(None)
        )
        return int(self._connection.execute(query).scalar_one())

    def ended(self, limit: int) -> list[EndedEntry]:
        """List entries whose commands have ended."""
        query = (
            select(access_places, commands.c.state.label("ending"), commands.c.return_code)
            .outerjoin(commands, commands.c.id == access_places.c.command)
            .where(
                access_places.c.command.is_not(None),
                commands.c.state.is_(None) | commands.c.state.not_in(_OPEN),
            )
            .limit(limit)
        )
        return [
            EndedEntry(
                _place(row),
                None if row.ending is None else CommandState(row.ending),
                row.return_code,
            )
            for row in self._connection.execute(query)
        ]

    def refused(self, device_id: int, limit: int) -> list[PlacedEntry]:
        """List what a terminal refuses, by table and key."""
        query = select(access_places).where(
            access_places.c.device_id == device_id,
            access_places.c.state == PartState.REFUSED.value,
        )
        ordered = query.order_by(*(access_places.c[name] for name in _KEY[1:])).limit(limit)
        return [_place(row) for row in self._connection.execute(ordered)]

    def is_open(self, device_id: int) -> bool:
        """Whether entries are to be sent to a terminal, or commands of access data are open.

        Users whom messages are for do not count: these wait until the terminal has the users.
        """
        waits = access_places.c.state == PartState.WAITING.value
        query = select(access_places.c.entry).where(
            access_places.c.device_id == device_id,
            access_places.c.command.is_not(None) | (waits & (access_places.c.part == ENTRY)),
        )
        return self._connection.execute(query.limit(1)).first() is not None

    def receivers(self) -> dict[int, list[PlacedEntry]]:
        """Return, by terminal, the users of messages whom it is known to have been told."""
        query = select(access_places).where(_IS_OF_USER, access_places.c.told.is_not(None))
        found: dict[int, list[PlacedEntry]] = {}
        for row in self._connection.execute(query):
            place = _place(row)
            found.setdefault(place.device_id, []).append(place)
        return found

    def terminals(self) -> dict[int, IssuedTerminal]:
        """Return all terminals with access data, by key."""
        rows = self._connection.execute(select(access_terminals))
        return {row.device_id: IssuedTerminal(**row._mapping) for row in rows}

    def note(self, terminal: IssuedTerminal) -> None:
        """Store what a terminal was compared with."""
        values = {name: getattr(terminal, name) for name in terminal.__struct_fields__}
        statement = insert(self._connection, access_terminals).values(values)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[access_terminals.c.device_id], set_=values
            )
        )

    def serials(self, area: str | None) -> dict[int, str]:
        """Return the serial numbers of the terminals that were compared with an area.

        One that has moved to another area since is left out; without an area, all are returned.
        """
        query = select(devices.c.id, devices.c.sn).join(
            access_terminals, access_terminals.c.device_id == devices.c.id
        )
        if area is not None:
            query = query.where(
                access_terminals.c.area == area, *of_terminals(devices.c.id, [area])
            )
        return {row.id: row.sn for row in self._connection.execute(query)}


def _place(row: Any) -> PlacedEntry:
    values = {name: getattr(row, name) for name in _NAMES}
    for name in ("wanted", "told", "sent"):
        if values[name] is not None:
            values[name] = bytes(values[name])
    return PlacedEntry(**{**values, "state": PartState(row.state)})

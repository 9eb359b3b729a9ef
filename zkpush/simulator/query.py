"""QUERY and VERIFY SUM: requests for a terminal's records, or their number (12.1.3, 12.3.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ..handlers.attendance.tables import ATTLOG, ATTPHOTO
from ..handlers.people.tables import BIODATA, USER
from ..protocol.fields import Command, Table
from ..protocol.photos import parse_name
from .abilities import user_of
from .answer import Answer
from .data import matching, table_of
from .parameters import read_values
from .record import Record, RecordForm

if TYPE_CHECKING:
    from .terminal import SimulatedTerminal

Values = Mapping[str, Any]


async def query(terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]) -> Answer:
    """Send the requested records, acknowledged or not; some models answer first."""
    table = table_of(command)
    values = read_values(command, params, terminal.model.encoding)
    found = [
        _copy(terminal, table, record)
        for record in _FIND.get(table.name, _find_templates)(terminal, table, values)
    ]
    if terminal.model.answers_first:
        return Answer(then=lambda: terminal.send(found))
    await terminal.send(found)
    return Answer()


async def verify_sum(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Count the attendance records of a period."""
    values = read_values(command, params, terminal.model.encoding)
    count = len(_find_in_period(terminal, ATTLOG, values))
    return Answer(values={**values, "AttlogSum": str(count)})


def _find_in_period(terminal: SimulatedTerminal, table: Table, values: Values) -> list[Record]:
    begin, end = values.values()
    return [
        record
        for record in terminal.outbox.records(table)
        if begin <= _time(table, record.own) <= end
    ]


def _time(table: Table, form: RecordForm) -> str:
    if table is ATTPHOTO:
        return parse_name(str(form.values["name"])).time or ""
    return str(form.values["time"])


def _find_user(terminal: SimulatedTerminal, table: Table, values: Values) -> list[Record]:
    terminal.settle()
    if "pin" not in values:
        return matching(terminal, table, values)
    return [user_of(terminal, values["pin"])]


def _find_templates(terminal: SimulatedTerminal, table: Table, values: Values) -> list[Record]:
    if "pin" in values:
        user_of(terminal, values["pin"])
    return matching(terminal, table, values)


def _copy(terminal: SimulatedTerminal, table: Table, record: Record) -> Record:
    """Copy a record in the requested form, with the current stamp of its data type."""
    copy = attrs.evolve(record)
    if table is BIODATA:
        copy.form = record.unified or record.own
    else:
        copy.form = terminal.orders.choose(record) or record.own
    copy.stamp = terminal.outbox.stamp(copy.form.data_type)
    return copy


_FIND: Mapping[str, Callable[[SimulatedTerminal, Table, Values], list[Record]]] = {
    ATTLOG.name: _find_in_period,
    ATTPHOTO.name: _find_in_period,
    USER.name: _find_user,
}

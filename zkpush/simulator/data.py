"""DATA UPDATE, DATA DELETE and CLEAR: changes of a terminal's data (12.1, 12.2)."""

from __future__ import annotations

import base64
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..declarations import declarations
from ..handlers.attendance.tables import ATTLOG, ATTPHOTO
from ..handlers.entries.tables import (
    ACCESS_GROUP,
    ACCESS_HOLIDAY,
    ACCESS_TIME_ZONE,
    ACCESS_UNLOCK_COMBINATION,
    ADPIC,
    BLACKLIST,
    SHORTCUT_KEY,
    SMS,
    USER_SMS,
    WALLPAPER,
    WHITELIST,
)
from ..handlers.logs.tables import IDCARD
from ..handlers.people.tables import BIODATA, BIOPHOTO, TEMPLATE_TABLES, USER, USERPIC
from ..protocol.codes import ReturnCode
from ..protocol.fields import Command, Table
from ..protocol.scalars import decode_base64
from ..protocol.versions import NEWEST
from . import status
from .abilities import algorithm_of, user_of
from .answer import Answer, ReturnCodeError
from .biometrics import Algorithm, invent_template, read_template
from .operation import NOBODY
from .parameters import check_size, read_values
from .record import Record, RecordForm
from .transfer import fetch

if TYPE_CHECKING:
    from .terminal import SimulatedTerminal

Values = Mapping[str, Any]
_ACCESS_TABLES = (
    SHORTCUT_KEY,
    ACCESS_GROUP,
    ACCESS_TIME_ZONE,
    ACCESS_HOLIDAY,
    ACCESS_UNLOCK_COMBINATION,
)


def table_of(command: Command) -> Table:
    """Return the table of a data command."""
    return table_named(command.name.rpartition(" ")[2])


def table_named(name: str) -> Table:
    """Return the table that commands call `name`; `KeyError` if there is none."""
    table = declarations().tables.get(name)
    return table or {each.name: each for each in _ACCESS_TABLES}[name]


async def update(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Add or change the record in a command line (12.1.1)."""
    table = table_of(command)
    values = read_values(command, params, terminal.model.encoding)
    if "pin" in values and table is not USER and not (table is IDCARD and values["pin"] == NOBODY):
        user_of(terminal, values["pin"])
    return await _UPDATES.get(table.name, _update_entry)(terminal, table, values)


async def _update_entry(terminal: SimulatedTerminal, table: Table, values: Values) -> Answer:
    """Add a record, or change one; omitted fields keep their values."""
    record = _given(table, values)
    before = terminal.outbox.find(record.key)
    if before is not None:
        record = _given(table, {**before.own.values, **values})
    terminal.keep(record)
    return Answer()


async def _update_user(terminal: SimulatedTerminal, table: Table, values: Values) -> Answer:
    terminal.settle()
    known = terminal.outbox.find(_given(table, values).key) is not None
    if not known and terminal.holds >= terminal.model.users:
        raise ReturnCodeError(ReturnCode.CAPACITY_LIMITED)
    return await _update_entry(terminal, table, values)


async def _update_identity(terminal: SimulatedTerminal, table: Table, values: Values) -> Answer:
    if not terminal.model.identity_cards:
        raise ReturnCodeError(ReturnCode.NOT_SUPPORTED)
    return await _update_entry(terminal, table, values)


async def _update_receiver(terminal: SimulatedTerminal, table: Table, values: Values) -> Answer:
    numbers = {str(message.own.values["number"]) for message in terminal.outbox.held(SMS)}
    if values["number"] not in numbers:
        raise ReturnCodeError(ReturnCode.PARAMETER_INCORRECT)
    return await _update_entry(terminal, table, values)


async def _update_picture(terminal: SimulatedTerminal, table: Table, values: Values) -> Answer:
    try:
        checked = {**values, "content": decode_base64(values.get("content", ""))}
        check_size(checked, "content", ReturnCode.PHOTO_SIZE_MISMATCH)
    except ValueError:
        raise ReturnCodeError(ReturnCode.PARAMETER_INCORRECT) from None
    return await _update_entry(terminal, table, values)


async def _update_template(terminal: SimulatedTerminal, table: Table, values: Values) -> Answer:
    algorithm = algorithm_of(terminal, table, values.get("type"))
    check_size(values, "template", ReturnCode.TEMPLATE_SIZE_MISMATCH)
    if not values["template"].strip(b"="):
        raise ReturnCodeError(ReturnCode.TEMPLATE_ILLEGAL)
    if values.get("major_version"):
        version = (values["major_version"], values.get("minor_version", algorithm.version[1]))
        if version != algorithm.version:
            newest = terminal.model.own_version >= NEWEST
            codes = (ReturnCode.CONFIGURATION_INCONSISTENT, ReturnCode.ALGORITHM_MISMATCH)
            raise ReturnCodeError(codes[newest])
    template = read_template(algorithm, table, values)
    _keep_if_it_fits(terminal, template.record(given=True), algorithm)
    return Answer()


async def _update_photo(terminal: SimulatedTerminal, table: Table, values: Values) -> Answer:
    """Store or download a photo; a comparison photo also yields a template (12.1.1.8)."""
    check_size(values, "content", ReturnCode.PHOTO_SIZE_MISMATCH)
    kept = {name: value for name, value in values.items() if name in table.names}
    if "content" not in kept:
        content = base64.b64encode(await fetch(terminal.link, values["url"]))
        kept = {**kept, "content": content, "size": len(content)}
    if table is USERPIC:
        return await _update_entry(terminal, table, kept)
    algorithm = algorithm_of(terminal, table, values["type"])
    record = Record(RecordForm(table, kept), type=algorithm.type, sent=True, given=True)
    if terminal.outbox.find(record.key) is None and (
        terminal.outbox.count(table, algorithm.type) >= algorithm.capacity
    ):
        raise ReturnCodeError(ReturnCode.CAPACITY_LIMITED)
    chance = random.Random(kept["content"])  # noqa: S311 - a simulation
    template = invent_template(chance, algorithm, values["pin"])
    wanted = bool(values.get("post_back_template"))
    _keep_if_it_fits(terminal, template.record(given=not wanted), algorithm)
    terminal.keep(record)
    return Answer(then=terminal.upload if wanted else None)


def _keep_if_it_fits(terminal: SimulatedTerminal, record: Record, algorithm: Algorithm) -> None:
    new = terminal.outbox.find(record.key) is None
    if new and status.held(algorithm, terminal.outbox) >= algorithm.capacity:
        raise ReturnCodeError(ReturnCode.CAPACITY_LIMITED)
    terminal.keep(record)


def _given(table: Table, values: Values) -> Record:
    return Record(RecordForm(table, values), table.transfer[:1], sent=True, given=True)


_UPDATES: Mapping[str, Callable[[SimulatedTerminal, Table, Values], Awaitable[Answer]]] = {
    USER.name: _update_user,
    USER_SMS.name: _update_receiver,
    USERPIC.name: _update_photo,
    BIOPHOTO.name: _update_photo,
    **dict.fromkeys((table.name for table in (ADPIC, WALLPAPER)), _update_picture),
    **dict.fromkeys((table.name for table in (IDCARD, BLACKLIST, WHITELIST)), _update_identity),
    **dict.fromkeys((table.name for table in TEMPLATE_TABLES), _update_template),
}


async def delete(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Delete the records that a command line names (12.1.2); for a user, all their data."""
    table = table_of(command)
    values = read_values(command, params, terminal.model.encoding)
    if "pin" in values:
        user_of(terminal, values["pin"])
    if table is USER:
        terminal.outbox.forget(values["pin"])
    else:
        terminal.outbox.drop(matching(terminal, table, values))
    return Answer()


def matching(terminal: SimulatedTerminal, table: Table, values: Values) -> list[Record]:
    """Return the terminal's records of a table with these values.

    All templates also have the unified form (11.12). `ReturnCodeError` if there are none.
    """
    tables: tuple[Table, ...] = (table,)
    if table is BIODATA:
        if not terminal.model.hybrid:
            raise ReturnCodeError(ReturnCode.NOT_SUPPORTED)
        tables = TEMPLATE_TABLES
    if table in TEMPLATE_TABLES and (table is not BIODATA or "type" in values):
        algorithm_of(terminal, table, values.get("type"))
    found = []
    for record in terminal.outbox.held(*tables):
        form = (record.unified or record.own) if table is BIODATA else record.own
        if all(str(form.values.get(name)) == str(value) for name, value in values.items()):
            found.append(record)
    return found


async def clear(terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]) -> Answer:
    """Delete all data of a kind, of the server and of the terminal, sent or not (12.2)."""
    terminal.settle()
    outbox = terminal.outbox
    match command.reply.removeprefix("CLEAR_"):
        case "LOG":
            outbox.erase(outbox.records(ATTLOG))
        case "PHOTO":
            outbox.erase(outbox.records(ATTPHOTO))
        case "DATA":
            outbox.erase(outbox.everything())
        case "BIODATA":
            held = outbox.held(*TEMPLATE_TABLES)
            outbox.erase([record for record in held if record.form.table is BIODATA])
        case _:
            for user in outbox.held(USER):
                outbox.forget(str(user.own.values["pin"]))
    return Answer()

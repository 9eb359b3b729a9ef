"""What answers to commands for people change (12.1.1, 12.1.2).

A terminal that has executed an update has what the command says, as if it had uploaded it. The
person has it too, unless something newer than the command is stored. A terminal that has executed a
deletion lacks the records; the person keeps them, because other terminals may need them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

from ...device.functions import Effect, Result
from ...interfaces import NotUnsealed
from ...model import Device
from ...persist.erasing import forget_command
from ...persist.files import FileStore
from ...persist.transaction import Transaction
from ...protocol.codes import BiometricType, ReturnCode, succeeded
from ...protocol.fields import Command, Kind, Row, Table
from ...protocol.hybrid import negotiate_types
from ...protocol.replies import CommandReply
from ...values.commands import CommandFile, QueuedCommand
from .claims import ClaimStore
from .commands import COMMANDS
from .contested import ContestedParts, Outcome
from .contradictions import ConflictStore
from .erased import ErasedPeople
from .persons import PersonStore
from .removals import KeyColumns, RemovalStore
from .schema import person_photos, templates, users
from .statements import photos_of, templates_of, users_of
from .stating import StatedParts
from .strangers import StrangerStore
from .tables import BIODATA, BIOPHOTO, FACE, FP, FVEIN, USER, USERPIC

_TABLES = {table.name: table for table in (USER, FP, FACE, FVEIN, BIODATA, USERPIC, BIOPHOTO)}
_TABLES |= {"USERINFO": USER, "FINGERTMP": FP}
"""Tables by the last word of the commands on them."""
_DELETION = "DATA DELETE USERINFO"
_EMPTY = (Kind.TEXT, Kind.CARD)
"""Kinds of fields that a command can empty."""
_Values = Mapping[str, str | None]
"""The parameters of a command by the names of its fields."""
_Act = Callable[[Transaction, Device, QueuedCommand, _Values, int], None]


def _on_success(entry: Command, act: _Act) -> Effect:
    """Return an effect that acts if the terminal has executed the command.

    A terminal that is to delete a person whom it does not have, has executed that. One that
    refuses to delete an erased person is asked again.
    """
    wires = {field.name: field.wire for field in entry.parameters}

    def effect(
        tx: Transaction, device: Device, command: QueuedCommand, reply: CommandReply, now: int
    ) -> Result:
        is_gone = entry.name == _DELETION and reply.return_code == ReturnCode.USER_UNKNOWN
        if succeeded(command.command, reply.return_code) or is_gone:
            values = {name: command.params.get(wire) for name, wire in wires.items()}
            act(tx, device, command, values, now)
        elif entry.name == _DELETION and reply.return_code is not None:
            _refuse_deletion(tx, device, command, reply.return_code, now)
        return dict(reply.values)

    return effect


def _put(table: Table) -> _Act:
    """Return the act of an update: the terminal and the person have the record."""

    def act(
        tx: Transaction, device: Device, command: QueuedCommand, values: _Values, now: int
    ) -> None:
        if command.file is not None:
            content = _content(tx, command.file)
            if content is None:
                return
            values = {**values, "content": content}
        row = _row(table, values)
        store, at = tx[StatedParts], command.created_at
        if table is USER:
            tx[ContestedParts].drop_nobodys(device.id, str(values["pin"]))
            heard = tx[PersonStore].keep(device.id, users_of([row]), now, written_at=at)
            if heard.agreed:  # the terminal had another person before
                store.end_conflict(device.id, heard.agreed, Outcome.STORED, now)
        elif table in (USERPIC, BIOPHOTO):
            store.keep_photos(device.id, photos_of(table, [row]), now, written_at=at)
        else:
            hybrid = negotiate_types(device.options, device.attributes)
            store.keep_templates(device.id, templates_of(table, [row], hybrid), now, written_at=at)

    return act


def _content(tx: Transaction, fetched: CommandFile) -> str | None:
    """Return the picture that a terminal has fetched, in base64; None if it is gone."""
    file = tx[FileStore].get(fetched.id)
    if file is None:
        return None
    try:
        return base64.b64encode(tx[FileStore].content(file)).decode()
    except (LookupError, NotUnsealed):
        return None


def _row(table: Table, params: _Values) -> Row:
    """Return the row of a record as an upload would have it; parameters are by field name."""
    values: list[object] = []
    for field in table.fields:
        if not field.stored:
            continue
        text = params.get(field.name)
        if text:
            values.append(field.kind.decode(text))
        elif table is USER:  # absent values stay
            values.append("" if text == "" and field.kind in _EMPTY else None)
        else:
            values.append(field.default)
    return (*values, None, None)


def _delete_person(
    tx: Transaction, device: Device, command: QueuedCommand, values: _Values, now: int
) -> None:
    pin = str(values["pin"])
    if tx[PersonStore].is_erased(pin):
        tx[ClaimStore].end(device.id, [pin], now)
        tx[RemovalStore].forget(device.id, pin)
        tx[ErasedPeople].deleted(device.id, pin)
        forget_command(tx, command, now)
        return
    for table in (users, templates, person_photos):
        tx[RemovalStore].remove(device.id, table, pin, lambda key: True, now)
    tx[RemovalStore].remove_all(device.id, pin, now)
    tx[ClaimStore].end(device.id, [pin], now)
    tx[ErasedPeople].deleted(device.id, pin)  # who had the user ID before
    if tx[StrangerStore].gone(device.id, pin):
        tx[ConflictStore].end(device.id, pin, now)
        tx[ContestedParts].take(device.id, [pin])
        tx[PersonStore].tell("user", device.sn, [pin], now)


def _refuse_deletion(
    tx: Transaction, device: Device, command: QueuedCommand, return_code: int, now: int
) -> None:
    pin = str(command.params["PIN"])
    if tx[PersonStore].is_erased(pin):
        tx[ErasedPeople].refused(device.id, pin, return_code, now)
        forget_command(tx, command, now)


def _delete_templates(type_: BiometricType | None = None) -> _Act:
    """Return the act that removes templates of a type, or of the type in the parameters."""

    def act(
        tx: Transaction, device: Device, command: QueuedCommand, values: _Values, now: int
    ) -> None:
        wanted = {"type": values.get("type") if type_ is None else str(int(type_))}
        wanted["number"] = values.get("number")

        def is_wanted(key: KeyColumns) -> bool:
            return all(text in (None, str(key[name])) for name, text in wanted.items())

        tx[RemovalStore].remove(device.id, templates, str(values["pin"]), is_wanted, now)

    return act


def _delete_photos(kind: str) -> _Act:
    """Return the act that removes photos of a kind."""

    def act(
        tx: Transaction, device: Device, command: QueuedCommand, values: _Values, now: int
    ) -> None:
        def is_wanted(key: KeyColumns) -> bool:
            return key["kind"] == kind

        tx[RemovalStore].remove(device.id, person_photos, str(values["pin"]), is_wanted, now)

    return act


_DELETIONS = {
    "USERINFO": _delete_person,
    "FINGERTMP": _delete_templates(BiometricType.FINGERPRINT),
    "FACE": _delete_templates(BiometricType.FACE),
    "FVEIN": _delete_templates(BiometricType.FINGER_VEIN),
    "BIODATA": _delete_templates(),
    "USERPIC": _delete_photos(USERPIC.name),
    "BIOPHOTO": _delete_photos(BIOPHOTO.name),
}


def _act_of(entry: Command) -> _Act:
    verb, name = entry.name.split()[1:]
    return _put(_TABLES[name]) if verb == "UPDATE" else _DELETIONS[name]


EFFECTS = {entry.name: _on_success(entry, _act_of(entry)) for entry in COMMANDS if entry.has_effect}

"""Intents for people as commands of Attendance PUSH (12.1, 12.6)."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import msgspec

from ...device.intents import Instruction, NotPossible, Translations
from ...device.packages import SOURCE
from ...model import Device
from ...persist.transaction import Transaction
from ...protocol.codes import BiometricType
from ...protocol.dialect import FIRST_FAMILY
from ...protocol.hybrid import negotiate_types
from ...stored import StoredRecord
from ...values.people import Person
from .authorship import NEUTRAL
from .commands import COMMANDS
from .model import (
    DeletePerson,
    Enrol,
    PutPackage,
    PutPerson,
    PutPhoto,
    PutTemplate,
    QueryPeople,
    QueryTemplates,
    Template,
)
from .persons import PersonStore
from .tables import FACE, FP

UPDATES = {command.name: command for command in COMMANDS}


def put_person(person: Person, emptied: Collection[str] = ()) -> Instruction:
    """Return the command that adds or changes a user (12.1.1.1).

    Other empty fields than `emptied` are left out, so that the terminal keeps its own values.
    """
    instruction = _filled("DATA UPDATE USERINFO", person)
    wires = {field.name: field.wire for field in UPDATES[instruction.command].parameters}
    empty = {wires[name]: str(NEUTRAL.get(name, "")) for name in emptied}
    return Instruction(instruction.command, {**instruction.params, **empty})


def put_template(template: Template) -> Instruction:
    """Return the command that adds or changes a template, in its uploaded form (12.1.1.3 to 6)."""
    names = {FP.name: "FINGERTMP", FACE.name: "FACE"}
    name = names.get(template.form, template.form)
    under_duress = name == "FINGERTMP" and template.duress
    return _filled(f"DATA UPDATE {name}", template, {"valid": 3} if under_duress else {})


def _filled(
    name: str, record: StoredRecord, instead: Mapping[str, object] = MappingProxyType({})
) -> Instruction:
    """Return a command whose parameters are the fields of a stored record, or `instead`."""
    command = UPDATES[name]
    values = {**msgspec.structs.asdict(record), **instead}
    params = {
        field.wire: field.kind.encode(values[field.name])
        for field in command.parameters
        if values.get(field.name) is not None
    }
    return Instruction(name, params)


def _put_person(tx: Transaction, device: Device, intent: PutPerson) -> Sequence[Instruction]:
    pin = intent.person.pin
    return [put_person(intent.person, tx[PersonStore].emptied([pin]).get(pin, ()))]


def _delete_person(tx: Transaction, device: Device, intent: DeletePerson) -> Sequence[Instruction]:
    return [Instruction("DATA DELETE USERINFO", {"PIN": intent.pin})]


def _put_template(tx: Transaction, device: Device, intent: PutTemplate) -> Sequence[Instruction]:
    if intent.template.template is None:
        raise NotPossible("The template is damaged; a terminal has to send it again.")
    return [put_template(intent.template)]


def _put_photo(tx: Transaction, device: Device, intent: PutPhoto) -> Sequence[Instruction]:
    photo = intent.photo
    if photo.content is None:
        raise NotPossible("The photo is damaged; a terminal has to send it again.")
    content = base64.b64encode(photo.content)
    instead: dict[str, object] = {"content": content, "size": len(content)}
    if intent.post_back:
        instead["post_back_template"] = 1
    return [_filled(f"DATA UPDATE {photo.kind}", photo, instead)]


def _put_package(tx: Transaction, device: Device, intent: PutPackage) -> Sequence[Instruction]:
    return [Instruction("PutFile", {"Action": "AppendData", SOURCE: intent.source})]


def _query_people(tx: Transaction, device: Device, intent: QueryPeople) -> Sequence[Instruction]:
    params = {} if intent.pin is None else {"PIN": intent.pin}
    return [Instruction("DATA QUERY USERINFO", params)]


def _query_templates(
    tx: Transaction, device: Device, intent: QueryTemplates
) -> Sequence[Instruction]:
    if not negotiate_types(device.options, device.attributes).supported:
        raise NotPossible("The terminal does not upload all templates of a type at once.")
    return [Instruction("DATA QUERY BIODATA", {"Type": str(intent.type)})]


def _enrol(tx: Transaction, device: Device, intent: Enrol) -> Sequence[Instruction]:
    if intent.type is None:
        return [Instruction("ENROLL_MF", {"PIN": intent.pin})]
    more = {"OVERWRITE": "1"} if intent.overwrite else {}
    if intent.type == BiometricType.FINGERPRINT:
        return [Instruction("ENROLL_FP", {"PIN": intent.pin, "FID": str(intent.number), **more})]
    return [Instruction("ENROLL_BIO", {"PIN": intent.pin, "TYPE": str(int(intent.type)), **more})]


INTENTS: Translations = {
    (FIRST_FAMILY, PutPerson): _put_person,
    (FIRST_FAMILY, DeletePerson): _delete_person,
    (FIRST_FAMILY, PutTemplate): _put_template,
    (FIRST_FAMILY, PutPhoto): _put_photo,
    (FIRST_FAMILY, PutPackage): _put_package,
    (FIRST_FAMILY, QueryPeople): _query_people,
    (FIRST_FAMILY, QueryTemplates): _query_templates,
    (FIRST_FAMILY, Enrol): _enrol,
}

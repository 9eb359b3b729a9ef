"""What the family's records become, and by which commands its terminals do what is wanted."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from zope.interface import implementer

from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.tables import ATTLOG
from zkpush.handlers.people.model import PersonStatement, PutPerson
from zkpush.handlers.people.persons import PersonStore
from zkpush.handlers.people.tables import USER as PERSON
from zkpush.handlers.terminals.model import OpenDoor, Reboot
from zkpush.plugin.family import Instruction, Translations, impossible
from zkpush.plugin.handler import Batch, Device, IRecordHandler, Transaction
from zkpush.protocol.times import wall_clock

from .tables import CONTROL, FAMILY, RTLOG, UPDATE_USER, USER

_PASSAGES = frozenset({*range(20), *range(200, 254)})
"""Events that let somebody through; others are denials and alarms."""
_UNDECLARED = 2
"""Values behind the declared ones of a row: what it does not declare, and its bytes."""


@implementer(IRecordHandler)
class GateHandler:
    """Stores events as punches, and users as people."""

    name = "gates"
    tables = (RTLOG, USER)
    changes_device = False

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload."""
        rows = [dict(zip(batch.table.names, row, strict=False)) for row in batch.rows]
        if batch.table is USER:
            tx[PersonStore].keep(device.id, [_person(row) for row in rows], now)
            return
        passages = [_punch(row) for row in rows if row["event"] in _PASSAGES]
        tx[AttendanceInserts].add(device.id, passages, wall_clock(device.timezone), now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Nothing follows."""


def _punch(row: dict[str, object]) -> tuple[object, ...]:
    values = {field.name: field.default for field in ATTLOG.fields if field.stored}
    values |= {name: row[name] for name in ("time", "pin", "status", "verify")}
    return (*values.values(), *[None] * _UNDECLARED)


def _person(row: dict[str, object]) -> PersonStatement:
    values: dict[str, object] = dict.fromkeys((*PERSON.names, "extra", "raw"))
    values |= {name: row[name] or None for name in ("pin", "name", "card", "group")}
    text = msgspec.json.encode([*values.values()])
    return PersonStatement((str(row["pin"]),), values, text)


def _put_person(tx: Transaction, device: Device, intent: PutPerson) -> Sequence[Instruction]:
    person = intent.person
    said = {"CardNo": person.card, "Pin": person.pin, "Name": person.name}
    params = {name: value for name, value in said.items() if value}
    return [Instruction(UPDATE_USER.name, params)]


def _open_door(tx: Transaction, device: Device, intent: OpenDoor) -> Sequence[Instruction]:
    code = f"01{intent.door:02X}01{intent.seconds or 5:02X}"
    return [Instruction(CONTROL.name, {"code": code})]


HANDLERS = (GateHandler(),)
INTENTS: Translations = {
    (FAMILY, PutPerson): _put_person,
    (FAMILY, OpenDoor): _open_door,
    (FAMILY, Reboot): impossible("These gates are never restarted from afar."),
}

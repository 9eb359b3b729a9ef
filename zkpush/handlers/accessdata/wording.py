"""Intents for access data as commands of Attendance PUSH (12.1.1.9 to 17, 12.1.2.8 to 10)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from ...device.intents import Instruction, NotPossible, Translations
from ...model import Device
from ...persist.transaction import Transaction
from ...protocol.codes import KeyFunction, MessageKind
from ...protocol.dialect import FIRST_FAMILY
from .checks import DAYS, FOR_USERS
from .declared import (
    CLOSED,
    COMBINATIONS,
    GROUPS,
    HOLIDAYS,
    MESSAGES,
    PICTURES,
    SHORTCUT_KEYS,
    TIME_PERIODS,
    WORK_CODES,
    table_named,
)
from .fields import Value
from .model import AssignMessage, DeleteAccessEntry, PutAccessEntry, UnassignMessage

_PERIOD_DAYS = dict(zip(DAYS, ("Mon", "Tues", "Wed", "Thurs", "Fri", "Sat", "Sun"), strict=True))
"""Spelling of 12.1.1.15."""
_KEY_DAYS = {day: day[:3].title() for day in DAYS}
_NEVER = "2357", "2356"
"""Begin after the end: ZKTeco's manuals for access control close a day so."""
_MOST_PERIODS = 3
_MOST_GROUPS = 5
_EXTENSION = "jpg"
Params = Mapping[str, str]


def _time_period(key: str, fields: Mapping[str, Any]) -> Params:
    params = {"UID": key}
    for day, wire in _PERIOD_DAYS.items():
        text = fields[day]
        begin, end = _NEVER if text == CLOSED else text.replace(":", "").split("-")
        params |= {f"{wire}Start": begin, f"{wire}End": end}
    return params


def _holiday(key: str, fields: Mapping[str, Any]) -> Params:
    return {
        "UID": key,
        "HolidayName": fields.get("name", ""),
        "StartDate": fields["start"].replace("-", ""),
        "EndDate": fields["end"].replace("-", ""),
        "TimeZone": str(fields["time_period"]),
    }


def _group(key: str, fields: Mapping[str, Any]) -> Params:
    periods = [*fields.get("time_periods", ())]
    numbers = [int(bool(periods)), *periods, *[0] * (_MOST_PERIODS - len(periods))]
    return {
        "ID": key,
        "Verify": str(fields["verify"]),
        "ValidHoliday": str(int(fields["valid_on_holidays"])),
        "TZ": ";".join(map(str, numbers)),
    }


def _combination(key: str, fields: Mapping[str, Any]) -> Params:
    groups = [*fields["groups"]]
    groups += [0] * (_MOST_GROUPS - len(groups))
    named = {f"Group{number}": str(group) for number, group in enumerate(groups, 1)}
    return {"UID": key, **named}


def _work_code(key: str, fields: Mapping[str, Any]) -> Params:
    return {"PIN": str(fields["index"]), "CODE": key, "NAME": fields["name"]}


def _message(key: str, fields: Mapping[str, Any]) -> Params:
    kind = MessageKind.ONE_USER if fields["kind"] == FOR_USERS else MessageKind.EVERYONE
    return {
        "MSG": fields["text"],
        "TAG": str(int(kind)),
        "UID": key,
        "MIN": str(fields["minutes"]),
        "StartTime": f"{fields['start']}:00",
    }


def _shortcut_key(key: str, fields: Mapping[str, Any]) -> Params:
    """Write a key; its times are in the order of 12.1.1.13, from Monday to Sunday."""
    params = {"KeyID": key, "KeyFun": str(fields["function"])}
    if "state" in fields:
        params["StatusCode"] = str(fields["state"])
    if "name" in fields:
        params["ShowName"] = fields["name"]
    switches = [fields.get(day) for day in DAYS]
    params["AutoState"] = str(int(any(switches)))
    if any(switches):
        params["AutoTime"] = ";".join(time or "00:00" for time in switches)
    params |= {wire: str(int(day in fields)) for day, wire in _KEY_DAYS.items()}
    return params


def _picture(key: str, fields: Mapping[str, Any]) -> Params:
    content = fields["content"]
    size = len(base64.b64decode(content))
    return {"Index": key, "Size": str(size), "Extension": _EXTENSION, "Content": content}


Write = Callable[[str, Mapping[str, Value]], Params]
_UPDATES: Mapping[str, tuple[str, Write]] = {
    TIME_PERIODS.name: ("AccTimeZone", _time_period),
    HOLIDAYS.name: ("AccHoliday", _holiday),
    GROUPS.name: ("AccGroup", _group),
    COMBINATIONS.name: ("AccUnLockComb", _combination),
    WORK_CODES.name: ("WORKCODE", _work_code),
    MESSAGES.name: ("SMS", _message),
    SHORTCUT_KEYS.name: ("ShortcutKey", _shortcut_key),
    PICTURES.name: ("ADPIC", _picture),
}
_DELETIONS = {
    WORK_CODES.name: ("DATA DELETE WORKCODE", "CODE", {}),
    MESSAGES.name: ("DATA DELETE SMS", "UID", {}),
    PICTURES.name: ("DATA DELETE ADPIC", "Index", {}),
    SHORTCUT_KEYS.name: (
        "DATA UPDATE ShortcutKey",
        "KeyID",
        {"KeyFun": str(int(KeyFunction.NOTHING))},
    ),
}
"""Commands that delete entries, the parameter for the key, and further ones."""


def _put(tx: Transaction, device: Device, intent: PutAccessEntry) -> Sequence[Instruction]:
    if not intent.fields:
        raise NotPossible("The entry is damaged in the database; define it again.")
    name, write = _UPDATES[intent.table]
    return [Instruction(f"DATA UPDATE {name}", write(intent.key, intent.fields))]


def _delete(tx: Transaction, device: Device, intent: DeleteAccessEntry) -> Sequence[Instruction]:
    found = _DELETIONS.get(intent.table)
    if found is None:
        one = table_named(intent.table).one
        raise NotPossible(f"Terminals have no command that deletes a {one}; it keeps this one.")
    name, wire, more = found
    return [Instruction(name, {wire: intent.key, **more})]


def _assign(tx: Transaction, device: Device, intent: AssignMessage) -> Sequence[Instruction]:
    return [Instruction("DATA UPDATE USER_SMS", {"PIN": intent.pin, "UID": intent.key})]


def _unassign(tx: Transaction, device: Device, intent: UnassignMessage) -> NoReturn:
    raise NotPossible(
        "Terminals have no command that takes a user off a message; delete the message."
    )


INTENTS: Translations = {
    (FIRST_FAMILY, PutAccessEntry): _put,
    (FIRST_FAMILY, DeleteAccessEntry): _delete,
    (FIRST_FAMILY, AssignMessage): _assign,
    (FIRST_FAMILY, UnassignMessage): _unassign,
}

"""Entries on terminals: work codes, short messages, lists of identity cards, access control.

The server sends them (12.1.1.9 to 12.1.1.18). Terminals upload entries created on them, and entries
that the server queries. Keys and access control (12.1.1.13 to 12.1.1.17) are never uploaded.
"""

from __future__ import annotations

from ...protocol.codes import (
    Gender,
    MessageKind,
    Nation,
    NumberCodes,
)
from ...protocol.fields import SMALL, Field, Kind, Layout, Table
from ...protocol.parameters import data_command, field_of, fields_of
from ...protocol.versions import IDENTITY_LISTS, NEWEST
from .accesstables import (
    ACCESS_GROUP,
    ACCESS_HOLIDAY,
    ACCESS_TIME_ZONE,
    ACCESS_UNLOCK_COMBINATION,
    SHORTCUT_KEY,
)

__all__ = [
    "ACCESS_GROUP",
    "ACCESS_HOLIDAY",
    "ACCESS_TIME_ZONE",
    "ACCESS_UNLOCK_COMBINATION",
    "ADPIC",
    "BLACKLIST",
    "COMMANDS",
    "MOST_MESSAGE_BYTES",
    "SHORTCUT_KEY",
    "SMS",
    "TABLES",
    "USER_SMS",
    "WALLPAPER",
    "WHITELIST",
    "WORKCODE",
]

MOST_MESSAGE_BYTES = 320
"""Most bytes of a short message, in the terminal's encoding (12.1.1.9)."""
_MESSAGE_NUMBER = {"pattern": "[0-9]{1,10}", "form": "a number of 1 to 10 digits"}


def _key(wire: str, name: str, meaning: str) -> Field:
    return Field(
        wire=wire,
        name=name,
        required=True,
        pattern=r"[^\x00-\x1f=]{1,64}",
        form="1 to 64 characters, without control characters and =",
        meaning=meaning,
    )


def _table(
    name: str,
    section: str,
    meaning: str,
    fields: tuple[Field, ...],
    aliases: tuple[str, ...] = (),
    transfer: tuple[str, ...] = (),
) -> Table:
    """Declare a table of entries; its required fields form the key."""
    return Table(
        name=name,
        section=section,
        meaning=meaning,
        layout=Layout.KEYED,
        keyword=name,
        least_bytes=192,
        key=tuple(field.name for field in fields if field.required),
        holds_templates=False,
        fields=fields,
        aliases=aliases,
        transfer=transfer,
    )


WORKCODE = _table(
    "WORKCODE",
    "12.1.1.12",
    "Work codes",
    (
        Field(wire="PIN", name="index", meaning="Index of the work code"),
        _key("CODE", "code", "Work code"),
        Field(wire="NAME", name="name", meaning="Name of the work code"),
    ),
    transfer=("WORKCODE",),
)

SMS = _table(
    "SMS",
    "12.1.1.9",
    "Short messages",
    (
        Field(wire="MSG", name="message", meaning="Text of the message"),
        Field(
            wire="TAG",
            name="tag",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            meaning="253 for everyone, 254 for one user, 255 reserved",
            codes=MessageKind,
            label="For whom",
        ),
        _key("UID", "number", "Number of the message"),
        Field(
            wire="MIN",
            name="minutes",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            meaning="Validity in minutes",
        ),
        Field(wire="StartTime", name="start_time", meaning="Start of its validity (wall clock)"),
    ),
)

USER_SMS = _table(
    "USER_SMS",
    "12.1.1.10",
    "Who a short message is for",
    (_key("PIN", "pin", "User ID"), _key("UID", "number", "Number of the message")),
)

_PERSON = (
    _key("IDNum", "id_number", "Citizen ID number"),
    Field(wire="Name", name="name", meaning="Name (2.4.2)", label="Name"),
    Field(
        wire="Gender",
        name="gender",
        meaning="1 male, 2 female (2.4.2)",
        codes=NumberCodes(Gender),
        label="Gender",
    ),
    Field(
        wire="Nation",
        name="nation",
        meaning="Ethnic code, 11.6 (2.4.2)",
        codes=NumberCodes(Nation),
        label="Ethnic group",
    ),
)

BLACKLIST = _table("Blacklist", "12.1.1.18", "Identity cards that are refused", _PERSON)
WHITELIST = _table("WHITELIST", "12.1.1.18", "Identity cards that are let in (2.4.2)", _PERSON)

_PICTURE = (
    _key("Index", "index", "Number of the picture"),
    Field(wire="Size", name="size", meaning="Size of the picture"),
    Field(wire="Extension", name="extension", meaning="Form of the picture, such as jpg"),
    Field(wire="Content", name="content", meaning="The picture, in base64"),
)

ADPIC = _table("ADPIC", "12.1.1.11", "Publicity pictures", _PICTURE)
WALLPAPER = _table("WALLPAPER", "12.1.1.11", "Pictures behind the clock (2.4.2)", _PICTURE)

TABLES = (WORKCODE, SMS, USER_SMS, BLACKLIST, WHITELIST, ADPIC, WALLPAPER)

COMMANDS = (
    data_command(
        "UPDATE",
        "SMS",
        "12.1.1.9",
        "Add or change a short message",
        field_of(SMS, "message", required=True, most_bytes=MOST_MESSAGE_BYTES),
        field_of(SMS, "tag", required=True, choices=(253, 254, 255)),
        field_of(SMS, "number", **_MESSAGE_NUMBER),
        field_of(SMS, "minutes"),
        field_of(SMS, "start_time", kind=Kind.TIME),
        key=SMS.key,
    ),
    data_command(
        "UPDATE",
        "USER_SMS",
        "12.1.1.10",
        "Assign a short message to a user",
        field_of(USER_SMS, "pin"),
        field_of(USER_SMS, "number", **_MESSAGE_NUMBER),
        key=USER_SMS.key,
    ),
    data_command(
        "UPDATE",
        "ADPIC",
        "12.1.1.11",
        "Add or change a publicity picture",
        *fields_of(ADPIC),
        key=ADPIC.key,
    ),
    data_command(
        "UPDATE",
        "WORKCODE",
        "12.1.1.12",
        "Add or change a work code",
        *fields_of(WORKCODE),
        key=WORKCODE.key,
    ),
    data_command(
        "UPDATE",
        "ShortcutKey",
        "12.1.1.13",
        "Configure a function key",
        *fields_of(SHORTCUT_KEY),
        key=SHORTCUT_KEY.key,
    ),
    data_command(
        "UPDATE",
        "AccGroup",
        "12.1.1.14",
        "Change an access group",
        *fields_of(ACCESS_GROUP),
        key=ACCESS_GROUP.key,
    ),
    data_command(
        "UPDATE",
        "AccTimeZone",
        "12.1.1.15",
        "Change an access time period",
        *fields_of(ACCESS_TIME_ZONE),
        key=ACCESS_TIME_ZONE.key,
    ),
    data_command(
        "UPDATE",
        "AccHoliday",
        "12.1.1.16",
        "Change an access holiday",
        *fields_of(ACCESS_HOLIDAY),
        key=ACCESS_HOLIDAY.key,
    ),
    data_command(
        "UPDATE",
        "AccUnLockComb",
        "12.1.1.17",
        "Define the groups that unlock the door together",
        *fields_of(ACCESS_UNLOCK_COMBINATION),
        key=ACCESS_UNLOCK_COMBINATION.key,
    ),
    data_command(
        "UPDATE",
        "Blacklist",
        "12.1.1.18",
        "Add an identity card to the blacklist",
        *fields_of(BLACKLIST),
        since=IDENTITY_LISTS,
        key=BLACKLIST.key,
    ),
    data_command(
        "UPDATE",
        "WHITELIST",
        "12.1.1.18",
        "Add an identity card to the whitelist",
        *fields_of(WHITELIST),
        since=NEWEST,
        key=WHITELIST.key,
    ),
    data_command(
        "UPDATE",
        "WALLPAPER",
        "12.1.1.11",
        "Add or change a wallpaper",
        *fields_of(WALLPAPER),
        since=NEWEST,
        key=WALLPAPER.key,
    ),
    data_command(
        "DELETE",
        "SMS",
        "12.1.2.8",
        "Delete a short message",
        field_of(SMS, "number", **_MESSAGE_NUMBER),
    ),
    data_command(
        "DELETE", "WORKCODE", "12.1.2.9", "Delete a work code", field_of(WORKCODE, "code")
    ),
    data_command(
        "DELETE", "ADPIC", "12.1.2.10", "Delete a publicity picture", field_of(ADPIC, "index")
    ),
)

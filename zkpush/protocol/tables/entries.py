"""What terminals hold beside people: work codes, short messages, lists of identity cards.

They come from the server (12.1.1.9 to 12.1.1.18), and come back where a terminal makes them itself
or is asked for them.
"""

from __future__ import annotations

from ..fields import SMALL, Field, Kind, Layout, Table


def _key(wire: str, name: str, meaning: str) -> Field:
    return Field(
        wire=wire, name=name, required=True, pattern=r"[^\x00-\x1f=]{1,64}", meaning=meaning
    )


def _table(
    name: str,
    section: str,
    meaning: str,
    fields: tuple[Field, ...],
    aliases: tuple[str, ...] = (),
    transfer: tuple[str, ...] = (),
) -> Table:
    """A table of entries, whose key are the fields that must be there."""
    return Table(
        name=name,
        section=section,
        meaning=meaning,
        layout=Layout.KEYED,
        keyword=name,
        least_bytes=40,
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
    Field(wire="Name", name="name", meaning="Name (2.4.2)"),
    Field(wire="Gender", name="gender", meaning="1 male, 2 female (2.4.2)"),
    Field(wire="Nation", name="nation", meaning="Ethnic code, 11.6 (2.4.2)"),
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

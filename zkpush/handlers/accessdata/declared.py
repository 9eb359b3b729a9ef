"""The tables of access data and their fields, each declared once (12.1.1.9 to 12.1.1.17).

The store, the API, the command line and the pages of the console follow from these declarations;
`wording` translates entries to the commands of a family.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...phrases import Phrase, counted_phrase, words_of
from ...protocol.codes import AttendanceState, KeyFunction, VerificationMode
from ...protocol.scalars import compiled, quoted
from ...protocol.suggestions import did_you_mean
from .checks import (
    DAYS,
    FOR_USERS,
    MOST_MESSAGE_BYTES,
    PUBLIC,
    check_days,
    check_holiday,
    check_message,
    check_nothing,
    check_shortcut,
)
from .fields import AccessField, FieldKind, Given, Value

MOST_NUMBER = 9999
"""Largest number of a time period, holiday, group, combination, message or picture: user records
have four digits for a time period (11.5)."""
MOST_PICTURE = 512 * 1024
"""Most bytes of a picture: far more than the screen of a terminal needs."""
CLOSED = "closed"
"""A day of a time period on which the door stays closed."""
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_KEYS = {
    "number": (
        rf"[1-9][0-9]{{0,{len(str(MOST_NUMBER)) - 1}}}",
        Phrase("a number from %(least)s to %(most)s", least=1, most=MOST_NUMBER),
    ),
    "code": (
        r"[^\x00-\x20\x7f=/]{1,24}",
        Phrase("a code of 1 to 24 characters, without spaces, = and /"),
    ),
    "function": ("[1-8]", Phrase("a number from %(least)s to %(most)s", least=1, most=8)),
}


class AccessTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table of access data."""

    name: str
    """Name in paths and on the command line."""
    one: str
    """Name of one entry, in words."""
    meaning: str
    key: str
    """What the key of an entry is, in words."""
    key_pattern: str
    key_form: str
    fields: tuple[AccessField, ...]
    refers: Mapping[str, str] = {}
    """Fields that hold keys of entries of another table, with the name of that table."""
    order: int = 0
    """Place among the tables, in the order in which terminals are sent their entries."""

    @property
    def many(self) -> str:
        """Name of several entries, in words."""
        return self.name.replace("-", " ")

    def check_key(self, key: str) -> None:
        """Raise `AccessMistakes` for a key that no entry can have."""
        if not compiled(self.key_pattern).fullmatch(key):
            raise AccessMistakes(
                {
                    "key": Phrase(
                        "%(quoted)s is not %(form)s (%(meaning)s)",
                        quoted=quoted(key),
                        form=self.key_form,
                        meaning=self.key,
                    )
                }
            )

    def read(self, given: Mapping[str, Given]) -> dict[str, Value]:
        """Return the fields of an entry; `AccessMistakes` names every field that is wrong."""
        names = [field.name for field in self.fields]
        mistakes = {}
        for name in given:
            if name not in names:
                meant = did_you_mean(name, names) or f"there are {', '.join(names)}"
                mistakes[name] = f"is not a field of {self.name}; {meant}"
        found: dict[str, Value] = {}
        for field in self.fields:
            try:
                value = field.read(given.get(field.name))
            except ValueError as error:
                mistakes[field.name] = words_of(error)
            else:
                if value is not None:
                    found[field.name] = value
        if not mistakes:
            mistakes = _CHECKS.get(self.name, check_nothing)(found)
        if mistakes:
            raise AccessMistakes(mistakes)
        return found


class AccessMistakes(ValueError):
    """Mistakes in the fields of an entry."""

    def __init__(self, mistakes: Mapping[str, str]) -> None:
        """`mistakes` are by field name, each to complete the name of the field."""
        super().__init__(" ".join(f"{name}: {_ended(text)}" for name, text in mistakes.items()))
        self.mistakes = mistakes


def _ended(text: str) -> str:
    """End a sentence with a full stop, unless it ends with one or is a question."""
    return text if text.endswith((".", "?")) else f"{text}."


def _table(name: str, one: str, meaning: str, kind: str, key: str, **more: Any) -> AccessTable:
    pattern, form = _KEYS[kind]
    return AccessTable(
        name=name, one=one, meaning=meaning, key=key, key_pattern=pattern, key_form=form, **more
    )


def _number_of(name: str, meaning: str, **more: Any) -> AccessField:
    more = {"minimum": 1, "maximum": MOST_NUMBER, **more}
    return AccessField(name=name, meaning=meaning, kind=FieldKind.NUMBER, **more)


def _numbers_of(name: str, meaning: str, most: int, **more: Any) -> AccessField:
    return AccessField(
        name=name,
        meaning=meaning,
        kind=FieldKind.NUMBERS,
        minimum=1,
        maximum=MOST_NUMBER,
        most=most,
        **more,
    )


TIME_PERIODS = _table(
    "time-periods",
    Phrase("time period"),
    "When people may enter, for each day of the week",
    "number",
    Phrase("number of the time period"),
    fields=tuple(
        AccessField(
            name=day,
            meaning=f"begin and end on {day.title()}, such as 08:00-17:30, or {CLOSED} (as "
            "without it)",
            default=CLOSED,
            pattern=f"{_CLOCK}-{_CLOCK}|{CLOSED}",
            form=Phrase(
                "a begin and an end from 00:00 to 23:59, such as 08:00-17:30, or %(closed)s",
                closed=CLOSED,
            ),
        )
        for day in DAYS
    ),
)
_DAY: Mapping[str, Any] = {
    "required": True,
    "pattern": "(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "form": Phrase("a month and a day, such as 12-24"),
}
HOLIDAYS = _table(
    "holidays",
    Phrase("holiday"),
    "Days of every year on which another time period holds",
    "number",
    Phrase("number of the holiday"),
    refers={"time_period": TIME_PERIODS.name},
    fields=(
        AccessField(name="name", meaning="name of the holiday", most=64),
        AccessField(name="start", meaning=Phrase("first day, such as 12-24"), **_DAY),
        AccessField(name="end", meaning=Phrase("last day, such as 12-26"), **_DAY),
        _number_of("time_period", Phrase("time period of these days"), required=True),
    ),
)
GROUPS = _table(
    "groups",
    Phrase("group"),
    "How people of a group verify, and when they may enter",
    "number",
    Phrase("number of the group, as in the field `group` of users"),
    refers={"time_periods": TIME_PERIODS.name},
    fields=(
        AccessField(
            name="verify",
            meaning=Phrase("verification mode, 0 for any (Appendix 7 of the protocol)"),
            kind=FieldKind.NUMBER,
            codes=VerificationMode,
            default=0,
        ),
        AccessField(
            name="valid_on_holidays",
            meaning="whether its time periods hold on holidays",
            kind=FieldKind.YES,
            default=False,
        ),
        _numbers_of("time_periods", "up to three time periods of its people", 3),
    ),
)
COMBINATIONS = _table(
    "combinations",
    Phrase("combination"),
    "Groups whose people open the door together",
    "number",
    Phrase("number of the combination"),
    refers={"groups": GROUPS.name},
    fields=(
        AccessField(
            name="groups",
            meaning=Phrase(
                "up to five groups, one for each person; a group may be given several times"
            ),
            kind=FieldKind.NUMBERS,
            minimum=1,
            maximum=MOST_NUMBER,
            most=5,
            required=True,
            repeats=True,
        ),
    ),
)
WORK_CODES = _table(
    "work-codes",
    Phrase("work code"),
    "What people choose for the work they begin",
    "code",
    Phrase("work code, as in attendance records"),
    fields=(
        AccessField(name="name", meaning=Phrase("name of the work code"), most=64, required=True),
        _number_of("index", "place in the list of the terminal; by default the next free one"),
    ),
)
MESSAGES = _table(
    "messages",
    Phrase("message"),
    "Short messages on the screen",
    "number",
    Phrase("number of the message"),
    fields=(
        AccessField(
            name="text",
            meaning=counted_phrase(
                "text of at most %(num)s byte in the encoding of the terminal",
                "text of at most %(num)s bytes in the encoding of the terminal",
                MOST_MESSAGE_BYTES,
            ),
            required=True,
        ),
        AccessField(
            name="kind",
            meaning=f"{PUBLIC} for everyone, {FOR_USERS} for the named users",
            choices=(PUBLIC, FOR_USERS),
            default=PUBLIC,
        ),
        AccessField(
            name="users",
            meaning="user IDs of the people whom it is for",
            kind=FieldKind.USERS,
            most=1000,
            pattern=r"[^\x00-\x1f=]{1,64}",
            form=Phrase("a user ID"),
        ),
        AccessField(
            name="start",
            meaning=Phrase(
                "when it appears, in the time of the terminal, such as 2026-03-01 08:00"
            ),
            required=True,
            pattern=f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} {_CLOCK}",
            form=Phrase("a time such as 2026-03-01 08:00"),
        ),
        _number_of(
            "minutes", Phrase("minutes for which it appears"), required=True, maximum=65_535
        ),
    ),
)
SHORTCUT_KEYS = _table(
    "shortcut-keys",
    Phrase("shortcut key"),
    "What the function keys do",
    "function",
    Phrase("1 to 8 for the keys F1 to F8"),
    fields=(
        AccessField(
            name="function",
            meaning=Phrase(
                "0 nothing, 1 state key, 2 work code, 3 short message, 4 help, 5 records, "
                "6 last record"
            ),
            kind=FieldKind.NUMBER,
            codes=KeyFunction,
            required=True,
        ),
        AccessField(
            name="state",
            meaning="attendance state of a state key, such as 0 check in, 1 check out",
            kind=FieldKind.NUMBER,
            minimum=0,
            maximum=255,
            codes=AttendanceState,
            any_code=True,
        ),
        AccessField(name="name", meaning="name on the screen", most=64),
        *(
            AccessField(
                name=day,
                meaning=f"when the state switches by itself on {day.title()}, such as 08:00",
                pattern=_CLOCK,
                form=Phrase("a time from 00:00 to 23:59"),
            )
            for day in DAYS
        ),
    ),
)
PICTURES = _table(
    "pictures",
    Phrase("picture"),
    "Publicity pictures on the screen",
    "number",
    Phrase("number of the picture"),
    fields=(
        AccessField(
            name="content",
            meaning=Phrase("the picture, a JPEG file of at most 512 KiB, in base64"),
            kind=FieldKind.PICTURE,
            maximum=MOST_PICTURE,
            required=True,
        ),
    ),
)
ACCESS_TABLES = tuple(
    msgspec.structs.replace(table, order=order)
    for order, table in enumerate(
        (
            TIME_PERIODS,
            HOLIDAYS,
            GROUPS,
            COMBINATIONS,
            WORK_CODES,
            MESSAGES,
            SHORTCUT_KEYS,
            PICTURES,
        )
    )
)
"""All tables, each after those to which it refers."""
BY_NAME = {table.name: table for table in ACCESS_TABLES}


def table_named(name: str) -> AccessTable:
    """Return a table by its name; `LookupError` if there is none."""
    if name not in BY_NAME:
        names = Phrase("there are %(names)s.", names=", ".join(BY_NAME))
        meant = did_you_mean(name, BY_NAME) or names
        raise LookupError(
            Phrase(
                "There is no table %(name)s of access data; %(meant)s", name=name[:40], meant=meant
            )
        )
    return BY_NAME[name]


_CHECKS = {
    TIME_PERIODS.name: check_days,
    HOLIDAYS.name: check_holiday,
    MESSAGES.name: check_message,
    SHORTCUT_KEYS.name: check_shortcut,
}
"""Further checks of the fields of an entry, once each of them is right."""

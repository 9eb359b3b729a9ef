"""Validation of what somebody enters about a person, for the API, the console and the import.

Terminals may have other user IDs and values than a person can enter: those stay as they are.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from ...phrases import Phrase, counted_phrase, in_series, words_of
from ...protocol.commands import check_command, with_values, without_field
from ...protocol.errors import CommandError
from ...protocol.fields import Field, Kind
from ...protocol.scalars import decode_card, decode_time
from .wording import UPDATES

LONGEST_PIN = 24
"""Most characters of a user ID that somebody enters; the widest terminals take as many."""
LONGEST_NAME = 64
"""Most characters of a name that somebody enters."""
LONGEST_PASSWORD = 16
"""Most characters of a password that somebody enters."""
MOST_GROUP = 99
"""Highest group of terminals."""
_PIN = re.compile(rf"[A-Za-z0-9]{{1,{LONGEST_PIN}}}", re.ASCII)
_CONTROLS = re.compile("[\0\t\r\n]", re.ASCII)
_PUT = UPDATES["DATA UPDATE USERINFO"]
_ENTERED: Mapping[str, Mapping[str, Any]] = {
    "expires": {
        "pattern": "[0-3]",
        "form": Phrase(
            "0 (validity does not end) or 1, 2 or 3 (it ends, as the model of the terminal defines "
            "it)"
        ),
    },
}
"""What is stricter for values that a person enters than for those of firmware, by field."""
_ENTER = msgspec.structs.replace(
    _PUT,
    parameters=tuple(
        msgspec.structs.replace(field, **_ENTERED.get(field.name, {})) for field in _PUT.parameters
    ),
)
_MOMENTS = ("start_datetime", "end_datetime")


class PersonMistakes(ValueError):
    """Mistakes in what was entered about a person."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        """`fields` are the messages by field of the API."""
        super().__init__(
            in_series(
                [
                    Phrase("%(field)s: %(reason)s", field=name, reason=text)
                    for name, text in fields.items()
                ]
            )
        )
        self.fields = fields


def mistakes_in(
    pin: str,
    given: Mapping[str, object],
    known: Mapping[str, object] = MappingProxyType({}),
    *,
    is_new: bool = False,
) -> dict[str, str]:
    """Return the mistakes in the values of a person, by field.

    `known` are the values that are stored, or that a terminal states; an equal value is valid. The
    user ID is judged by what people may enter if the person `is_new`.
    """
    wrong: dict[str, str] = {}
    if is_new and _PIN.fullmatch(pin) is None:
        wrong["pin"] = counted_phrase(
            "A user ID is 1 digit or letter without accents.",
            "A user ID is 1 to %(num)s digits or letters without accents.",
            LONGEST_PIN,
        )
    else:
        _check(wrong, "pin", {"PIN": pin})
    entered = {
        name: value
        for name, value in given.items()
        if value is not None and value != known.get(name)
    }
    for field in _ENTER.parameters:
        if field.name != "pin" and field.name in entered:
            found = _mistake(field, entered[field.name])
            if found is None:
                _check(wrong, field.name, {"PIN": "1", field.wire: _text(field, entered)})
            else:
                wrong[field.name] = found
    if not wrong.keys() & _MOMENTS and entered.keys() & set(_MOMENTS):
        since, until = ({**known, **given}.get(name) for name in _MOMENTS)
        with contextlib.suppress(ValueError):  # firmware has other forms of times
            if since and until and decode_time(str(until)) < decode_time(str(since)):
                wrong["end_datetime"] = Phrase("The end is before the beginning.")
    return wrong


def _text(field: Field, entered: Mapping[str, object]) -> str:
    return field.kind.encode(entered[field.name])


def _check(wrong: dict[str, str], name: str, params: Mapping[str, str]) -> None:
    """Add the mistake that a command with these parameters has."""
    try:
        check_command(_ENTER, params)
    except CommandError as error:
        wrong[name] = without_field(words_of(error))


def _mistake(field: Field, value: object) -> str | None:
    """Return the mistake in a value that no command needs to tell."""
    if not isinstance(value, field.kind.python):
        quoted = repr(str(value)[:40])
        reason = (
            Phrase("%(quoted)s is not an integer", quoted=quoted)
            if field.kind.python is int
            else Phrase("%(quoted)s is not a text", quoted=quoted)
        )
        return with_values(reason, field)
    if _CONTROLS.search(str(value)):
        return Phrase("A tab or a line break can be no part of it.")
    longest = {"name": LONGEST_NAME, "password": LONGEST_PASSWORD}.get(field.name)
    if longest is not None and len(str(value)) > longest:
        return counted_phrase(
            "At most %(num)s character fits.", "At most %(num)s characters fit.", longest
        )
    if field.name == "group" and not 1 <= int(str(value)) <= MOST_GROUP:
        return Phrase("A group is a number from 1 to %(most)s.", most=MOST_GROUP)
    if field.kind is Kind.CARD and _is_no_card(str(value)):
        return Phrase(
            "This is neither a number in digits nor the bytes of a card in [ ], such as [15CD5B07]."
        )
    if field.name in _MOMENTS and _is_no_moment(str(value)):
        return Phrase(
            "%(given)s is not a time of the form YYYY-MM-DD HH:MM:SS, such as 2026-12-31 23:59:59.",
            given=repr(str(value)[:40]),
        )
    return None


def _is_no_card(text: str) -> bool:
    if text and not (text.isdecimal() or text[0] == "["):
        return True
    try:
        decode_card(text)
    except ValueError:
        return True
    return False


def _is_no_moment(text: str) -> bool:
    try:
        Kind.MOMENT.decode(text)
    except ValueError:
        return True
    return False

"""Fields of access data: their kinds, ranges and meanings, and how a value is read."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec

from ...phrases import Phrase, counted_phrase
from ...protocol.coding import CodeTable
from ...protocol.jpeg import jpeg_size
from ...protocol.scalars import compiled, quoted

Given = str | int | bool | list[str | int] | None
"""A value as a caller writes it; text is read for every kind, so that forms can send it."""
Value = str | int | bool | list[int] | list[str]
"""A value as it is stored."""
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_NUMBER = re.compile("-?[0-9]{1,10}", re.ASCII)
_BROKEN = re.compile(r"[\x00-\x1f\x7f]", re.ASCII)


class FieldKind(Enum):
    """The type of a field, with its words."""

    TEXT = "text"
    NUMBER = "number"
    NUMBERS = "numbers, separated by commas"
    USERS = "user IDs, separated by commas"
    YES = "yes or no"
    PICTURE = "JPEG file, in base64"


class AccessField(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a table of access data."""

    name: str
    meaning: str
    """What it is, as a noun phrase."""
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    """Bounds of a number, or of each of several numbers."""
    most: int | None = None
    """Largest number of characters of a text, or of items of a list."""
    pattern: str | None = None
    form: str | None = None
    """What matches the pattern, in words, to complete "is not ..."."""
    choices: tuple[str, ...] = ()
    """The allowed texts; empty if all are."""
    codes: CodeTable | None = None
    any_code: bool = False
    """Whether codes without a meaning are allowed."""
    repeats: bool = False
    """Whether a list may hold an item several times."""
    default: Value | None = None
    """Value of a field that is left out; None for none."""

    def read(self, given: Given) -> Value | None:
        """Return the value to store; None for an empty one. `ValueError` says what is wrong."""
        if given is None or (isinstance(given, str) and not given.strip()) or given == []:
            if self.required:
                raise ValueError(Phrase("is needed: %(meaning)s", meaning=self.meaning))
            return self.default
        found: Value = _READERS[self.kind](self, given)
        return found

    def words(self, value: Any) -> str | None:
        """Return the meaning of a coded value; None if it has none."""
        return None if self.codes is None or value is None else self.codes(value).meaning


def _text(field: AccessField, given: Given) -> str:
    if isinstance(given, bool | list):
        raise ValueError(Phrase("is not a text"))  # noqa: TRY004 - a mistake of a caller
    text = str(given).strip()
    if _BROKEN.search(text):
        raise ValueError(Phrase("has control characters, such as a line break or a TAB"))
    if field.most is not None and len(text) > field.most:
        raise ValueError(
            counted_phrase(
                "has %(num)s character; at most %(most)s are possible",
                "has %(num)s characters; at most %(most)s are possible",
                len(text),
                most=field.most,
            )
        )
    if field.choices and text not in field.choices:
        raise ValueError(
            Phrase(
                "%(quoted)s is none of %(field)s",
                quoted=quoted(text),
                field=", ".join(field.choices),
            )
        )
    if field.pattern is not None and not compiled(field.pattern).fullmatch(text):
        raise ValueError(Phrase("%(quoted)s is not %(form)s", quoted=quoted(text), form=field.form))
    return text


def _number(field: AccessField, given: Given) -> int:
    if isinstance(given, str) and _NUMBER.fullmatch(given.strip()):
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int):
        raise ValueError(Phrase("%(quoted)s is not a number", quoted=quoted(str(given))))  # noqa: TRY004 - as above
    if field.minimum is not None and given < field.minimum:
        raise ValueError(
            Phrase("%(given)s is less than %(minimum)s", given=given, minimum=field.minimum)
        )
    if field.maximum is not None and given > field.maximum:
        raise ValueError(
            Phrase("%(given)s is more than %(maximum)s", given=given, maximum=field.maximum)
        )
    if field.codes is not None and not field.any_code and not is_known(field.codes(given)):
        raise ValueError(
            Phrase(
                "%(given)s is not a known code (%(meaning)s)", given=given, meaning=field.meaning
            )
        )
    return given


def is_known(code: object) -> bool:
    """Whether a code has a meaning of its own."""
    return bool(getattr(code, "known", True))


def _items(field: AccessField, given: Given) -> list[str | int]:
    if isinstance(given, str):
        found: list[Any] = [part.strip() for part in given.split(",") if part.strip()]
    else:
        found = given if isinstance(given, list) else [given]
    if field.most is not None and len(found) > field.most:
        raise ValueError(
            counted_phrase(
                "has %(num)s item; at most %(most)s are possible",
                "has %(num)s items; at most %(most)s are possible",
                len(found),
                most=field.most,
            )
        )
    for item in found:
        if not field.repeats and found.count(item) > 1:
            raise ValueError(Phrase("%(quoted)s is given twice", quoted=quoted(str(item))))
    return found


def _numbers(field: AccessField, given: Given) -> list[int]:
    return [_number(field, item) for item in _items(field, given)]


def _users(field: AccessField, given: Given) -> list[str]:
    one = msgspec.structs.replace(field, most=None)
    return [_text(one, item) for item in _items(field, given)]


def _yes(field: AccessField, given: Given) -> bool:
    if isinstance(given, bool):
        return given
    found = _YES.get(str(given).strip().lower())
    if found is None:
        raise ValueError(Phrase("%(quoted)s is neither yes nor no", quoted=quoted(str(given))))
    return found


def _picture(field: AccessField, given: Given) -> str:
    """Check a JPEG file in base64, and return its base64 in the standard form."""
    try:
        content = base64.b64decode("".join(str(given).split()), validate=True)
    except ValueError:
        raise ValueError(Phrase("is not base64")) from None
    if field.maximum is not None and len(content) > field.maximum:
        raise ValueError(
            counted_phrase(
                "the picture has %(num)s byte; at most %(maximum)s are possible",
                "the picture has %(num)s bytes; at most %(maximum)s are possible",
                len(content),
                maximum=field.maximum,
            )
        )
    jpeg_size(content)
    return base64.b64encode(content).decode()


_READERS: Mapping[FieldKind, Any] = {
    FieldKind.TEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.NUMBERS: _numbers,
    FieldKind.USERS: _users,
    FieldKind.YES: _yes,
    FieldKind.PICTURE: _picture,
}

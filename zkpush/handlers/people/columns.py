"""Columns of files of people: their names, what they mean, and their values in words.

A file may name its columns as the API does, or as the console shows them, in English or in the
language of the page. Coded values may be numbers or words.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

import msgspec

from ...manage.cells import safe_text, unsafe_text
from ...phrases import Phrase, listed_phrases
from ...protocol.fields import Kind
from ...protocol.scalars import decode_time
from ...protocol.secrecy import secrets_of
from ...values.people import Person
from ...values.personwords import PERSON_LABELS
from .authorship import FIELDS
from .showing import MOMENTS
from .tables import USER
from .views import UserView

PIN, AREAS = "pin", "areas"
LABEL_OF_PIN = Phrase("User ID")
MEANINGS: Mapping[str, Phrase] = {
    PIN: Phrase("The number that the person enters at terminals. Each line needs it."),
    "name": Phrase("The name that terminals show."),
    "card": Phrase("The number of the card, in digits."),
    "vice_card": Phrase("The number of a second card."),
    AREAS: Phrase("The person belongs on the terminals of these areas. Commas separate names."),
    "privilege": Phrase("What the person may do in the menus of terminals."),
    "start_datetime": Phrase("A date such as 2026-03-01, or with a time: 2026-03-01 08:00."),
    "end_datetime": Phrase("As above; a date without a time ends with that day."),
    "password": Phrase("A password to enter at terminals. It is never exported."),
    "group": Phrase("The group that the person has at terminals, a number from 1 to 99."),
    "verify": Phrase("How the person shows at terminals who they are."),
    "timezones": Phrase("When the person may enter, as terminals store it."),
    "expires": Phrase("Whether validity ends, as terminals store it."),
}
"""What each column means, in the order of the import page."""
EXPORTED: Sequence[str] = (
    *(name for name in MEANINGS if name not in secrets_of(USER) and name != AREAS),
    AREAS,
)
"""Columns of an export that can be imported again."""
ENROLLED, PHOTO = Phrase("Enrolled"), Phrase("Photo")
"""Headings of further columns of an export, which are not imported."""
_MORE: Mapping[str, Sequence[Phrase]] = {
    PIN: (LABEL_OF_PIN, Phrase("ID")),
    "card": (Phrase("Card"),),
    "vice_card": (Phrase("Second card number"),),
    "privilege": (Phrase("Privilege"), Phrase("Rights")),
    AREAS: (Phrase("Area"),),
}
"""Further names of columns."""
_IGNORED = frozenset(UserView.__struct_fields__) - FIELDS.keys() - {PIN, AREAS}
"""Columns of an export of the API that are not imported."""
_DATE = re.compile(
    r"(?P<first>[0-9]{1,4})(?P<mark>[-/.])(?P<second>[0-9]{1,2})(?P=mark)(?P<third>[0-9]{1,4})"
    r"(?:[T ](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<of_minute>[0-9]{2}))?)?",
    re.ASCII,
)
FEW_WORDS = 10
"""Number of words up to which a message names them all."""
_YEAR_DIGITS = 4
_MONTHS = 12

Saying = Callable[[str], str]
"""Translates a text into the language of a page."""


def label_of(name: str) -> Phrase:
    """Return the name of a column as the console shows it."""
    return LABEL_OF_PIN if name == PIN else PERSON_LABELS[name]


class ColumnNames:
    """The names of columns, in English and in the language of a page."""

    def __init__(self, said: Saying) -> None:
        self._columns = {name: name for name in MEANINGS}
        self._ignored = set(_IGNORED)
        for name in MEANINGS:
            for label in (label_of(name), *_MORE.get(name, ())):
                for text in (label, said(label)):
                    self._columns.setdefault(_letters(text), name)
        for label in (ENROLLED, PHOTO):
            self._ignored |= {_letters(label), _letters(said(label))}
        self._columns |= {_letters(name): name for name in MEANINGS}

    def find(self, heading: str) -> str | None:
        """Return the field that a heading names; None if it names none."""
        return self._columns.get(_letters(heading))

    def is_ignored(self, heading: str) -> bool:
        """Whether a column is one of an export that is not imported."""
        return heading in self._ignored or _letters(heading) in self._ignored


def known_columns(without: str | None = None) -> Phrase:
    """Name the columns, with their names in the API."""
    return listed_phrases(
        [
            Phrase("%(label)s (`%(name)s`)", label=label_of(name), name=name)
            for name in MEANINGS
            if name != without
        ]
    )


def _letters(text: str) -> str:
    """Return the letters and digits of a name, in lower case."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def text_of(cell: str) -> str:
    """Return the text of a cell, as it was before an export made it safe for spreadsheets."""
    return unsafe_text(cell.strip())


def shown_value(person: Person | Mapping[str, object], name: str) -> Phrase | str | int | None:
    """Return a value of a person as an export shows it; a phrase is to be translated."""
    value = person[name] if isinstance(person, Mapping) else getattr(person, name)
    if value is None or value == "":
        return None
    if name == AREAS:
        return areas_text(value) or None  # type: ignore[arg-type]  # a tuple of names
    words = {} if name == PIN else FIELDS[name].coded_values()
    if str(value) in words:
        return Phrase.made(words[str(value)], {})
    if name in MOMENTS:
        with contextlib.suppress(ValueError):  # firmware has other forms of times
            return decode_time(str(value))
    return value if isinstance(value, int) else str(value)


def stored_value(name: str, text: str, stored: Mapping[str, object], said: Saying) -> object:
    """Return the value of a cell; one that is an export of the stored value, as it is stored.

    Raises `ValueError` for words of no code, and for a date that may be two days.
    """
    if stored and stored.get(name) is not None:
        shown = shown_value(stored, name)
        texts = [str(stored[name]), str(shown)]
        if isinstance(shown, Phrase):
            texts.append(said(shown))
        if text in {text_of(safe_text(one)) for one in texts}:
            return stored[name]
    if name in MOMENTS:
        return moment_in(text, is_end=name == "end_datetime")
    field = FIELDS[name]
    if field.kind is not Kind.INTEGER:
        return text
    with contextlib.suppress(ValueError):
        return int(text)
    words = field.coded_values()
    for code, meaning in words.items():
        if _words(text) in (_words(meaning), _words(said(meaning))):
            return int(code)
    if not 0 < len(words) <= FEW_WORDS:
        return text  # the check of people refuses it
    raise ValueError(
        Phrase(
            "%(given)s is none of: %(words)s.",
            given=repr(text[:40]),
            words=listed_phrases([Phrase.made(one, {}) for one in words.values()]),
        )
    )


def _words(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def moment_in(text: str, *, is_end: bool) -> str:
    """Return a date, perhaps with a time, as `YYYY-MM-DD HH:MM:SS`; other texts as they are.

    A date without a time is its beginning, or its end. `ValueError` if it may be two days.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        return text
    year, month, day = _date_in(found, text)
    time = datetime.time(23, 59, 59) if is_end else datetime.time()
    try:
        if found["hour"] is not None:
            time = datetime.time(
                int(found["hour"]), int(found["minute"]), int(found["of_minute"] or 0)
            )
        return str(datetime.datetime.combine(datetime.date(year, month, day), time))
    except ValueError:
        return text


def _date_in(found: re.Match[str], text: str) -> tuple[int, int, int]:
    """Return year, month and day; dots stand in dates that begin with the day."""
    parts = [int(found[name]) for name in ("first", "second", "third")]
    if len(found["first"]) == _YEAR_DIGITS:
        return parts[0], parts[1], parts[2]
    first, second, year = parts
    year += 0 if len(found["third"]) == _YEAR_DIGITS else 2000
    if found["mark"] == "." or first > _MONTHS or first == second:
        return year, second, first
    if second > _MONTHS:
        return year, first, second
    one, other = f"{year:04}-{second:02}-{first:02}", f"{year:04}-{first:02}-{second:02}"
    raise ValueError(
        Phrase(
            "%(given)s may be two days. Write the year first: %(one)s or %(other)s.",
            given=text[:40],
            one=one,
            other=other,
        )
    )


def areas_text(areas: Sequence[str]) -> str:
    """Return the names of areas as one cell, which `areas_in` reads."""
    if any("," in area or area.startswith("[") for area in areas):
        return msgspec.json.encode([*areas]).decode()
    return ", ".join(areas)


def areas_in(cell: str) -> list[str]:
    """Return the areas in a cell: names separated by commas, or a JSON array of names."""
    if cell.startswith("["):
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(cell, type=list[str])
    return [area.strip() for area in cell.split(",") if area.strip()]

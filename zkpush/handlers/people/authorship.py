"""Authors of the fields of people: whose word is taken, and whose contradicts it.

A field belongs to an operator, or to the terminal that stated it first or changed its own word. A
word that is not taken overwrites nothing: it is kept as a conflict until an operator settles it. An
empty value says nothing. A terminal that contradicts the name of a person may have somebody else
under the user ID: nothing of its statement is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import attrs

from ...folding import fold
from ...protocol.secrecy import EXTRA, RAW
from .tables import USER

FIELDS = {field.name: field for field in USER.fields if field.stored and field.name != "pin"}
"""Fields of a user that have an author."""
NAME, CARD, PRIVILEGE = "name", "card", "privilege"
NEUTRAL = {PRIVILEGE: 0, "group": 1, "timezones": "0" * 16, "verify": -1}
"""Values that a terminal is sent, not an empty text, for fields that an operator has emptied."""
UNDECLARED = (EXTRA, RAW)
"""Columns without a conflict: only the word of the terminal that reported a user first counts."""


COMMAND = "command"
"""Author of values that an operator sent to a terminal by a command, which has executed it."""


def terminal(sn: str) -> str:
    """Return the author that stands for a terminal."""
    return f"device {sn}"


class Judgement(Enum):
    """Decision about one stated value."""

    KEEP = "keep"
    """It says nothing new."""
    TAKE = "take"
    """It becomes the value of the field, and the terminal its author."""
    CONFLICT = "conflict"
    """It contradicts the value of another author, or raises the privilege."""


@attrs.frozen
class AuthoredValue:
    """A field of a stored user."""

    value: object
    """None if the field is empty."""
    author: str | None
    """None if no one has stated it yet."""
    is_damaged: bool = False
    """Whether the value is stored, but does not open."""

    @property
    def is_emptied(self) -> bool:
        """Whether an operator has emptied the field."""
        is_empty = says_nothing(self.value) and not self.is_damaged
        return is_empty and self.author is not None and not is_terminal(self.author)


def says_nothing(value: object) -> bool:
    """Whether a value is empty, so that its field is not stated."""
    return value is None or value == ""


def judge(
    name: str,
    field: AuthoredValue,
    said: object,
    former: object,
    by: str,
    *,
    is_known: bool = True,
) -> Judgement:
    """Judge the value that the author `by`, a terminal, states for a field.

    `former` is the value that this terminal stated before; None if unknown. `is_known` is false if
    only the user ID is stored.

    | the field has          | the terminal said before | judgement                             |
    |------------------------|--------------------------|---------------------------------------|
    | the same value         | anything                 | keep                                  |
    | been emptied, and the  | anything                 | keep                                  |
    | terminal's is neutral  |                          |                                       |
    | a damaged value        | anything                 | take its own, else keep               |
    | a lower privilege, or  | anything                 | conflict: it never rises by this word |
    | none of a known person |                          |                                       |
    | its own value          | anything                 | take                                  |
    | no value               | anything                 | take, unless an operator emptied it   |
    | a terminal's value     | the same as the field    | take: it changed its own word; but a  |
    |                        |                          | name with other words is a conflict   |
    | any other value        | anything else            | conflict, or keep for a default value |
    """
    if says_nothing(said) or said == field.value:
        return Judgement.KEEP
    if field.is_damaged:
        return Judgement.TAKE if field.author == by else Judgement.KEEP
    if name == PRIVILEGE and is_known and _rank(said) > _rank(field.value):
        return Judgement.CONFLICT
    if field.author == by or (says_nothing(field.value) and not field.is_emptied):
        return Judgement.TAKE
    if said == FIELDS[name].default or (field.is_emptied and said == NEUTRAL.get(name)):
        # Stated by silence, or what terminals have for an empty number.
        return Judgement.KEEP
    if is_terminal(field.author) and former == field.value:
        # A terminal that was sent the name agrees with it, and may get another person later.
        is_other = name == NAME and not is_same_name(str(field.value), str(said))
        return Judgement.CONFLICT if is_other else Judgement.TAKE
    return Judgement.CONFLICT


def is_same_name(one: str, other: str) -> bool:
    """Whether one of two names has all words of the other, in any case and with any accents."""
    words, others = ({*fold(name).split()} for name in (one, other))
    return words <= others or others <= words


def is_terminal(author: str | None) -> bool:
    """Whether an author is a terminal, and not an operator."""
    return author is not None and author.startswith(terminal(""))


def _rank(privilege: object) -> int:
    return privilege if isinstance(privilege, int) else 0


@attrs.define
class Merged:
    """Outcome of a statement of a terminal about a user."""

    taken: dict[str, object] = attrs.field(factory=dict)
    """New values, by field."""
    contradicted: dict[str, object] = attrs.field(factory=dict)
    """Values that were not taken, by field."""


def merge(
    fields: Mapping[str, AuthoredValue],
    said: Mapping[str, object],
    former: Mapping[str, object],
    by: str,
    *,
    is_known: bool = True,
) -> Merged:
    """Merge the statement of a terminal, `by`, into the fields of a user; see `judge`.

    If it may be about another person, nothing is taken, and all that differs is contradicted.
    """
    merged = Merged()
    for name in FIELDS:
        value = said.get(name)
        if says_nothing(value):
            continue
        judgement = judge(name, fields[name], value, former.get(name), by, is_known=is_known)
        if judgement is Judgement.TAKE:
            merged.taken[name] = value
        elif judgement is Judgement.CONFLICT:
            merged.contradicted[name] = value
    if identity_of(fields) in merged.contradicted:
        differing = {
            name: said[name]
            for name in FIELDS
            if name in merged.contradicted
            or (name in merged.taken and not _is_usual(name, fields[name], said[name]))
        }
        return Merged(contradicted=differing)
    for name in UNDECLARED:
        value, field = said.get(name), fields[name]
        if value != field.value and value is not None and field.author in (None, by):
            merged.taken[name] = value
    return merged


def identity_of(fields: Mapping[str, AuthoredValue]) -> str:
    """Return the field that tells whether two records are of one person."""
    return CARD if says_nothing(fields[NAME].value) else NAME


def _is_usual(name: str, field: AuthoredValue, said: object) -> bool:
    """Whether a value is what terminals have for an empty field."""
    return says_nothing(field.value) and said in (FIELDS[name].default, NEUTRAL.get(name))


def commanded(fields: Mapping[str, AuthoredValue], said: Mapping[str, object]) -> Merged:
    """Return the changes of a command that a terminal has executed; "" empties a field."""
    stated = {name: said[name] for name in FIELDS if said.get(name) is not None}
    values = {name: None if value == "" else value for name, value in stated.items()}
    return Merged(
        {
            name: value
            for name, value in values.items()
            if value != fields[name].value
            and not (fields[name].is_emptied and value == NEUTRAL.get(name))
        }
    )


def stated(values: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that a statement states, without those it leaves empty."""
    return {name: values[name] for name in FIELDS if values.get(name) not in (None, "")}

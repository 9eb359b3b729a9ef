"""Limits on deletions of people that nobody has confirmed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

FEW = 20
"""Number of people who may be deleted at once without a confirmation."""
SHARE = 0.05
"""Share of all people, or of those on a terminal, who may be, if that is at least `LEAST`."""
LEAST = 3
RULE = f"more than {FEW}, or {SHARE:.0%} of all and at least {LEAST}"
"""The limit in words."""
EMPTYING = frozenset({"CLEAR DATA", "CLEAR ALL USERINFO"})
"""Commands that delete all people on a terminal."""
_RAW = "RAW"
"""The command whose only parameter is the line to send."""
_KEEPS_PEOPLE = frozenset({"CLEAR LOG", "CLEAR PHOTO", "CLEAR BIODATA"})
"""Commands that clear something else; any other CLEAR counts as emptying the terminal."""
_DELETION = re.compile(r"DATA (?:DELETE |DEL_?)USER(?:INFO)?\b")
"""The words of a deletion of people, in their forms."""
_WORDS = re.compile(r"(?:[^\s=]+(?:[ \t]+|\Z))*")
"""The words of a line, up to the first parameter."""
_EVERYBODY = frozenset({"", "*", "%", "ALL"})
"""Values in place of a user ID that may stand for all people."""


class Deletion(NamedTuple):
    """People whom a command deletes on a terminal."""

    pins: frozenset[str] = frozenset()
    everybody: bool = False


def deletion_of(name: str, params: Mapping[str, str]) -> Deletion:
    """Return the people whom a command deletes on a terminal.

    Commands that the site defines, and lines of RAW, count by their words.
    """
    given = [*params.items()]
    if name == _RAW:
        line = "".join(params.values())
        name = _WORDS.match(line)[0]  # type: ignore[index]  # it matches any text
        parts = [part.partition("=") for part in line[len(name) :].split("\t")]
        given = [(key, value) for key, _, value in parts]
    words = " ".join(name.upper().split())
    if words.startswith("CLEAR ") and words not in _KEEPS_PEOPLE:
        return Deletion(everybody=True)
    if not _DELETION.match(words):
        return Deletion()
    pins = frozenset(value.strip() for key, value in given if key.strip().upper() == "PIN")
    everybody = not pins or any(pin.upper() in _EVERYBODY for pin in pins)
    return Deletion(pins, everybody)


def is_many(count: int, of: int) -> bool:
    """Whether a deletion of `count` people among `of` needs a confirmation."""
    return count > FEW or (count >= LEAST and count > SHARE * of)

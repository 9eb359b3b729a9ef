"""Repeated punches: those of a person who has pressed twice. The rule for pages, files and the API.

A punch repeats the one just before it, if that was within a minute and has the same direction. Who
presses over and over has one punch and its repeats, for at most some minutes: a terminal that sees
somebody all day does not take away the hours. Repeats stay stored, shown and counted as punches;
what there is to check does not depend on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .showing import ShownPunch

WITHIN = 60
"""Most seconds from a punch to one that repeats it."""
LONGEST = 300
"""Most seconds from a punch to the last of its repeats."""


def repeats_of(punches: Sequence[ShownPunch]) -> frozenset[int]:
    """Return the ids of the repeats among the punches of a person on a day.

    A punch that may be another person's repeats none that is surely the person's, and vice versa.
    """
    if len(punches) < 2:
        return frozenset()
    found = set()
    last, *later = sorted(punches, key=lambda one: (one.utc, one.id))
    first = last
    for one in later:
        is_alike = one.direction == last.direction and one.other == last.other
        if is_alike and one.utc - last.utc <= WITHIN and one.utc - first.utc <= LONGEST:
            found.add(one.id)
        else:
            first = one
        last = one
    return frozenset(found)


def may_have_repeats(instants: Iterable[int]) -> bool:
    """Whether punches at these instants, in seconds, may have repeats among them."""
    return any(later - earlier <= WITHIN for earlier, later in pairwise(sorted(instants)))

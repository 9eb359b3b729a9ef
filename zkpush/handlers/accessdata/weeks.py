"""Days of the week in forms: one text for several days, so that few people type seven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ...manage.console.phrases import Phrase
from .checks import DAYS


@attrs.frozen
class DayGroup:
    """Days that get one text."""

    name: str
    label: Phrase
    days: Sequence[str]


DAY_GROUPS = (
    DayGroup("workdays", Phrase("Monday to Friday"), DAYS[:5]),
    DayGroup("weekend", Phrase("Saturday and Sunday"), DAYS[5:]),
    DayGroup("every_day", Phrase("Every day"), DAYS),
)
"""Groups, the smaller ones first: these are taken before the whole week."""
UNCHANGED_DAYS = Phrase("For each of these days that you do not change below.")


def spread(
    given: Mapping[str, str], groups: Mapping[str, str], stored: Mapping[str, object]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the texts of all fields, and the group of each day whose text is that of a group.

    A day whose own text differs from the stored one keeps it.
    """
    texts, sources = dict(given), {}
    for day in DAYS:
        own = given.get(day, "")
        if own and own != stored.get(day):
            continue
        for group in DAY_GROUPS:
            if day in group.days and group.name in groups:
                texts[day], sources[day] = groups[group.name], group.name
                break
    return texts, sources

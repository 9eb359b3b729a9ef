"""Fields of forms that name a time zone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from zoneinfo import available_timezones

from .forms import FormMistakes
from .phrases import Phrase

NONE = "\N{EN DASH}"
"""Shown for no choice."""
_SKIPPED = ("Etc/", "posix/", "right/", "SystemV/", "US/")


@cache
def zone_options() -> Sequence[tuple[str, str]]:
    """Return the time zones to choose from, as options of a choice, after no zone.

    They are looked for once: hundreds of files take as long as the rest of a page.
    """
    names = sorted(name for name in available_timezones() if "/" in name or name == "UTC")
    return (("", NONE), *((name, name) for name in names if not name.startswith(_SKIPPED)))


def chosen_zone(field: str, name: str) -> str:
    """Return the chosen time zone; `FormMistakes` of the field if there is no such zone."""
    if name not in available_timezones():
        raise FormMistakes(**{field: Phrase("Choose a time zone of the list.")})
    return name

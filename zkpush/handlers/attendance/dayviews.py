"""Views of the payroll sheet of the API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from .persondays import PersonDay


class DayView(msgspec.Struct, frozen=True, kw_only=True):
    """The punches of a person on a day."""

    pin: str
    name: str | None
    left: Annotated[bool, Meta(description="Whether the person was removed from the list")]
    day: str
    first: Annotated[str | None, Meta(description="Time of the first punch")]
    last: Annotated[
        str | None,
        Meta(description="Time of the last one; null with fewer than two, without repeats"),
    ]
    punches: Annotated[
        int,
        Meta(
            description="Punches that count for the person, also repeats: those within a minute "
            "after another one in the same direction, which are nothing to check"
        ),
    ]
    minutes: Annotated[
        int | None,
        Meta(
            description="Whole minutes from the first to the last punch; null with fewer than "
            "two, without repeats"
        ),
    ]
    doubtful_minutes: Annotated[
        int, Meta(description="Of these, what depends on punches that may be another person's")
    ]
    to_check: Annotated[
        list[str],
        Meta(
            description="What to look at: `one punch`, `odd number`, `no check-out`, "
            "`doubtful time`, `other person`, `unreadable`, `earlier person` (of an earlier "
            "holder of the user ID, whose name is not shown), `nobody` (nobody has the user ID)"
        ),
    ]
    others: Annotated[int, Meta(description="Punches that may be another person's")]
    not_counted: Annotated[int, Meta(description="Punches that are another person's by a decision")]
    seconds: Annotated[
        int | None,
        Meta(description="As `minutes`, but to the second, for adding up; totals add seconds"),
    ]
    doubtful_seconds: Annotated[int, Meta(description="As `doubtful_minutes`, but to the second")]
    erased: Annotated[
        bool, Meta(description="Whether the person was erased, as far as the caller may know")
    ]


class UnseenView(msgspec.Struct, frozen=True):
    """A person without any punch in the period."""

    pin: str
    name: str | None


class UnreadView(msgspec.Struct, frozen=True):
    """Lines of a terminal that could not be read, and so are missing."""

    device: str
    lines: int
    is_least: Annotated[bool, Meta(description="Whether there may be more")]


class DayListing(msgspec.Struct, frozen=True):
    """Part of a sheet, by user ID and day."""

    items: list[DayView]
    next: Annotated[str | None, Meta(description="`past` of the next part; null at the end")]
    unread: Annotated[
        list[UnreadView],
        Meta(description="Lines of the period that could not be read; see GET rejects"),
    ]
    without_punches: Annotated[
        list[UnseenView],
        Meta(
            description="With the last part: people of the list whom the filter includes, without "
            "any punch in the period; none with `device` or `to_check`"
        ),
    ]


def view_of(day: PersonDay) -> DayView:
    """Return the view of a day."""
    strip = day.strip
    times = [str(one.wall.time()) for one in strip.punches]
    return DayView(
        pin=day.pin,
        name=day.name,
        left=day.has_left,
        day=str(strip.day),
        first=times[0] if times else None,
        last=None if strip.last is None else str(strip.last.wall.time()),
        punches=len(times),
        minutes=strip.minutes,
        doubtful_minutes=strip.doubtful_minutes,
        to_check=[one.value for one in strip.to_check],
        others=len(strip.others),
        not_counted=len(strip.foreign),
        seconds=strip.seconds,
        doubtful_seconds=strip.doubtful_seconds,
        erased=day.is_erased,
    )

"""The problem of terminals with rejects, in words that contain nothing that was sent."""

from __future__ import annotations

from collections.abc import Sequence

from ..causes import ACCESS_CONTROL_PATH, ACCESS_CONTROL_TABLE, UNREADABLE_TIME
from ..phrases import Phrase, counted_phrase, in_series
from ..protocol.fields import Kind
from ..protocol.reasons import REASONS
from ..protocol.rejects import REQUEST
from ..protocol.requests import ACCESS_CONTROL_PATHS, ACCESS_CONTROL_TABLES
from ..protocol.secrecy import HIDDEN_REASON
from .schema import kept_records

MOST_COUNTED = 10_000
"""Most rejects counted in the problem of a terminal, to keep units of work short."""
MOST_CAUSES = 5
"""Most causes of rejects named in the problem of a terminal."""


def cause_in_words(table: str, cause: str) -> Phrase:
    """Return the words of a cause of rejects of a table, as it is stored."""
    if table == REQUEST and cause[:1].isupper():  # a method, and no cause in words
        path = cause.partition(" ")[2].strip("/").lower()
        if path.removeprefix("iclock/") in ACCESS_CONTROL_PATHS:
            return ACCESS_CONTROL_PATH.said(request=cause)
        return Phrase("%(request)s, which is not served", request=cause)
    if table.lower() in ACCESS_CONTROL_TABLES:
        return ACCESS_CONTROL_TABLE.said(table=table)
    if _is_of_time(table, cause):
        return UNREADABLE_TIME.said(table=table[:40])
    return Phrase("%(table)s: %(cause)s", table=table[:40], cause=REASONS.phrase(cause))


def _is_of_time(table: str, cause: str) -> bool:
    """Whether the cause is a time that cannot be read; what was sent for it is not shown."""
    name, _, reason = cause.partition(": ")
    declared = kept_records().get(table)
    fields = () if declared is None else declared.fields
    return reason == HIDDEN_REASON and any(
        field.wire == name and field.kind in (Kind.TIME, Kind.MOMENT) for field in fields
    )


def rejects_in_words(count: int, causes: Sequence[tuple[Phrase, int]]) -> Phrase:
    """Return the detail of the problem; `causes` are the newest ones, each with its number."""
    if len(causes) == 1 and count <= MOST_COUNTED:
        return counted_phrase(
            "%(num)s reject is kept, of %(cause)s.",
            "%(num)s rejects are kept, all of %(cause)s.",
            count,
            cause=causes[0][0],
        )
    named = [
        Phrase("%(num)s of %(cause)s", num=number, cause=cause)
        for cause, number in causes[:MOST_CAUSES]
    ]
    if len(causes) > MOST_CAUSES:
        named.append(Phrase("and others"))
    if count > MOST_COUNTED:
        return Phrase(
            "More than %(num)s rejects are kept, the newest first: %(causes)s.",
            num=MOST_COUNTED,
            causes=in_series(named),
        )
    return Phrase(
        "%(num)s rejects are kept, the newest first: %(causes)s.",
        num=count,
        causes=in_series(named),
    )

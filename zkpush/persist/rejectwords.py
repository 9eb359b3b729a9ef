"""The problem of terminals with rejects, in words that contain nothing that was sent."""

from __future__ import annotations

from collections.abc import Sequence

from ..causes import (
    ACCESS_CONTROL_PATH,
    ACCESS_CONTROL_TABLE,
    MORE_CAUSES,
    NO_RECORD,
    NOT_SERVED,
    OF_UNKNOWN_LINES,
    OF_UNKNOWN_TABLE,
    OTHERWISE_REJECTED,
    UNREADABLE_TIME,
)
from ..phrases import Phrase, counted_phrase, in_series
from ..protocol.fields import Kind
from ..protocol.reasons import (
    NO_COLUMNS,
    NO_HANDLER,
    NO_HANDLER_OF_LINES,
    NO_KEYWORD,
    NO_PAIRS,
    NO_REPLY,
    REASONS,
)
from ..protocol.rejects import REQUEST
from ..protocol.requests import ACCESS_CONTROL_TABLES, is_access_control_path
from ..protocol.secrecy import HIDDEN_REASON
from .schema import kept_records

MOST_COUNTED = 10_000
"""Most rejects counted in the problem of a terminal, to keep units of work short."""
MOST_CAUSES = 5
"""Most causes of rejects named in the problem of a terminal."""
_OF_NO_RECORD = frozenset({NO_COLUMNS, NO_KEYWORD, NO_PAIRS, NO_REPLY})
"""Causes of lines that have not the form of any record."""


def cause_in_words(table: str, cause: str) -> Phrase:
    """Return the words of a cause of rejects of a table, as it is stored."""
    if table == REQUEST and cause[:1].isupper():  # a method, and no cause in words
        if is_access_control_path(cause.partition(" ")[2]):
            return ACCESS_CONTROL_PATH.said(request=cause)
        return NOT_SERVED.said(request=cause)
    if table.lower() in ACCESS_CONTROL_TABLES:
        return ACCESS_CONTROL_TABLE.said(table=table)
    if cause == NO_HANDLER:
        return OF_UNKNOWN_TABLE.said(table=table[:40])
    if cause == NO_HANDLER_OF_LINES:
        return OF_UNKNOWN_LINES.said(table=table[:40])
    if cause in _OF_NO_RECORD:
        return NO_RECORD.said(table=table[:40], reason=REASONS.phrase(cause))
    if _is_of_time(table, cause):
        return UNREADABLE_TIME.said(table=table[:40])
    return OTHERWISE_REJECTED.said(table=table[:40], cause=REASONS.phrase(cause))


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
            "%(num)s upload that was not understood is kept, of %(cause)s.",
            "%(num)s uploads that were not understood are kept, all of %(cause)s.",
            count,
            cause=causes[0][0],
        )
    named = [
        Phrase("%(num)s of %(cause)s", num=number, cause=cause)
        for cause, number in causes[:MOST_CAUSES]
    ]
    if len(causes) > MOST_CAUSES:
        named.append(MORE_CAUSES.said())
    if count > MOST_COUNTED:
        return counted_phrase(
            "More than %(num)s upload that was not understood is kept, the newest first: "
            "%(causes)s.",
            "More than %(num)s uploads that were not understood are kept, the newest first: "
            "%(causes)s.",
            MOST_COUNTED,
            causes=in_series(named),
        )
    if sum(number for _, number in causes) > count:
        return counted_phrase(
            "%(num)s upload that was not understood is kept, with several faults: %(causes)s.",
            "%(num)s uploads that were not understood are kept, with several faults, the newest "
            "first: %(causes)s.",
            count,
            causes=in_series(named),
        )
    return counted_phrase(
        "%(num)s upload that was not understood is kept: %(causes)s.",
        "%(num)s uploads that were not understood are kept, the newest first: %(causes)s.",
        count,
        causes=in_series(named),
    )

"""Checks, and the advice that follows from them.

Texts of a check of a terminal are `Phrase`s, which the console translates; the API returns them in
English.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

WorstState = Literal["ok", "warning", "error"]
CheckState = Literal["ok", "unknown", "warning", "error"]
_ORDER: tuple[WorstState, ...] = ("ok", "warning", "error")
NOTHING_TO_DO = "No fault was found."


class Check(msgspec.Struct, frozen=True):
    """Result of one check."""

    name: str
    state: Annotated[
        CheckState, Meta(description="`unknown` if it cannot be told yet, which is no fault")
    ]
    detail: Annotated[str, Meta(description="What was found")]
    advice: Annotated[str, Meta(description="What to do about it; empty if all is well")] = ""
    follows: Annotated[
        str | None,
        Meta(
            description="Name of the check whose fault is the cause of this one, so that there is "
            "nothing to do about this one; null if it stands alone"
        ),
    ] = None


class Examination(msgspec.Struct, frozen=True):
    """All checks, with a summary."""

    state: Annotated[WorstState, Meta(description="The worst of the checks")]
    next: Annotated[str, Meta(description="What to do first")]
    checks: list[Check]


def examination(
    checks: Sequence[Check], rank: Callable[[Check], int] = lambda check: 0
) -> Examination:
    """Summarize checks.

    `next` is the advice of the worst check with the lowest rank; of several, the first.
    """
    worst: WorstState = max(
        (check.state for check in checks if check.state != "unknown"),
        key=_ORDER.index,
        default="ok",
    )
    if worst == "ok":
        unknown = ", ".join(check.name for check in checks if check.state == "unknown")
        more = f" Not known yet: {unknown}." if unknown else ""
        return Examination(worst, f"{NOTHING_TO_DO}{more}", [*checks])
    first = min((check for check in checks if check.state == worst), key=rank)
    return Examination(worst, first.advice, [*checks])


def in_english(found: Examination) -> Examination:
    """Return an examination with plain texts, for the API."""
    checks = [
        msgspec.structs.replace(one, detail=str(one.detail), advice=str(one.advice))
        for one in found.checks
    ]
    return Examination(found.state, str(found.next), checks)

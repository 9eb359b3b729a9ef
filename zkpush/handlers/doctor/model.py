"""Checks, and the advice that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

CheckState = Literal["ok", "warning", "error"]
_ORDER: tuple[CheckState, ...] = ("ok", "warning", "error")
NOTHING_TO_DO = "No fault was found."


class Check(msgspec.Struct, frozen=True):
    """Result of one check."""

    name: str
    state: CheckState
    detail: Annotated[str, Meta(description="What was found")]
    advice: Annotated[str, Meta(description="What to do about it; empty if all is well")] = ""


class Examination(msgspec.Struct, frozen=True):
    """All checks, with a summary."""

    state: Annotated[CheckState, Meta(description="The worst of the checks")]
    next: Annotated[str, Meta(description="What to do first")]
    checks: list[Check]


def examination(checks: Sequence[Check]) -> Examination:
    """Summarize checks; `next` is the advice of the first of the worst checks."""
    worst: CheckState = max((check.state for check in checks), key=_ORDER.index, default="ok")
    found = [check for check in checks if check.state == worst]
    advice = NOTHING_TO_DO if worst == "ok" else found[0].advice
    return Examination(worst, advice, [*checks])

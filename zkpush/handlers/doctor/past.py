"""Problems that requests showed, and that may be over: they stay for a day after the last one.

When the last one came is known from the trace, or at least within an hour from the problem, whose
beginning is set anew by one that comes an hour or more later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...device.modes import takes_commands
from ...device.places import AGAIN_AFTER, FADING, SETTLED
from ...device.session import OTHER_TOKEN, WITHOUT_TOKEN
from ...phrases import Phrase
from ...problems import ProblemCode
from ...protocol.requests import is_access_control_path
from ..trace.model import ASKED_AGAIN, TracedRequest
from .advice import duration
from .facts import TerminalFacts
from .model import Check
from .refusing import is_unknown

QUIET = 300_000
"""Milliseconds of right requests after which a problem counts as past."""


def _is_without_token(one: TracedRequest) -> bool:
    """Whether a request came without the token of its session."""
    return any(reason.text in one.content.answered for reason in (WITHOUT_TOKEN, OTHER_TOKEN))


_SHOWS: Mapping[str, Callable[[TracedRequest], bool]] = {
    ProblemCode.UNKNOWN_REQUESTS: is_unknown,
    ProblemCode.TOKEN_MISSING: _is_without_token,
}
"""Whether a request of the trace shows a problem, by code."""


def softened(facts: TerminalFacts, code: str, check: Check) -> Check:
    """Return the check of a problem, as a warning with the time of the last one if it is past."""
    past = _past(facts, code) if code in FADING - SETTLED and check.state != "ok" else None
    if past is None:
        return check
    return Check(
        check.name,
        "warning",
        Phrase("%(first)s %(next)s", first=check.detail, next=past),
        Phrase(
            "If the cause is removed, there is nothing to do: the problem ends by itself a day "
            "after it last came. Otherwise: %(advice)s",
            advice=check.advice,
        ),
    )


def _past(facts: TerminalFacts, code: str) -> Phrase | None:
    """Return how long a problem has not come again, if it may be over."""
    shows = _SHOWS.get(code)
    shown = [one for one in facts.trace if shows is not None and shows(one)]
    if shown:
        last = shown[-1].at
        if facts.now - last < QUIET or not _was_served(facts.trace, last):
            return None
        ago = duration(facts.now - last)
        return Phrase("The last time was %(ago)s ago; it was served since then.", ago=ago)
    since_at = next((one.since_at for one in facts.device.problems if one.code == code), None)
    if since_at is None or facts.now - since_at < 2 * AGAIN_AFTER:
        return None
    ago = duration(facts.now - since_at - AGAIN_AFTER)
    return Phrase("It has not come again for %(ago)s or longer.", ago=ago)


def is_of_former_mode(facts: TerminalFacts, one: TracedRequest) -> bool:
    """Whether a request is of the access-control mode, and the terminal has left that since."""
    is_of_mode = is_access_control_path(one.content.path) and takes_commands(facts.device)
    return is_of_mode and _was_served(facts.trace, one.at)


def _was_served(trace: Sequence[TracedRequest], since: int) -> bool:
    """Whether a request was served after a time (ms)."""
    return any(
        one.at > since
        and not one.refused
        and not is_unknown(one)
        and not one.content.answered.startswith(ASKED_AGAIN)
        for one in trace
    )

"""Faults that follow from another fault of the same terminal.

One cause is one error, with one advice. A check whose fault only follows from it is a warning that
refers to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from ...consequences import followed, follows_from, is_over
from ...device.modes import takes_commands
from ...device.silence import CAUSES_OF_REFUSALS
from ...problems import ProblemCode
from .facts import TerminalFacts
from .model import Check
from .refusing import asked_again, is_refused_now, is_unknown, unserved

Explains = Callable[[TerminalFacts], str | None]
"""Returns the code of the problem that explains the fault of a check."""
_NAMES: Mapping[str, str] = {ProblemCode.UNKNOWN_REQUESTS: "requests"}
"""Checks of problems that are not named as their code."""


def with_causes(facts: TerminalFacts, checks: Iterable[Check]) -> Iterator[Check]:
    """Refer from each consequence to its cause; iterates over all checks."""
    for check in checks:
        code = _cause_of(facts, check)
        if check.state in ("ok", "unknown") or code is None:
            yield check
            continue
        name = _NAMES.get(code, str(code))
        advice = follows_from(code)
        yield msgspec.structs.replace(check, state="warning", advice=advice, follows=name)


def _cause_of(facts: TerminalFacts, check: Check) -> str | None:
    explains = _EXPLAINED.get(check.name)
    return followed(check.name, facts.problems) if explains is None else explains(facts)


def _by_problems(*codes: str) -> Explains:
    """Explain a fault by the first of some problems that the terminal has."""
    return lambda facts: next((one for one in codes if facts.problem(one) is not None), None)


_of_refusals = _by_problems(*CAUSES_OF_REFUSALS)


def _exchange(facts: TerminalFacts) -> str | None:
    found = _by_problems(ProblemCode.TOKEN_MISSING)(facts)
    return _of_refusals(facts) if found is None and is_refused_now(facts) else found


def _requests(facts: TerminalFacts) -> str | None:
    code = ProblemCode.UNKNOWN_REQUESTS
    if facts.problem(code) is not None:
        return followed(code, facts.problems)
    return _by_problems(ProblemCode.ACCESS_CONTROL)(facts)


def _unserved(facts: TerminalFacts) -> str | None:
    """Return why nothing of a terminal is served; None if that is not so, or not known."""
    found = unserved(facts)
    if any(map(is_unknown, found)):
        return _requests(facts) or ProblemCode.UNKNOWN_REQUESTS
    if not found:
        return None
    return _by_problems(ProblemCode.TOKEN_MISSING)(facts) or _of_refusals(facts)


def _refusals(facts: TerminalFacts) -> str | None:
    if asked_again(facts) is not None:
        return _of_refusals(facts) or _exchange(facts) or _unserved(facts)
    return _of_refusals(facts) or _unserved(facts)


def _records(facts: TerminalFacts) -> str | None:
    if not takes_commands(facts.device):
        return ProblemCode.ACCESS_CONTROL
    cause = _unserved(facts)
    if cause is not None:
        return cause
    rejects = facts.problem(ProblemCode.REJECTS)
    if rejects is None or is_over(rejects):
        return None
    return followed(ProblemCode.REJECTS, facts.problems) or ProblemCode.REJECTS


_EXPLAINED: Mapping[str, Explains] = {
    "connection": _by_problems(ProblemCode.TLS_ON_PLAIN),
    "refusals": _refusals,
    "exchange": _exchange,
    "requests": _requests,
    "records": _records,
    "rejects": lambda facts: followed(ProblemCode.REJECTS, facts.problems),
}
"""What explains the faults of checks that are no problems themselves."""

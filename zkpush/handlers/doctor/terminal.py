"""Checks of one terminal, from the server's data about it and its last requests.

The order follows the stages of a connection: a terminal must reach the server, be admitted, speak
this protocol and make the handshake before its clock and its records matter. A fault that follows
from another one is no error of its own. Of several errors, `rank` says which to mend first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from ...consequences import followed, is_over
from ...device.session import BEGINS
from ...device.silence import CAUSES_OF_REFUSALS, SILENT_AFTER, is_silent
from ...model import DeviceState
from ...phrases import Phrase, counted_phrase, two_sentences
from ...problems import ProblemCode
from ...values.sessions import TokenPolicy
from ..trace.model import TracedRequest
from .advice import advice_on_paths, approval, duration, with_zone
from .facts import TerminalFacts
from .following import with_causes
from .model import Check, CheckState
from .past import is_of_former_mode, softened
from .queue import check_queue
from .records import by_command, check_records
from .refusing import (
    REFUSALS_FIRST,
    asked_again,
    check_refusals,
    is_refused_now,
    is_unknown,
    recent,
)
from .times import check_clock, check_zone

_OWN_CHECK = frozenset(
    {
        ProblemCode.SILENT,
        ProblemCode.NO_SESSION,
        ProblemCode.NO_ZONE,
        ProblemCode.CLOCK_WRONG,
        ProblemCode.REJECTS,
        ProblemCode.UNKNOWN_REQUESTS,
        ProblemCode.QUEUE_STUCK,
    }
)
"""Problems that are part of a check."""
_EXPLAINS: Mapping[str, str] = {
    ProblemCode.TLS_ON_PLAIN: "connection",
    **dict.fromkeys(CAUSES_OF_REFUSALS, "refusals"),
    ProblemCode.ACCESS_CONTROL: "admission",
    ProblemCode.TOKEN_MISSING: "exchange",
    ProblemCode.PROXY_DATE: "zone",
}
"""Problems that are the cause of what a check finds, and come before it."""
_RANKS: Mapping[str, int] = {
    name: number
    for number, name in enumerate(
        (
            "admission",
            "connection",
            "refusals",
            "requests",
            "exchange",
            "queue",
            "rejects",
            "records",
            "zone",
            "clock",
        )
    )
}
"""Checks in the order in which their faults are to be mended: those that stop everything, then
commands, by which others are mended, then records that are lost from view, then their times."""
_SERVED = frozenset({ProblemCode.FOREIGN_TOKEN})
"""Problems with which a terminal is served as any other."""
_BY_COMMAND = frozenset({ProblemCode.COUNT_DIFFERS})
"""Problems that a command to the terminal mends."""


def examine(facts: TerminalFacts) -> list[Check]:
    """Make all checks of a terminal, each after the problems that explain it."""
    causes = [code for code in facts.problems if code in _EXPLAINS]
    rest = [code for code in facts.problems if code not in {*_OWN_CHECK, *causes}]
    checks: list[Check] = []
    for make in _CHECKS:
        check = make(facts)
        causes_of_it = [code for code in causes if _EXPLAINS[code] == check.name]
        sure = [code for code in causes_of_it if _is_likely(facts, code)]
        # What may be another terminal's comes after what is known of this one.
        others = [code for code in causes_of_it if code not in sure]
        checks += [*_problems(facts, sure), check, *_problems(facts, others)]
    return [*_said_once(with_causes(facts, [*checks, *_problems(facts, rest)]))]


def _said_once(checks: Iterable[Check]) -> Iterator[Check]:
    """Refer to advice that stands above, in place of repeating it."""
    known: set[str] = set()
    for check in checks:
        is_known = check.advice in known
        known.add(check.advice)
        if is_known and check.advice and check.follows is None:
            check = msgspec.structs.replace(check, advice=Phrase("As said above."))
        yield check


def rank(check: Check) -> int:
    """Return the place of a check among the faults to mend, from 0."""
    if check.name == ProblemCode.ACCESS_CONTROL:
        return -1  # before the approval, which does not help
    return _RANKS.get(_EXPLAINS.get(check.name, check.name), len(_RANKS))


def _connection(facts: TerminalFacts) -> Check:
    sn = facts.device.sn
    if facts.last_seen_at is None and not facts.trace:
        return Check(
            "connection",
            "error",
            Phrase("It has never connected."),
            Phrase(
                "Check the server address and port in its menu, that HTTPS is off there unless "
                "this server has a TLS port for terminals, and that %(sn)s is its serial number.",
                sn=sn,
            ),
        )
    last = max(facts.last_seen_at or 0, *(one.at for one in facts.trace if not one.refused), 0)
    if not last:
        return Check("connection", "unknown", Phrase("All requests in its name were refused."))
    heard = Phrase("It was last heard of %(ago)s ago.", ago=duration(facts.now - last))
    refused = [one.at for one in facts.trace if one.refused and facts.now - one.at < SILENT_AFTER]
    if not facts.is_online and refused and refused[-1] > last:
        return Check(
            "connection",
            "unknown",
            Phrase(
                "Requests in its name arrive and are refused; the last came %(ago)s ago.",
                ago=duration(facts.now - refused[-1]),
            ),
        )
    if not facts.is_online:
        is_fault = is_silent(facts.device, last, facts.now, is_online=False)
        return Check(
            "connection",
            "error" if is_fault else "warning",
            heard,
            Phrase(
                "Check its power and network, and the server address and port in its menu. "
                "`zkpush devices trace %(sn)s --follow` shows when it comes back.",
                sn=sn,
            ),
        )
    return Check("connection", "ok", heard)


def _admission(facts: TerminalFacts) -> Check:
    if facts.device.state is DeviceState.PENDING:
        is_usable = facts.problem(ProblemCode.ACCESS_CONTROL) is None
        return Check(
            "admission",
            "error" if is_usable else "warning",
            Phrase(
                "It is pending: its requests are refused until it is approved, and it keeps its "
                "data."
            ),
            with_zone(
                Phrase(
                    "If it is yours, approve it: `%(command)s`. If not, block it: `zkpush devices "
                    "block %(sn)s`.",
                    command=approval(facts.device),
                    sn=facts.device.sn,
                )
                if is_usable
                else Phrase(
                    "Set it to attendance first. Then, if it is yours, approve it: `%(command)s`.",
                    command=approval(facts.device),
                ),
                knows_zone=facts.device.timezone is not None,
            ),
        )
    if facts.device.state is DeviceState.BLOCKED:
        return Check(
            "admission",
            "error",
            Phrase("It is blocked: its requests are refused."),
            Phrase(
                "%(first)s Who blocked it, and when: `zkpush audit list --device %(sn)s --action "
                "'change terminal'`.",
                first=_approved_again(facts),
                sn=facts.device.sn,
            ),
        )
    if facts.device.state is DeviceState.RETIRED:
        successor = facts.device.replaced_by
        return Check(
            "admission",
            "error",
            Phrase(
                "It is retired: its requests are refused, and its records stay. It was replaced by "
                "%(successor)s.",
                successor=successor,
            )
            if successor
            else Phrase("It is retired: its requests are refused, and its records stay."),
            _approved_again(facts),
        )
    return Check("admission", "ok", Phrase("It is approved."))


def _approved_again(facts: TerminalFacts) -> Phrase:
    return with_zone(
        Phrase(
            "If that is a mistake, approve it again: `%(command)s`.",
            command=approval(facts.device),
        ),
        knows_zone=facts.device.timezone is not None,
    )


def _requests(facts: TerminalFacts) -> Check:
    """Check for requests that this server does not support, or did not lately."""
    return softened(facts, ProblemCode.UNKNOWN_REQUESTS, _unknown_requests(facts))


def _unknown_requests(facts: TerminalFacts) -> Check:
    found = [one for one in recent(facts) if is_unknown(one) and not is_of_former_mode(facts, one)]
    problem = facts.problem(ProblemCode.UNKNOWN_REQUESTS)
    if not found and problem is None:
        return Check(
            "requests", "ok", Phrase("It asks for nothing that this server does not speak.")
        )
    if problem is not None:
        return Check("requests", "error", problem, facts.advice(ProblemCode.UNKNOWN_REQUESTS))
    asked = [*dict.fromkeys(f"{one.content.method} {one.content.path}" for one in found)]
    return Check(
        "requests",
        "error",
        Phrase(
            "It asks for what this server does not speak: %(asked)s.", asked=", ".join(asked[:3])
        ),
        advice_on_paths(asked),
    )


def _exchange(facts: TerminalFacts) -> Check:
    last = asked_again(facts)
    if last is None:
        return Check("exchange", "ok", Phrase("None of its requests lacks a session."))
    detail = Phrase(
        "Its last request was refused, with the answer UNKNOWN DEVICE: %(reason)s.",
        reason=Phrase(_reason(last)),
    )
    return Check("exchange", "error", detail, _advice_on_exchange(facts))


def _advice_on_exchange(facts: TerminalFacts) -> Phrase:
    if is_refused_now(facts):
        return REFUSALS_FIRST
    by_hand = Phrase(
        "Switch the terminal off and on by hand: it fetches no commands before it has begun a "
        "session."
    )
    if facts.device.token_policy is not TokenPolicy.REQUIRE:
        return by_hand
    return Phrase(
        "%(first)s If that does not help, let it begin anew: `zkpush devices set %(sn)s "
        "token=check`.",
        first=by_hand,
        sn=facts.device.sn,
    )


def _reason(one: TracedRequest) -> str:
    """Return why a request was answered with UNKNOWN DEVICE, as the trace shows it."""
    _, _, reason = one.content.answered.partition(" (")
    return reason.removesuffix(")") or BEGINS.text


def _rejects(facts: TerminalFacts) -> Check:
    problem = facts.problem(ProblemCode.REJECTS)
    if problem is not None:
        state: CheckState = "warning" if is_over(problem) else "error"
        return Check("rejects", state, _repeated(facts, problem), facts.advice(ProblemCode.REJECTS))
    is_taken = facts.device.state is DeviceState.APPROVED and all(
        one.is_served for one in facts.trace[-1:]
    )
    return Check(
        "rejects",
        "ok",
        Phrase("Everything that it sent was understood.")
        if is_taken
        else Phrase("Nothing is kept that was not understood."),
    )


def _repeated(facts: TerminalFacts, detail: str) -> str:
    """Add to the problem of rejects, if it stands alone, that one of them came several times."""
    found = facts.repeated
    if found is None or followed(ProblemCode.REJECTS, facts.problems) is not None:
        return detail
    again = counted_phrase(
        "Upload %(id)s is the same data sent %(num)s time, the last time %(ago)s ago.",
        "Upload %(id)s is the same data sent %(num)s times, the last time %(ago)s ago.",
        found.times,
        id=found.id,
        ago=duration(facts.now - found.last_at),
    )
    return two_sentences(detail, again)


_CHECKS: Sequence[Callable[[TerminalFacts], Check]] = (
    _connection,
    _admission,
    check_refusals,
    _requests,
    _exchange,
    check_zone,
    check_clock,
    check_records,
    _rejects,
    check_queue,
)


def _problems(facts: TerminalFacts, codes: Iterable[str]) -> Iterator[Check]:
    """Make a check for each problem of the terminal with one of these codes."""
    for code in codes:
        check = Check(
            code,
            "error" if _is_likely(facts, code) and code not in _SERVED else "warning",
            _with_terminal(facts, code),
            by_command(facts, facts.advice(code)) if code in _BY_COMMAND else facts.advice(code),
        )
        yield softened(facts, code, check)


def _is_likely(facts: TerminalFacts, code: str) -> bool:
    """Whether a problem is this terminal's, or may be the cause of its silence.

    Only silent terminals are candidates for TLS connections from their address.
    """
    return facts.is_sure(code) or code == ProblemCode.TLS_ON_PLAIN


def _with_terminal(facts: TerminalFacts, code: str) -> str:
    """Return the detail of a problem, which names the terminal if it may be one of many causes."""
    detail, sn = facts.problems[code], facts.device.sn
    if facts.is_sure(code) or sn in detail.replace(",", " ").replace(".", " ").split():
        return detail
    return Phrase("%(first)s %(next)s", first=detail, next=Phrase("%(sn)s may be the one.", sn=sn))

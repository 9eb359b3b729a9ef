"""Checks of one terminal, from the server's data about it and its last requests.

The order follows the stages of a connection: a terminal must reach the server, be admitted, speak
this protocol and make the handshake before its clock and its records matter. A fault that follows
from another one is no error of its own. Of several errors, `rank` says which to mend first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ...device.modes import takes_commands
from ...device.registry import REFUSED_AS
from ...model import DeviceState
from ...phrases import Phrase, counted_phrase
from ...problems import ProblemCode, advice_phrase, meaning_of
from ..attendance.tables import ATTLOG
from ..trace.model import TracedRequest
from .advice import advice_on_paths, approval, duration
from .facts import TerminalFacts
from .model import Check
from .queue import check_queue
from .times import check_clock, check_zone

RECENT = 3600_000
"""Milliseconds for which a rejection counts, unless a served request followed it."""
GONE = 600_000
"""Milliseconds of silence after which a terminal counts as gone; it may miss a few polls before."""
NOT_FOUND, WRONG_METHOD = 404, 405
_STATES: Mapping[DeviceState, Phrase] = {
    DeviceState.PENDING: Phrase("pending"),
    DeviceState.BLOCKED: Phrase("blocked"),
    DeviceState.RETIRED: Phrase("retired"),
}
_ASKED_AGAIN = "UNKNOWN DEVICE"
_OWN_CHECK = frozenset(
    {
        ProblemCode.SILENT,
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
    ProblemCode.OTHER_ADDRESS: "refusals",
    ProblemCode.KEY_CHANGED: "refusals",
    ProblemCode.NO_TOKEN: "refusals",
    ProblemCode.CANNOT_ENCRYPT: "refusals",
    ProblemCode.ACCESS_CONTROL: "requests",
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
            "rejects",
            "records",
            "zone",
            "clock",
            "queue",
        )
    )
}
"""Checks in the order in which their faults are to be mended: those that stop everything, then
records that are lost from view, then their times, then commands."""


def examine(facts: TerminalFacts) -> list[Check]:
    """Make all checks of a terminal, each after the problems that explain it."""
    causes = [one.code for one in facts.device.problems if one.code in _EXPLAINS]
    rest = [one.code for one in facts.device.problems if one.code not in {*_OWN_CHECK, *causes}]
    checks: list[Check] = []
    for make in _CHECKS:
        check = make(facts)
        causes_of_it = [code for code in causes if _EXPLAINS[code] == check.name]
        checks += [*_problems(facts, causes_of_it), check]
    return [*checks, *_problems(facts, rest)]


def rank(check: Check) -> int:
    """Return the place of a check among the faults to mend, from 0."""
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
    last = max(facts.last_seen_at or 0, *(one.at for one in facts.trace), 0)
    heard = Phrase("It was last heard of %(ago)s ago.", ago=duration(facts.now - last))
    if not facts.is_online:
        return Check(
            "connection",
            "error" if facts.now - last >= GONE else "warning",
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
        return Check(
            "admission",
            "error",
            Phrase(
                "It is pending: its requests are refused until it is approved, and it keeps its "
                "data."
            ),
            Phrase(
                "If it is yours, approve it: `%(command)s`. If not, block it: `zkpush devices "
                "block %(sn)s`.",
                command=approval(facts.device),
                sn=facts.device.sn,
            ),
        )
    if facts.device.state is DeviceState.BLOCKED:
        return Check(
            "admission",
            "error",
            Phrase("It is blocked: its requests are refused."),
            _approved_again(facts),
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
    return Phrase(
        "If that is a mistake, approve it again: `%(command)s`.", command=approval(facts.device)
    )


def _refusals(facts: TerminalFacts) -> Check:
    """Check for rejections of requests that were understood, other than those by its state."""
    state, sn = facts.device.state, facts.device.sn
    refused = [
        one
        for one in _recent(facts)
        if one.refused and not (_is_unknown(one) or _is_settled(one, state))
    ]
    found = [one for one in refused if not _follows(one, state)]
    if not found and refused:
        count = sum(one.count for one in refused)
        return Check(
            "refusals",
            "unknown",
            Phrase(
                "%(refused)s in the last hour, because it is %(state)s.",
                refused=_refused(count),
                state=_STATES.get(state, state.value),
            ),
        )
    if not found:
        return Check("refusals", "ok", Phrase("None of its last requests was refused."))
    last = found[-1]
    count = sum(one.count for one in found)
    served = [one.at for one in facts.trace if not one.refused]
    is_last = not served or last.at >= served[-1]
    return Check(
        "refusals",
        "error" if is_last else "warning",
        Phrase(
            "%(refused)s in the last hour; the last with status %(status)s from %(address)s: "
            "%(answer)s",
            refused=_refused(count),
            status=last.content.status,
            address=last.content.address or Phrase("a socket file"),
            answer=last.content.answered,
        ),
        Phrase(
            "See them: `zkpush devices trace %(sn)s`. If they are not from the terminal, something "
            "else uses its serial number: restrict it to its networks, `zkpush devices set %(sn)s "
            "networks=NETWORK,…`.",
            sn=sn,
        ),
    )


def _refused(count: int) -> Phrase:
    return counted_phrase(
        "%(num)s of its requests was refused", "%(num)s of its requests were refused", count
    )


def _requests(facts: TerminalFacts) -> Check:
    """Check for requests that this server does not support."""
    found = [one for one in _recent(facts) if _is_unknown(one)]
    problem = facts.problem(ProblemCode.UNKNOWN_REQUESTS)
    if not found and problem is None:
        return Check(
            "requests", "ok", Phrase("It asks for nothing that this server does not speak.")
        )
    if not found:
        return Check(
            "requests",
            "error",
            f"{problem}",
            advice_phrase(ProblemCode.UNKNOWN_REQUESTS, facts.device.sn),
        )
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
    served = [one for one in facts.trace if not (one.refused or _is_unknown(one))]
    if served and served[-1].content.answered.startswith(_ASKED_AGAIN):
        return Check(
            "exchange",
            "error",
            Phrase(
                "Its requests are answered with UNKNOWN DEVICE: it has to begin a session, or a "
                "request does not return the token of its session."
            ),
            Phrase(
                "Restart the terminal. If that does not help, let it begin anew: `zkpush devices "
                "set %(sn)s token=check`.",
                sn=facts.device.sn,
            ),
        )
    return Check("exchange", "ok", Phrase("It is not asked to begin a session."))


def _records(facts: TerminalFacts) -> Check:
    sn = facts.device.sn
    uploads = [
        one
        for one in facts.trace
        if not one.refused and (one.content.table or "").upper() == ATTLOG.name
    ]
    if uploads:
        last = uploads[-1]
        ago = duration(facts.now - last.at)
        if last.content.answered == "OK: 0" and last.content.received:
            return Check(
                "records",
                "warning",
                Phrase(
                    "Its last upload of attendance records, %(ago)s ago, held none that was "
                    "understood.",
                    ago=ago,
                ),
                Phrase("See why: `zkpush rejects list --device %(sn)s`.", sn=sn),
            )
        return Check(
            "records", "ok", Phrase("It uploaded attendance records %(ago)s ago.", ago=ago)
        )
    if ATTLOG.name in facts.stamps:
        return Check("records", "ok", Phrase("It has uploaded attendance records before."))
    state = facts.device.state
    if state is not DeviceState.APPROVED:
        shown = _STATES.get(state, state.value)
        detail = Phrase("It uploads no records while it is %(state)s.", state=shown)
        return Check("records", "unknown", detail)
    if not takes_commands(facts.device):
        return Check(
            "records",
            "warning",
            Phrase("It has never uploaded attendance records: it is in access-control mode."),
            advice_phrase(ProblemCode.ACCESS_CONTROL, facts.device.sn),
        )
    return Check(
        "records",
        "warning",
        Phrase("It has never uploaded attendance records."),
        Phrase(
            "Verify a person on it. If nothing arrives, check in its menu that it sends in real "
            "time, and let it send everything: `zkpush devices resend %(sn)s attendance`.",
            sn=sn,
        ),
    )


def _rejects(facts: TerminalFacts) -> Check:
    problem = facts.problem(ProblemCode.REJECTS)
    if problem is not None:
        return Check(
            "rejects", "error", problem, advice_phrase(ProblemCode.REJECTS, facts.device.sn)
        )
    return Check("rejects", "ok", Phrase("Everything that it sent was understood."))


_CHECKS: Sequence[Callable[[TerminalFacts], Check]] = (
    _connection,
    _admission,
    _refusals,
    _requests,
    _exchange,
    check_zone,
    check_clock,
    _records,
    _rejects,
    check_queue,
)


def _problems(facts: TerminalFacts, codes: Iterable[str]) -> Iterator[Check]:
    """Make a check for each problem of the terminal with one of these codes."""
    for code in codes:
        detail = Phrase(
            "%(meaning)s. %(detail)s",
            meaning=Phrase(meaning_of(code)),
            detail=facts.problem(code),
        )
        yield Check(code, "error", detail, advice_phrase(code, facts.device.sn))


def _recent(facts: TerminalFacts) -> list[TracedRequest]:
    return [one for one in facts.trace if facts.now - one.at < RECENT]


def _is_settled(one: TracedRequest, state: DeviceState) -> bool:
    """Whether a refusal is that of a pending terminal that was approved or blocked since."""
    return state is not DeviceState.PENDING and _follows(one, DeviceState.PENDING)


def _follows(one: TracedRequest, state: DeviceState) -> bool:
    """Whether a refusal is that of a terminal in this state."""
    return one.content.answered == REFUSED_AS.get(state)


def _is_unknown(one: TracedRequest) -> bool:
    """Whether a request is not served; without a session, it is answered as any other."""
    content = one.content
    is_refused = content.status in (NOT_FOUND, WRONG_METHOD)
    return content.understood is None and (is_refused or content.answered.startswith(_ASKED_AGAIN))

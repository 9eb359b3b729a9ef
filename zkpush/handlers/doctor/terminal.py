"""Checks of one terminal, from the server's data about it and its last requests.

The order follows the stages of a connection: a terminal must reach the server, be admitted, speak
this protocol and make the handshake before its clock and its records matter.
"""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import attrs

from ...device.modes import takes_commands
from ...device.registry import WAITS
from ...model import Device, DeviceState
from ...problems import ProblemCode, advice_of, meaning_of
from ..attendance.tables import ATTLOG
from ..trace.model import TracedRequest
from .model import Check

RECENT = 3600_000
"""Milliseconds for which a rejection counts, unless a served request followed it."""
STUCK = 600_000
"""Milliseconds after which a sendable command counts as stuck."""
NOT_FOUND, WRONG_METHOD = 404, 405
_ASKED_AGAIN = "UNKNOWN DEVICE"
_OWN_CHECK = frozenset(
    {
        ProblemCode.NO_ZONE,
        ProblemCode.CLOCK_WRONG,
        ProblemCode.REJECTS,
        ProblemCode.UNKNOWN_REQUESTS,
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
}
"""Problems that are the cause of what a check finds. They come first, because the first error says
what to do next."""
WRONG = 120
"""Difference of clocks in seconds beyond which an offset of whole half hours counts as such."""
_HALF_HOUR = 1800


@attrs.frozen
class TerminalFacts:
    """Data about a terminal."""

    device: Device
    now: int
    """Milliseconds since the epoch."""
    is_online: bool
    last_seen_at: int | None
    trace: Sequence[TracedRequest]
    """Newest last."""
    oldest_command_at: int | None
    """When the oldest command that may be sent now was queued (ms)."""
    stamps: frozenset[str]
    """Names of the tables that it has ever uploaded."""


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


def _connection(facts: TerminalFacts) -> Check:
    sn = facts.device.sn
    if facts.last_seen_at is None and not facts.trace:
        return Check(
            "connection",
            "error",
            "It has never connected.",
            "Check the server address and port in its menu, that HTTPS is off there unless this "
            f"server has a TLS port for terminals, and that {sn} is its serial number.",
        )
    last = max(facts.last_seen_at or 0, *(one.at for one in facts.trace), 0)
    ago = _duration(facts.now - last)
    if not facts.is_online:
        return Check(
            "connection",
            "error",
            f"It was last heard of {ago} ago.",
            "Check its power and network, and the server address and port in its menu. "
            f"`zkpush devices trace {sn} --follow` shows when it comes back.",
        )
    return Check("connection", "ok", f"It was last heard of {ago} ago.")


def _admission(facts: TerminalFacts) -> Check:
    sn = facts.device.sn
    if facts.device.state is DeviceState.PENDING:
        return Check(
            "admission",
            "error",
            "It is pending: its requests are refused until it is approved, and it keeps its data.",
            f"Approve it: `zkpush devices approve {sn}`.",
        )
    if facts.device.state is DeviceState.BLOCKED:
        return Check(
            "admission",
            "error",
            "It is blocked: its requests are refused.",
            f"If that is a mistake, approve it: `zkpush devices approve {sn}`.",
        )
    return Check("admission", "ok", "It is approved.")


def _refusals(facts: TerminalFacts) -> Check:
    """Check for rejections of requests that were understood."""
    found = [
        one
        for one in _refused(facts)
        if not (_is_unknown(one) or _is_settled(one, facts.device.state))
    ]
    if not found:
        return Check("refusals", "ok", "None of its last requests was refused.")
    last = found[-1]
    count = sum(one.count for one in found)
    served = [one.at for one in facts.trace if not one.refused]
    is_last = not served or last.at >= served[-1]
    return Check(
        "refusals",
        "error" if is_last else "warning",
        f"{count} of its requests were refused in the last hour; the last with status "
        f"{last.content.status} from {last.content.address or 'a socket file'}: "
        f"{last.content.answered}",
        f"See them: `zkpush devices trace {facts.device.sn}`. If they are not from the terminal, "
        "something else uses its serial number: restrict it to its networks.",
    )


def _requests(facts: TerminalFacts) -> Check:
    """Check for requests that this server does not support."""
    found = [one for one in _refused(facts) if _is_unknown(one)]
    problem = _problem(facts, ProblemCode.UNKNOWN_REQUESTS)
    if not found and problem is None:
        return Check("requests", "ok", "It asks for nothing that this server does not speak.")
    if not found:
        advice = advice_of(ProblemCode.UNKNOWN_REQUESTS, facts.device.sn)
        return Check("requests", "error", f"{problem}", advice)
    asked = dict.fromkeys(f"{one.content.method} {one.content.path}" for one in found)
    return Check(
        "requests",
        "error",
        f"It asks for what this server does not speak: {', '.join([*asked][:3])}.",
        "It may speak another protocol, such as access control: set its server mode to ADMS or "
        "attendance push in its menu. Otherwise update zkpush.",
    )


def _exchange(facts: TerminalFacts) -> Check:
    served = [one for one in facts.trace if not one.refused]
    if served and served[-1].content.answered.startswith(_ASKED_AGAIN):
        return Check(
            "exchange",
            "error",
            "Its requests are answered with UNKNOWN DEVICE: it has to begin a session, or a "
            "request does not return the token of its session.",
            "Restart the terminal. If that does not help, let it begin anew: `zkpush devices set "
            f"{facts.device.sn} token=check`.",
        )
    return Check("exchange", "ok", "It is not asked to begin a session.")


def _zone(facts: TerminalFacts) -> Check:
    zone = facts.device.timezone
    if zone is None:
        return Check(
            "zone",
            "error",
            "Its time zone is not known: its records have no UTC time, and forwarding waits.",
            f"Set it: `zkpush devices set {facts.device.sn} timezone=Europe/Berlin`.",
        )
    shown = f"{_now_in(facts, zone):%Y-%m-%d %H:%M}"
    return Check("zone", "ok", f"Its time zone is {zone}: its display should show {shown}.")


def _clock(facts: TerminalFacts) -> Check:
    skew, zone, sn = facts.device.clock_skew_seconds, facts.device.timezone, facts.device.sn
    problem = _problem(facts, ProblemCode.CLOCK_WRONG)
    if problem is None:
        detail = (
            "Its clock is not known yet: three punches in real time show it."
            if skew is None
            else f"Its clock is {abs(skew)} seconds {'ahead of' if skew > 0 else 'behind'} the "
            "server's."
        )
        return Check("clock", "ok", detail)
    if skew is None or zone is None or not _is_offset(skew):
        return Check(
            "clock",
            "error",
            problem,
            "Set its clock in its menu, or restart it: it takes the server's time when it "
            "connects.",
        )
    ahead = datetime.timedelta(seconds=_HALF_HOUR * round(skew / _HALF_HOUR))
    offset = datetime.timezone((_now_in(facts, zone).utcoffset() or datetime.timedelta()) + ahead)
    return Check(
        "clock",
        "error",
        f"{problem} That is the difference of two time zones: its clock has the time of {offset}, "
        f"and its zone here is {zone}.",
        f"Correct its zone: `zkpush devices set {sn} timezone=AREA/CITY`, then the times of its "
        f"records: `zkpush devices recompute {sn}`. If {zone} is right, set its clock.",
    )


def _now_in(facts: TerminalFacts, zone: str) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(facts.now / 1000, zoneinfo.ZoneInfo(zone))


def _is_offset(skew: int) -> bool:
    """Whether a difference of clocks in seconds is about a multiple of half an hour."""
    return abs(skew) > _HALF_HOUR - WRONG and abs((skew + WRONG) % _HALF_HOUR) <= 2 * WRONG


def _records(facts: TerminalFacts) -> Check:
    sn = facts.device.sn
    uploads = [
        one
        for one in facts.trace
        if not one.refused and (one.content.table or "").upper() == ATTLOG.name
    ]
    if uploads:
        last = uploads[-1]
        ago = _duration(facts.now - last.at)
        if last.content.answered == "OK: 0" and last.content.received:
            return Check(
                "records",
                "warning",
                f"Its last upload of attendance records, {ago} ago, held none that was understood.",
                f"See why: `zkpush rejects list --device {sn}`.",
            )
        return Check("records", "ok", f"It uploaded attendance records {ago} ago.")
    if ATTLOG.name in facts.stamps:
        return Check("records", "ok", "It has uploaded attendance records before.")
    if not takes_commands(facts.device):
        return Check(
            "records",
            "warning",
            "It has never uploaded attendance records: it is in access-control mode.",
            advice_of(ProblemCode.ACCESS_CONTROL, sn),
        )
    return Check(
        "records",
        "warning",
        "It has never uploaded attendance records.",
        "Verify a person on it. If nothing arrives, check in its menu that it sends in real time, "
        f"and let it send everything: `zkpush devices resend {sn} attendance`.",
    )


def _rejects(facts: TerminalFacts) -> Check:
    problem = _problem(facts, ProblemCode.REJECTS)
    if problem is not None:
        return Check("rejects", "error", problem, advice_of(ProblemCode.REJECTS, facts.device.sn))
    return Check("rejects", "ok", "Everything that it sent was understood.")


def _queue(facts: TerminalFacts) -> Check:
    at = facts.oldest_command_at
    if at is None:
        return Check("queue", "ok", "No command is due.")
    ago = _duration(facts.now - at)
    if facts.now - at < STUCK:
        return Check("queue", "ok", f"The oldest command that is due was queued {ago} ago.")
    return Check(
        "queue",
        "error",
        f"Its commands are stuck: the oldest that is due was queued {ago} ago.",
        f"See them: `zkpush commands list {facts.device.sn}`. A terminal fetches commands when it "
        "polls (getrequest); cancel those that it does not answer.",
    )


_CHECKS: Sequence[Callable[[TerminalFacts], Check]] = (
    _connection,
    _admission,
    _refusals,
    _requests,
    _exchange,
    _zone,
    _clock,
    _records,
    _rejects,
    _queue,
)


def _problems(facts: TerminalFacts, codes: Iterable[str]) -> Iterator[Check]:
    """Make a check for each problem of the terminal with one of these codes."""
    for code in codes:
        detail = f"{meaning_of(code)}. {_problem(facts, code)}"
        yield Check(code, "error", detail, advice_of(code, facts.device.sn))


def _problem(facts: TerminalFacts, code: str) -> str | None:
    return next((one.detail for one in facts.device.problems if one.code == code), None)


def _refused(facts: TerminalFacts) -> list[TracedRequest]:
    return [one for one in facts.trace if one.refused and facts.now - one.at < RECENT]


def _is_settled(one: TracedRequest, state: DeviceState) -> bool:
    """Whether a refusal is one of a pending terminal that was approved since."""
    return state is DeviceState.APPROVED and one.content.answered.startswith(WAITS)


def _is_unknown(one: TracedRequest) -> bool:
    return one.content.status in (NOT_FOUND, WRONG_METHOD) and one.content.understood is None


def _duration(milliseconds: int) -> str:
    seconds = max(0, milliseconds) // 1000
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"

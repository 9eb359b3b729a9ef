"""Check of refusals in the name of a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...device.registry import REFUSED_AS
from ...model import DeviceState
from ...phrases import Phrase, counted_phrase
from ...problems import ProblemCode
from ..trace.model import TracedRequest
from .facts import TerminalFacts
from .model import Check, CheckState

RECENT = 3600_000
"""Milliseconds for which a rejection counts, unless a served request followed it."""
NOT_FOUND, WRONG_METHOD = 404, 405
STATES: Mapping[DeviceState, Phrase] = {
    DeviceState.APPROVED: Phrase("approved"),
    DeviceState.PENDING: Phrase("pending"),
    DeviceState.BLOCKED: Phrase("blocked"),
    DeviceState.RETIRED: Phrase("retired"),
}
ASKED_AGAIN = "UNKNOWN DEVICE"


def check_refusals(facts: TerminalFacts) -> Check:
    """Check for rejections of requests that were understood, other than those by its state."""
    state = facts.device.state
    refused = [one for one in recent(facts) if one.refused and not is_unknown(one)]
    settled = [one for one in refused if _is_settled(one, state)]
    decided = [one for one in refused if one.at < (facts.decided_at or 0)]
    past = [*settled, *decided]
    found = [one for one in refused if not (one in past or _follows(one, state))]
    by_state = [one for one in refused if _follows(one, state)]
    if not found:
        shown = STATES.get(state, state.value)
        return _explained(
            ("unknown", by_state, Phrase("because it is %(state)s", state=shown)),
            ("ok", settled, Phrase("before it was %(state)s", state=shown)),
            ("ok", decided, Phrase("before an operator changed that")),
        )
    last = found[-1]
    served = [one.at for one in facts.trace if not one.refused]
    is_last = not served or last.at >= served[-1]
    return Check(
        "refusals",
        "error" if is_last else "warning",
        Phrase(
            "%(refused)s in the last hour; the last with status %(status)s from %(address)s: "
            "%(answer)s",
            refused=_refused(found),
            status=last.content.status,
            address=last.content.address or Phrase("a socket file"),
            answer=last.content.answered,
        ),
        _advice_on_refusals(facts),
    )


def _advice_on_refusals(facts: TerminalFacts) -> Phrase:
    sn = facts.device.sn
    if facts.problem(ProblemCode.OTHER_ADDRESS) is not None:
        return facts.advice(ProblemCode.OTHER_ADDRESS)
    return Phrase(
        "See them: `zkpush devices trace %(sn)s`. If they are not from the terminal, something "
        "else uses its serial number: restrict it to its networks, `zkpush devices set %(sn)s "
        "networks=NETWORK,…`.",
        sn=sn,
    )


def _explained(*reasons: tuple[CheckState, Sequence[TracedRequest], Phrase]) -> Check:
    """Make the check of refusals that have reasons: by the first with a request."""
    for result, refused, why in reasons:
        if refused:
            detail = Phrase(
                "%(refused)s in the last hour, %(why)s.", refused=_refused(refused), why=why
            )
            return Check("refusals", result, detail)
    return Check("refusals", "ok", Phrase("None of its last requests was refused."))


def _refused(requests: Sequence[TracedRequest]) -> Phrase:
    return counted_phrase(
        "%(num)s of its requests was refused",
        "%(num)s of its requests were refused",
        sum(one.count for one in requests),
    )


def recent(facts: TerminalFacts) -> list[TracedRequest]:
    """Return the requests of the last hour."""
    return [one for one in facts.trace if facts.now - one.at < RECENT]


def _is_settled(one: TracedRequest, state: DeviceState) -> bool:
    """Whether a refusal is that of a pending terminal that was approved or blocked since."""
    return state is not DeviceState.PENDING and _follows(one, DeviceState.PENDING)


def _follows(one: TracedRequest, state: DeviceState) -> bool:
    """Whether a refusal is that of a terminal in this state."""
    return one.content.answered == REFUSED_AS.get(state)


def is_unknown(one: TracedRequest) -> bool:
    """Whether a request is not served; without a session, it is answered as any other."""
    content = one.content
    is_refused = content.status in (NOT_FOUND, WRONG_METHOD)
    return content.understood is None and (is_refused or content.answered.startswith(ASKED_AGAIN))

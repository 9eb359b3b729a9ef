"""Check of refusals in the name of a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...device.registry import REFUSED_AS
from ...manage.times import instant
from ...model import DeviceState
from ...phrases import Phrase, counted_phrase, two_sentences
from ..trace.model import ASKED_AGAIN, KEPT, TracedRequest
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
UNSERVED_AFTER = 120_000
"""Milliseconds after the last served request from which nothing of a terminal counts as served."""
MORE_BEFORE = Phrase("There may have been more before these.")
"""What is added to a number of refusals that is the most that a trace holds."""
REFUSALS_FIRST = Phrase("Its requests are refused: see to that first.")


def check_refusals(facts: TerminalFacts) -> Check:
    """Check for rejections of requests that were understood, other than those by its state."""
    state = facts.device.state
    refused = _refusals(facts)
    settled = [one for one in refused if _is_settled(one, state)]
    decided = [one for one in refused if _is_decided(one, facts)]
    found = _unexplained(facts)
    by_state = [one for one in refused if _follows(one, state)]
    asked = [one for one in recent(facts) if is_asked(one)]
    is_asked_still = asked_again(facts) is not None or bool(unserved(facts))
    if is_asked_still and not found and not by_state:
        return _unserved(facts)
    if not found:
        shown = STATES.get(state, state.value)
        return _explained(
            ("ok", asked, Phrase("before it began a session")),
            ("unknown", by_state, Phrase("because it is %(state)s", state=shown)),
            ("ok", settled, Phrase("before it was %(state)s", state=shown)),
            ("ok", decided, Phrase("before an operator changed that")),
        )
    last = found[-1]
    detail = Phrase(
        "%(refused)s in the last hour; the last with status %(status)s from %(address)s: "
        "%(answer)s",
        refused=_refused(found),
        status=last.content.status,
        address=last.content.address or Phrase("a socket file"),
        answer=last.content.answered,
    )
    if sum(one.refused for one in facts.trace) >= KEPT and len(found) == len(refused):
        detail = two_sentences(detail, MORE_BEFORE)
    return Check(
        "refusals",
        "error" if _is_last(facts, last) else "warning",
        detail,
        Phrase(
            "See them: `zkpush devices trace %(sn)s`. If they are not from the terminal, something "
            "else uses its serial number: restrict it to its networks, `zkpush devices set %(sn)s "
            "networks=NETWORK,…`.",
            sn=facts.device.sn,
        ),
    )


def _unserved(facts: TerminalFacts) -> Check:
    """Make the check of a terminal of which nothing is served, and nothing refused by a status."""
    at = last_served(facts)
    detail = (
        Phrase("None of its last requests was served.")
        if at is None
        else Phrase("None of its requests was served since %(at)s.", at=instant(at))
    )
    since = [one for one in recent(facts) if one.at >= (at or 0)]
    asked = [one for one in since if is_asked(one)]
    refused = [
        one
        for one in since
        if one.refused and not is_unknown(one) and not _is_settled(one, facts.device.state)
    ]
    if asked and refused:
        again = Phrase(
            "%(refused)s in the last hour, the last ones with the answer UNKNOWN DEVICE: nothing "
            "of them is stored.",
            refused=_refused([*refused, *asked]),
        )
        detail = two_sentences(detail, again)
    elif asked:
        again = Phrase(
            "%(refused)s, with the answer UNKNOWN DEVICE: nothing of them is stored.",
            refused=_refused(asked),
        )
        detail = two_sentences(detail, again)
    if len(asked) >= KEPT or len(refused) >= KEPT:
        detail = two_sentences(detail, MORE_BEFORE)
    return Check("refusals", "warning", detail, obstacle(facts) or "")


def is_asked(one: TracedRequest) -> bool:
    """Whether a request of the protocol was answered with UNKNOWN DEVICE, and so refused."""
    return one.content.answered.startswith(ASKED_AGAIN) and not is_unknown(one)


def last_served(facts: TerminalFacts) -> int | None:
    """Return when a request was last served (ms); None if the trace shows none."""
    return max((one.at for one in facts.trace if one.is_served), default=None)


def unserved(facts: TerminalFacts) -> list[TracedRequest]:
    """Return the requests since the last served one, if an approved terminal makes requests and
    none has been served for some time."""
    at = last_served(facts) or min((one.since_at for one in facts.trace), default=facts.now)
    if facts.device.state is not DeviceState.APPROVED or facts.now - at < UNSERVED_AFTER:
        return []
    excused = [one for one in _refusals(facts) if one not in _unexplained(facts)]
    return [
        one for one in recent(facts) if one.at >= at and not one.is_served and one not in excused
    ]


def obstacle(facts: TerminalFacts) -> Phrase | None:
    """Return what keeps a terminal from being served now, as what to see to first; None if
    nothing does."""
    if is_refused_now(facts):
        return REFUSALS_FIRST
    if asked_again(facts) is not None:
        return Phrase("It is asked to begin a session: see to that first.")
    if not facts.is_online:
        return Phrase("It is not connected: see to that first.")
    return None


def is_refused_now(facts: TerminalFacts) -> bool:
    """Whether refusals other than those by its state came after what was last served."""
    found = _unexplained(facts)
    return bool(found) and _is_last(facts, found[-1])


def asked_again(facts: TerminalFacts) -> TracedRequest | None:
    """Return the last request that was not refused, if its answer was UNKNOWN DEVICE."""
    served = [one for one in facts.trace if not (one.refused or is_unknown(one))]
    is_it = served and is_asked(served[-1])
    return served[-1] if is_it else None


def _is_last(facts: TerminalFacts, refusal: TracedRequest) -> bool:
    """Whether nothing was served after a refusal; UNKNOWN DEVICE serves nothing."""
    return not any(one.at > refusal.at for one in facts.trace if one.is_served)


def _refusals(facts: TerminalFacts) -> list[TracedRequest]:
    return [one for one in recent(facts) if one.refused and not is_unknown(one)]


def _unexplained(facts: TerminalFacts) -> list[TracedRequest]:
    """Return the refusals that neither the state nor a decision since then explains."""
    state = facts.device.state
    return [
        one
        for one in _refusals(facts)
        if not (_is_settled(one, state) or _is_decided(one, facts) or _follows(one, state))
    ]


def _is_decided(one: TracedRequest, facts: TerminalFacts) -> bool:
    """Whether an operator changed after a refusal what of the terminal is refused."""
    return one.at < (facts.decided_at or 0)


def _explained(*reasons: tuple[CheckState, Sequence[TracedRequest], Phrase]) -> Check:
    """Make the check of refusals that have reasons: by the first with a request."""
    for result, refused, why in reasons:
        if refused:
            detail = Phrase(
                "%(refused)s in the last hour, %(why)s.", refused=_refused(refused), why=why
            )
            if len(refused) >= KEPT:
                detail = two_sentences(detail, MORE_BEFORE)
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

"""Checks of a terminal as the console asks them: a question, the next step, and a way to take it.

What a check found, and its advice for the command line, are in English (`terminal`). The question
and the next step are translated.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ...manage.console.phrases import Phrase
from ...model import Device, DeviceState
from ...problems import ProblemCode, meaning_of
from ...protocol.fields import Scope
from .model import Check, CheckState, Examination, WorstState


@attrs.frozen
class Remedy:
    """A button or link that mends a fault."""

    label: Phrase
    path: str
    """Path under `/console`; `%s` stands for the encoded serial number."""
    scope: Scope = Scope.READ
    """Scope without which it is not shown."""
    is_form: bool = False
    """Whether it is a button that does it; a link otherwise."""
    fields: tuple[tuple[str, str], ...] = ()
    """Names and values that the button sends."""


@attrs.frozen
class PlainQuestion:
    """A check in plain words."""

    text: Phrase
    step: Phrase
    """What to do if the check found a fault."""
    remedies: tuple[Remedy, ...] = ()


@attrs.frozen
class AskedCheck:
    """A check with its question."""

    check: Check
    text: str
    """The question, or the meaning of a problem; translated when it is shown."""
    words: Phrase
    """The state in words."""
    kind: str
    """Kind of the badge."""
    step: Phrase | None
    """The next step; None if all is well, or if only the English advice exists."""
    remedies: tuple[Remedy, ...]


APPROVE = Remedy(Phrase("Approve it"), "/terminals/%s/approve", Scope.WRITE)
UNBLOCK = Remedy(Phrase("Approve it again"), "/terminals/%s/approve", Scope.WRITE)
BLOCK = Remedy(Phrase("Block it"), "/terminals/%s/block", Scope.WRITE, is_form=True)
ZONE = Remedy(Phrase("Set the time zone"), "/terminals/%s#change", Scope.WRITE)
MENU = Remedy(Phrase("What to type into its menu"), "/first-terminal")
RESEND = Remedy(
    Phrase("Let it send all punches again"),
    "/terminals/%s/resend",
    Scope.WRITE,
    is_form=True,
)
REQUESTS = Remedy(Phrase("Look at its requests"), "/terminals/%s/requests")
REJECTS = Remedy(Phrase("Look at what was not understood"), "/rejects?device=%s")
COMMANDS = Remedy(Phrase("Look at its commands"), "/commands?device=%s")
NETWORKS = Remedy(Phrase("Look at its networks"), "/terminals/%s/settings#protection", Scope.WRITE)
KEYS = Remedy(Phrase("Look at its keys"), "/terminals/%s/approve", Scope.WRITE)

_COMMANDING = frozenset({RESEND})
"""Remedies that are commands, which a terminal fetches only in a session."""

APPROVE_AGAIN = Phrase(
    "Its requests are refused, and it keeps its new records. Approve it again if it belongs here."
)
"""What to do about a terminal that was blocked or retired."""

_BEFORE_COMMANDS = frozenset({"connection", "admission", "exchange"})
"""Checks that must be well before a terminal fetches a command."""

BEFORE_RECORDS = Phrase("Mend what stands above first.")
"""What to do about missing punches of a terminal that does not work yet."""

STATES: Mapping[CheckState, tuple[Phrase, str]] = {
    "ok": (Phrase("all right"), "good"),
    "unknown": (Phrase("not known yet"), "calm"),
    "warning": (Phrase("look at this"), "warn"),
    "error": (Phrase("fault"), "bad"),
}
"""Words and badges of the states of a check."""

SUMMARIES: Mapping[WorstState, tuple[Phrase, str]] = {
    "ok": (Phrase("No fault was found."), "good"),
    "warning": (Phrase("No fault was found, but something deserves a look."), "warn"),
    "error": (Phrase("A fault was found."), "bad"),
}
"""Words and kinds of the notice above the checks."""

_QUESTIONS: Mapping[str, PlainQuestion] = {
    "connection": PlainQuestion(
        Phrase("Does it reach the server?"),
        Phrase(
            "Check its power and its network, and the server address and port in its menu. It "
            "connects again by itself."
        ),
        (MENU,),
    ),
    "admission": PlainQuestion(
        Phrase("Is it approved?"),
        Phrase(
            "Its requests are refused until you approve it. It keeps its records until then. If it "
            "is not yours, block it."
        ),
        (APPROVE, BLOCK),
    ),
    "refusals": PlainQuestion(
        Phrase("Are its requests accepted?"),
        Phrase(
            "Requests in its name were refused. If they do not come from the terminal, something "
            "else uses its serial number."
        ),
        (REQUESTS,),
    ),
    "requests": PlainQuestion(
        Phrase("Does the server understand what it asks for?"),
        Phrase(
            "Enter only the name or IP address of the server in its menu, without a path, and "
            "choose attendance (ADMS) as the mode of the server."
        ),
        (MENU, REQUESTS),
    ),
    "exchange": PlainQuestion(
        Phrase("Does it begin its session?"),
        Phrase(
            "Switch the terminal off and on by hand: it fetches no commands before it has begun a "
            "session."
        ),
    ),
    "zone": PlainQuestion(
        Phrase("Is its time zone known?"),
        Phrase("Set the time zone of the place where it hangs. Its records are dated by it."),
        (ZONE,),
    ),
    "clock": PlainQuestion(
        Phrase("Is its clock right?"),
        Phrase(
            "Set its clock in its menu, or restart it. If the clock is right, its time zone here "
            "is wrong."
        ),
        (ZONE,),
    ),
    "records": PlainQuestion(
        Phrase("Does it send punches?"),
        Phrase(
            "Let somebody punch at it. If nothing arrives, check in its menu that it sends in real "
            "time."
        ),
        (RESEND,),
    ),
    "rejects": PlainQuestion(
        Phrase("Was everything understood that it sent?"),
        Phrase("Nothing is lost: what was not understood is kept, and can be read again."),
        (REJECTS,),
    ),
    "queue": PlainQuestion(
        Phrase("Does it fetch its commands?"),
        Phrase("Cancel the commands that it does not answer."),
        (COMMANDS,),
    ),
}

_OF_PROBLEMS: Mapping[str, tuple[Remedy, ...]] = {
    ProblemCode.OTHER_ADDRESS: (NETWORKS, REQUESTS),
    ProblemCode.KEY_CHANGED: (KEYS,),
    ProblemCode.ACCESS_CONTROL: (MENU,),
    ProblemCode.TLS_ON_PLAIN: (MENU,),
}


def asked(found: Examination, device: Device | None) -> list[AskedCheck]:
    """Return the checks of an examination with their questions; `device` is None for a stranger."""
    fetches = not any(
        check.name in _BEFORE_COMMANDS and check.state in ("warning", "error")
        for check in found.checks
    )
    return [_asked(check, device, fetches=fetches) for check in found.checks]


def _asked(check: Check, device: Device | None, *, fetches: bool) -> AskedCheck:
    """Return a check with its question; `fetches` if the terminal fetches commands."""
    words, kind = STATES[check.state]
    is_well = check.state in ("ok", "unknown") or check.follows is not None
    question = _QUESTIONS.get(check.name)
    if question is None:
        remedies = () if is_well else _OF_PROBLEMS.get(check.name, ())
        return AskedCheck(check, meaning_of(check.name), words, kind, None, remedies)
    if device is None or is_well:
        return AskedCheck(check, question.text, words, kind, None, ())
    remedies = _remedies(check.name, question, device)
    step = question.step
    if not fetches:
        step = BEFORE_RECORDS if check.name == "records" else step
        remedies = tuple(one for one in remedies if one not in _COMMANDING)
    if check.name == "admission" and device.state is not DeviceState.PENDING:
        step = APPROVE_AGAIN
    return AskedCheck(check, question.text, words, kind, step, remedies)


def _remedies(name: str, question: PlainQuestion, device: Device) -> tuple[Remedy, ...]:
    if name == "admission" and device.state is not DeviceState.PENDING:
        return (UNBLOCK,)
    if name == "zone" and device.state is DeviceState.PENDING:
        return (APPROVE,)
    return question.remedies

"""Check of the queue of commands of a terminal.

It is a fault if the terminal has the problem of a stuck queue, so that the doctor and the list of
problems say the same.
"""

from __future__ import annotations

from ...phrases import Phrase
from ...problems import ProblemCode
from ..commands.model import STUCK, WAITS, stuck_detail
from ..trace.model import last_poll
from .advice import duration
from .facts import TerminalFacts
from .model import Check


def check_queue(facts: TerminalFacts) -> Check:
    """Check whether the terminal fetches its commands and answers them."""
    at = facts.oldest_command_at
    if at is None:
        return Check("queue", "ok", Phrase("No command is due."))
    problem = facts.problem(ProblemCode.QUEUE_STUCK)
    if problem is not None and facts.stuck is not None:
        return Check("queue", "error", problem, facts.advice(ProblemCode.QUEUE_STUCK))
    waits = facts.stuck or facts.unanswered
    words = waits and stuck_detail(waits, last_poll(facts.trace), facts.now, WAITS)
    if words is not None and facts.is_online:
        return Check(
            "queue",
            "unknown",
            Phrase(
                "%(problem)s That is a fault if it is still so %(limit)s after the command was "
                "due.",
                problem=words,
                limit=duration(STUCK),
            ),
        )
    if words is not None:
        return Check("queue", "unknown", Phrase("Its commands wait until it is connected."))
    ago = duration(facts.now - at)
    if facts.stuck is not None:
        return Check(
            "queue",
            "warning",
            Phrase(
                "It asks for commands, and they are held back; the oldest was queued %(ago)s ago.",
                ago=ago,
            ),
            Phrase(
                "The other checks may say why. Its commands: `zkpush commands list %(sn)s`.",
                sn=facts.device.sn,
            ),
        )
    return Check(
        "queue", "ok", Phrase("The oldest command that is due was queued %(ago)s ago.", ago=ago)
    )

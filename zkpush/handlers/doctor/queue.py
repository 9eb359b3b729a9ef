"""Check of the queue of commands of a terminal."""

from __future__ import annotations

from ...phrases import Phrase
from ..commands.model import STUCK, WAITS, stuck_detail
from ..trace.model import last_poll
from .advice import duration
from .facts import TerminalFacts
from .model import Check


def check_queue(facts: TerminalFacts) -> Check:
    """Check whether the terminal fetches its commands and answers them."""
    at, stuck, sn = facts.oldest_command_at, facts.stuck, facts.device.sn
    if at is None:
        return Check("queue", "ok", Phrase("No command is due."))
    ago = duration(facts.now - at)
    if stuck is None or facts.now - at < STUCK:
        waits = facts.unanswered
        words = waits and stuck_detail(waits, last_poll(facts.trace), facts.now, WAITS)
        if words is not None:
            return Check(
                "queue",
                "unknown",
                Phrase(
                    "%(problem)s That is a fault if it is still so %(limit)s after the command "
                    "was due.",
                    problem=words,
                    limit=duration(STUCK),
                ),
            )
        queued = Phrase("The oldest command that is due was queued %(ago)s ago.", ago=ago)
        return Check("queue", "ok", queued)
    detail = stuck_detail(stuck, last_poll(facts.trace), facts.now)
    if detail is None:
        return Check(
            "queue",
            "error",
            Phrase(
                "Its commands are stuck: the oldest that is due was queued %(ago)s ago.", ago=ago
            ),
            Phrase(
                "It asks for commands, and they are held back; the other checks may say why. See "
                "them: `zkpush commands list %(sn)s`.",
                sn=sn,
            ),
        )
    if stuck.is_fetched:
        return Check(
            "queue",
            "error",
            detail,
            Phrase(
                "Restart it. Cancel what it never answers: `zkpush commands list %(sn)s` shows the "
                "ID, then `zkpush commands cancel ID`.",
                sn=sn,
            ),
        )
    return Check(
        "queue",
        "error",
        detail,
        Phrase(
            "Restart it, and see that a proxy in front passes /iclock/getrequest on. Its commands: "
            "`zkpush commands list %(sn)s`.",
            sn=sn,
        ),
    )

"""Why commands ended, as declared sentences; see `zkpush.sentences`."""

from __future__ import annotations

from .endings import EndReason
from .phrases import Phrase
from .protocol.codes.returns import return_meanings
from .sentences import SentenceList

COMMAND_REASONS = SentenceList(
    (
        Phrase("%(reason)s (return code %(code)s)"),
        Phrase("%(reason)s The terminal answered it afterwards."),
        *(Phrase(one.words) for one in EndReason),
        *map(Phrase, return_meanings()),
    )
)
"""Ends of commands, and meanings of return codes."""

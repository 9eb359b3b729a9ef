"""Why a day was not counted, as declared sentences; see `zkpush.sentences`."""

from __future__ import annotations

from ...commandreasons import COMMAND_REASONS
from ...phrases import Phrase
from ...sentences import SentenceList

COUNT_REASONS = SentenceList(
    (
        Phrase("It was asked and did not answer."),
        Phrase("It was not connected."),
        Phrase("Its command was deleted."),
        Phrase("It answered without a number."),
        Phrase("It answered with the return code %(code)s: %(kind)s."),
        *COMMAND_REASONS.templates,
    )
)
"""Details of counts without an outcome."""

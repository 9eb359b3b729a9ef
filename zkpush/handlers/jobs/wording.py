"""Why jobs stopped, as declared sentences; see `zkpush.sentences`."""

from __future__ import annotations

from ...phrases import Phrase
from ...sentences import SentenceList

JOB_REASONS = SentenceList(
    (
        Phrase("%(num)s command failed; the rest is not queued."),
        Phrase("%(num)s commands failed; the rest is not queued."),
    )
)
"""Reasons that are stored with stopped jobs."""

"""Why jobs stopped, as declared sentences; see `zkpush.sentences`."""

from __future__ import annotations

from ...phrases import counted_template
from ...sentences import SentenceList

JOB_REASONS = SentenceList(
    (
        counted_template(
            "%(num)s command failed; the rest is not queued.",
            "%(num)s commands failed; the rest is not queued.",
        ),
    )
)
"""Reasons that are stored with stopped jobs."""

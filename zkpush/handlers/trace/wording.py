"""What a terminal was answered, as declared sentences; see `zkpush.sentences`."""

from __future__ import annotations

from ...device.session import (
    BEGINS,
    DOES_NOT_OPEN,
    NOT_ENCRYPTED,
    OTHER_TOKEN,
    TAKEN_BEFORE,
    WITHOUT_TOKEN,
)
from ...device.unservedbodies import NOT_BELOW, NOT_THIS_PATH
from ...phrases import Phrase, counted_template
from ...sentences import SentenceList
from .model import FAILURE, TracedContent

ANSWERS = SentenceList(
    (
        Phrase("%(reason)s and %(num)s more"),
        Phrase("its options"),
        counted_template("a file, %(num)s byte", "a file, %(num)s bytes"),
        counted_template("encrypted, %(num)s byte", "encrypted, %(num)s bytes"),
        counted_template("%(num)s byte", "%(num)s bytes"),
        Phrase("command %(number)s: a command as it was given"),
        Phrase("command %(number)s: %(name)s"),
    )
)
"""Summaries of replies; of other replies, the trace has the first line."""
REMARKS = SentenceList(
    (
        BEGINS,
        WITHOUT_TOKEN,
        OTHER_TOKEN,
        DOES_NOT_OPEN,
        NOT_ENCRYPTED,
        TAKEN_BEFORE,
        NOT_THIS_PATH,
        NOT_BELOW,
        counted_template(
            "%(num)s part not understood, and kept", "%(num)s parts not understood, and kept"
        ),
        counted_template("%(num)s part set aside", "%(num)s parts set aside"),
        Phrase("foreign token"),
        Phrase("foreign cookie"),
    )
)
"""What the trace adds to a reply, and the terminal was not told."""


def answer_in_words(content: TracedContent) -> tuple[list[str], list[str]]:
    """Return what a terminal was answered, and the remarks on it.

    What is a phrase is for translation. The rest is data: it is what the terminal was sent.
    """
    answer, _, remarks = content.answered.partition(" (")
    if content.status >= FAILURE:
        known = [REMARKS.phrase(one) for one in remarks.removesuffix(")").split("; ") if one]
        is_remark = all(isinstance(one, Phrase) for one in known)
        return ([answer], known) if is_remark else ([content.answered], [])
    return (
        [ANSWERS.phrase(one) for one in answer.split(", ")]
        if answer.startswith("command ")
        else [ANSWERS.phrase(answer)],
        [REMARKS.phrase(one) for one in remarks.removesuffix(")").split("; ") if one],
    )

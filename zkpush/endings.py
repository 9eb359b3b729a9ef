"""Reasons why commands end, each declared once with its text.

A stored command holds the code; the text is looked up when the command is shown.
"""

from __future__ import annotations

from enum import StrEnum

from .phrases import Phrase, counted_phrase


class EndReason(StrEnum):
    """Reason why a command ended. The value is the code in the database."""

    words: str
    """The reason as a sentence; `attempts` and `replaced_by` are filled in from the command."""

    def __new__(cls, code: str, words: str) -> EndReason:
        """Declare a code with its text."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.words = words
        return member

    DONE = "done", "The terminal answered that it succeeded."
    FAILED = "failed", "The terminal answered that it failed."
    SHORT = (
        "short",
        "The terminal answered that it succeeded, but less arrived or was done than announced or "
        "asked for; the result has the numbers.",
    )
    RESTARTED = (
        "restarted",
        "The terminal began a new session after the command was sent, as it does when it restarts.",
    )
    NOT_FETCHED = "not fetched", "The terminal did not fetch it in time; it was never sent."
    NOT_ANSWERED = (
        "not answered",
        "It was sent as often as allowed (%(attempts)s) without an answer.",
    )
    TOO_OLD = (
        "too old",
        "It was sent (%(attempts)s) and not answered, and its time is over; it is not sent again.",
    )
    NOT_REPEATED = (
        "not repeated",
        "It was sent once and not answered. The terminal may have executed it, and it must not be "
        "executed twice, so it is not sent again.",
    )
    OVERTAKEN = (
        "overtaken",
        "It was sent and not answered. The terminal executed a later command on the same person or "
        "setting, which this one could undo, so it is not sent again.",
    )
    CANCELLED = "cancelled", "It was cancelled before it was sent."
    CANCELLED_LATE = (
        "cancelled late",
        "It was cancelled after it was sent, and is not sent again; the terminal may execute it.",
    )
    REPLACED = "replaced", "It was replaced by %(replaced_by)s before it was sent."
    REPLACED_LATE = (
        "replaced late",
        "It was sent and not answered, and is not sent again: it was replaced by %(replaced_by)s.",
    )
    FORGOTTEN = "forgotten", "It was cancelled when the stored templates were removed."
    ERASED = "erased", "It was cancelled when the person it was about was erased."
    RETIRED = "retired", "It was cancelled when its terminal was retired or replaced."
    DAMAGED = "damaged", "Its stored parameters are damaged, so that it cannot be sent."


_BY_CODE = {str(reason): reason for reason in EndReason}


def end_phrase(
    code: str | None, attempts: int, replaced_by: str | None, *, is_answered: bool
) -> str | None:
    """Say why a command ended; None for an open command, or one that ended without a reason.

    The result is a `Phrase`, for translation, unless a later version has declared the code.

    `is_answered` is whether the terminal answered after the server had given up the command.
    """
    if code is None:
        return None
    reason = _BY_CODE.get(code)
    if reason is None:  # a reason of a later version
        return code
    words = Phrase(
        reason.words,
        attempts=counted_phrase("once", "%(num)s times", attempts),
        replaced_by=replaced_by or Phrase("a later one"),
    )
    if is_answered:
        return Phrase("%(reason)s The terminal answered it afterwards.", reason=words)
    return words


def end_words(
    code: str | None, attempts: int, replaced_by: str | None, *, is_answered: bool
) -> str | None:
    """Say why a command ended, in English; see `end_phrase`."""
    found = end_phrase(code, attempts, replaced_by, is_answered=is_answered)
    return None if found is None else str(found)

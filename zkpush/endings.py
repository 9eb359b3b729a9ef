"""Reasons why commands end, each declared once with its text.

A stored command holds the code; the text is looked up when the command is shown.
"""

from __future__ import annotations

from enum import StrEnum


class EndReason(StrEnum):
    """Reason why a command ended. The value is the code in the database."""

    words: str
    """The reason as a sentence; `{attempts}` and `{replaced_by}` are filled in from the command."""

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
    NOT_ANSWERED = "not answered", "It was sent as often as allowed ({attempts}) without an answer."
    TOO_OLD = (
        "too old",
        "It was sent ({attempts}) and not answered, and its time is over; it is not sent again.",
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
    REPLACED = "replaced", "It was replaced by {replaced_by} before it was sent."
    REPLACED_LATE = (
        "replaced late",
        "It was sent and not answered, and is not sent again: it was replaced by {replaced_by}.",
    )
    FORGOTTEN = "forgotten", "It was cancelled when the stored templates were removed."
    ERASED = "erased", "It was cancelled when the person it was about was erased."
    RETIRED = "retired", "It was cancelled when its terminal was retired or replaced."
    DAMAGED = "damaged", "Its stored parameters are damaged, so that it cannot be sent."


_BY_CODE = {str(reason): reason for reason in EndReason}
_ANSWERED = "The terminal answered it afterwards."


def end_words(
    code: str | None, attempts: int, replaced_by: str | None, *, is_answered: bool
) -> str | None:
    """Say why a command ended; None for an open command, or one that ended without a reason.

    `is_answered` is whether the terminal answered after the server had given up the command.
    """
    if code is None:
        return None
    reason = _BY_CODE.get(code)
    if reason is None:  # a reason of a later version
        return code
    times = "once" if attempts == 1 else f"{attempts} times"
    words = reason.words.format(attempts=times, replaced_by=replaced_by or "a later one")
    return f"{words} {_ANSWERED}" if is_answered else words

"""Replies of receivers in words, and what the absence of a reply means."""

from __future__ import annotations

import email.utils
from http import HTTPStatus
from typing import Any

from twisted.internet.defer import TimeoutError as TimedOut

from ...protocol.text import visible
from ...values.forwarding import Outcome, RetryLater
from .addresses import ForbiddenAddress

MOST_QUOTED = 200
"""Maximum length of a quoted reply, in characters."""
REDIRECTED = "; redirects are not followed: set the URL to the new address"


def reply_words(status: int, text: bytes) -> str:
    """Describe a reply: its status, and the beginning of its body."""
    quoted = quote(text.decode("utf-8", "replace"))
    return status_words(status) + (f": {quoted}" if quoted else "")


def status_words(status: int) -> str:
    """Describe a status: `HTTP 404 Not Found`."""
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    return f"HTTP {status}{phrase}"


def quote(text: str) -> str:
    """Quote the beginning of a text of a receiver, without control characters."""
    return visible(text.strip())[:MOST_QUOTED]


def retry_after(text: str | None, now: float) -> float | None:
    """Parse Retry-After, in seconds or as a date; None if it is absent or malformed."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None


def unreached(failure: Any, seconds: float) -> Outcome:
    """Return the outcome of an attempt that got no answer, with a time limit of `seconds`."""
    error = failure.value
    if isinstance(error, TimedOut):
        return RetryLater(f"No answer within {seconds:.0f} seconds")
    if isinstance(error, ForbiddenAddress):
        return RetryLater(f"Not connected: {error}")
    reasons = [str(one.value) for one in getattr(error, "reasons", None) or ()] or [str(error)]
    return RetryLater(quote(f"{type(error).__name__}: {reasons[0]}"))

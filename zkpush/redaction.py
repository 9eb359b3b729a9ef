"""What logs never hold: a secret field, a token, the body of a request, or what steers a screen.

The rule. Our own messages name terminals, users, tables and counts, and nothing else of what was
sent. An exception that nobody expected, of ours, of a plugin or of a library, may quote what it was
given: `invalid literal for int(): 'SECRET'`. So of every exception the log has its type, those it
came from, and where it was raised, and not its message; but for those whose messages are known to
hold no data. This is done in one place, before any observer sees an event, and so also holds for
what Twisted itself logs, for threads, and for Python's own logging.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from types import TracebackType
from typing import Any

from twisted.logger import ILogObserver, LogEvent, Logger, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from .interfaces import StoreError
from .protocol.text import visible

MOST_CAUSES = 5
"""Exceptions of a chain that are named."""
_KNOWN = (StoreError,)
"""Exceptions whose messages are written by this program, without values."""
_log = Logger()


class Redacted(Exception):
    """Stands in a log for an exception whose message may quote data."""


def describe(error: BaseException) -> str:
    """An exception without its message: its type, and those it came from."""
    words: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(words) < MOST_CAUSES:
        words.append(_type_of(cause))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return ", from ".join(words)


def redacted(failure: Failure) -> Failure:
    """A failure of the same frames that says nothing but types."""
    error: Any = failure.value
    if isinstance(error, (Redacted, *_KNOWN)):
        return failure
    if isinstance(error, Failure):
        return redacted(error)
    text = f"{describe(error)} (what it says is not logged: it may quote data)"
    return Failure(Redacted(text), Redacted, failure.getTracebackObject())


@implementer(ILogObserver)
def redact(event: LogEvent) -> None:
    """Take the messages of exceptions out of an event, for all observers that come after.

    Nor can any text in it steer a screen, or look like another line of the log.
    """
    for name, value in [*event.items()]:
        if isinstance(value, Failure):
            event[name] = redacted(value)
            # What is written as JSON has no message of a failure at all.
            event.setdefault("exception", str(event[name].value))
        elif isinstance(value, BaseException) and not isinstance(value, (Redacted, *_KNOWN)):
            event[name] = describe(value)
        elif isinstance(value, str) and not name.startswith("log_"):
            # What is quoted begins no line of its own.
            event[name] = visible(value)
    if event.get("isError") and isinstance(event.get("failure"), Failure):
        # An event of the old kind (`log.err`) brings its text ready made.
        why = event.get("why") or "Unhandled Error"
        event["log_text"] = f"{why}\n{event['failure'].getTraceback()}"
    text = formatEvent(event)
    if visible(text, "\n\t") != text:  # of a value that is no text, or of an old event
        event["log_format"] = "{log_visible}"
        event["log_visible"] = visible(text, "\n\t")


class _Forwarded(logging.Handler):
    """What libraries log in Python's own way, and nobody else handles: without its arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it here."""
        name, message = record.name, str(record.msg)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            _log.failure("{name}: {message}", Failure(error), name=name, message=message)
        else:
            _log.warn("{name}: {message}", name=name, message=message)


def install() -> None:
    """Begin, before the log is opened; again is no harm."""
    globalLogPublisher.addObserver(redact)
    logging.lastResort = _Forwarded(logging.WARNING)
    threading.excepthook = _in_thread
    sys.unraisablehook = _unraisable


def _in_thread(args: threading.ExceptHookArgs) -> None:
    name = None if args.thread is None else args.thread.name
    _uncaught(f"the thread {name}", args.exc_type, args.exc_value, args.exc_traceback)


def _unraisable(args: Any) -> None:
    _uncaught("clean-up", args.exc_type, args.exc_value, args.exc_traceback)


def _uncaught(
    where: str,
    kind: type[BaseException],
    error: BaseException | None,
    traceback: TracebackType | None,
) -> None:
    if not issubclass(kind, SystemExit):
        value = kind() if error is None else error
        _log.failure("Uncaught in {where}", Failure(value, kind, traceback), where=where)


def _type_of(error: BaseException) -> str:
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return f"{name} ({os.strerror(error.errno)})"
    if isinstance(error, ImportError):
        return f"{name} ({error})"
    if isinstance(error, SyntaxError):
        return f"{name} ({error.filename}:{error.lineno})"
    return name

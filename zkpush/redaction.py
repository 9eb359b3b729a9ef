"""Redaction of logs: no secret fields, tokens, request bodies or terminal control sequences.

Our own messages name terminals, users, tables and counts, and nothing else of a request. The
message of an unexpected exception, of zkpush, of a plugin or of a library, may quote its input:
`invalid literal for int(): 'SECRET'`. So the log shows the type, the causes and the traceback of an
exception without its message, except for types whose messages are known to hold no data. An
observer redacts each event before any other observer sees it. That includes events of Twisted
itself, uncaught exceptions of threads, and the `logging` module.
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
"""Maximum number of exceptions of a chain that are named."""
_KNOWN = (StoreError,)
"""Exceptions whose messages this program writes, without values."""
_log = Logger()


class Redacted(Exception):
    """Replacement in the log for an exception whose message may quote data."""


def describe(error: BaseException) -> str:
    """Describe an exception without its message: its type and its causes."""
    words: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(words) < MOST_CAUSES:
        words.append(_type_of(cause))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return ", from ".join(words)


def redacted(failure: Failure) -> Failure:
    """Return a failure with the same frames that shows only types."""
    error: Any = failure.value
    if isinstance(error, (Redacted, *_KNOWN)):
        return failure
    if isinstance(error, Failure):
        return redacted(error)
    text = f"{describe(error)} (what it says is not logged: it may quote data)"
    return Failure(Redacted(text), Redacted, failure.getTracebackObject())


@implementer(ILogObserver)
def redact(event: LogEvent) -> None:
    """Remove the messages of exceptions from an event, for all later observers.

    Text in the event is escaped too, so that it cannot control a screen or forge a line of the log.
    """
    for name, value in [*event.items()]:
        if isinstance(value, Failure):
            event[name] = redacted(value)
            # JSON logs omit the message of a failure.
            event.setdefault("exception", str(event[name].value))
        elif isinstance(value, BaseException) and not isinstance(value, (Redacted, *_KNOWN)):
            event[name] = describe(value)
        elif isinstance(value, str) and not name.startswith("log_"):
            # Quoted text starts no line of its own.
            event[name] = visible(value)
    if event.get("isError") and isinstance(event.get("failure"), Failure):
        # A legacy event (`log.err`) has its text formatted already.
        why = event.get("why") or "Unhandled Error"
        event["log_text"] = f"{why}\n{event['failure'].getTraceback()}"
    text = formatEvent(event)
    if visible(text, "\n\t") != text:  # text of an object's `str()`, or of a legacy event
        event["log_format"] = "{log_visible}"
        event["log_visible"] = visible(text, "\n\t")


class _Forwarded(logging.Handler):
    """Handler for unhandled records of the `logging` module; logs them without arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record with Twisted."""
        name, message = record.name, str(record.msg)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            _log.failure("{name}: {message}", Failure(error), name=name, message=message)
        else:
            _log.warn("{name}: {message}", name=name, message=message)


def install() -> None:
    """Start redaction; call this before the log is opened. Repeated calls have no effect."""
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

"""What logs never hold; `tests/daemon/test_secrets_in_logs.py` has the whole daemon."""

from __future__ import annotations

import io
import json

import pytest
from twisted.logger import Logger, LogPublisher, eventAsText, jsonFileLogObserver
from twisted.python.failure import Failure

from zkpush.interfaces import StoreError
from zkpush.persist.databases import without_quotes
from zkpush.redaction import Redacted, describe, redact, redacted

SECRET = "pass-4711"


def raised(error: BaseException, cause: BaseException | None = None) -> Failure:
    """A failure with frames."""
    try:
        raise error from cause
    except BaseException:
        return Failure()


def logged(failure: Failure) -> tuple[str, str]:
    """What is logged of a failure: as text, and as JSON."""
    texts, lines = [], io.StringIO()
    publisher = LogPublisher(
        redact, lambda event: texts.append(eventAsText(event)), jsonFileLogObserver(lines)
    )
    Logger(observer=publisher).failure("It went wrong", failure)
    return texts[0], lines.getvalue()


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        (ValueError(SECRET), None, "ValueError"),
        (ValueError(SECRET), KeyError(SECRET), "ValueError, from KeyError"),
        (OSError(28, "No space left on device", SECRET), None, "OSError (No space left on device)"),
        (OSError(SECRET), None, "OSError"),
        (UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET), None, "UnicodeDecodeError"),
        (SyntaxError(SECRET, ("a.py", 3, 1, SECRET)), None, "SyntaxError (a.py:3)"),
        (ModuleNotFoundError("No module named 'x'"), None, "ModuleNotFoundError (No module"),
        (json.JSONDecodeError(SECRET, SECRET, 0), None, "json.decoder.JSONDecodeError"),
    ],
)
def test_an_exception_is_logged_without_its_message(error, cause, words: str) -> None:
    """Its type, what it came from, and where it was raised."""
    text, as_json = logged(raised(error, cause))
    for form in (text, as_json):
        assert SECRET not in form
        assert words in form
    assert "test_redaction.py" in text
    assert "in raised" in text


def test_what_the_store_says_is_logged() -> None:
    """Its messages are written without values."""
    text, _ = logged(raised(StoreError("the disk is full")))
    assert "the disk is full" in text


def test_what_it_came_from_without_saying_so_is_named() -> None:
    """An exception within the handling of another one; none, where that was hidden on purpose."""
    hidden, shown = KeyError(), KeyError()
    for error, suppress in ((hidden, True), (shown, False)):
        error.__context__ = ValueError(SECRET)
        error.__suppress_context__ = suppress
    assert (describe(hidden), describe(shown)) == ("KeyError", "KeyError, from ValueError")


def test_a_chain_without_end_ends() -> None:
    """An exception can be its own cause."""
    error = ValueError(SECRET)
    error.__cause__ = error
    assert describe(error).count("ValueError") == 5


def test_redacting_again_changes_nothing() -> None:
    """What stands for an exception stays."""
    once = redacted(raised(ValueError(SECRET)))
    assert redacted(once) is once
    assert isinstance(once.value, Redacted)


def test_failures_and_exceptions_in_any_field_are_redacted() -> None:
    """Twisted and plugins log them under names of their own."""
    event = {"log_format": "{reason} {error}", "reason": raised(ValueError(SECRET)), "n": 1}
    event["error"] = LookupError(SECRET)
    redact(event)
    assert SECRET not in eventAsText(event)
    assert (event["error"], event["n"]) == ("LookupError", 1)
    chained = Failure(ValueError(SECRET))
    assert SECRET not in redacted(Failure(exc_value=chained)).getTraceback()


def test_events_of_the_old_kind_are_redacted() -> None:
    """`twisted.python.log.err` brings its text ready made."""
    failure = raised(ValueError(SECRET))
    event = {"isError": 1, "failure": failure, "why": "It went wrong", "log_text": SECRET}
    event["log_format"] = "{log_text}"
    redact(event)
    text = eventAsText(event)
    assert SECRET not in text
    assert "It went wrong" in text
    assert "ValueError" in text


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("no such column: secret", "no such column"),
        ('near "secret": syntax error', "near"),
        ('unrecognized token: "5secret"', "unrecognized token"),
        ('column "secret" does not exist', "column"),
        ("permission denied", "permission denied"),
        ("no such table: mine", "no such table: mine"),
        ('"secret"', "a statement is not right"),
    ],
)
def test_what_a_database_says_of_a_statement_is_cut(message: str, words: str) -> None:
    """Before what it quotes of it."""
    assert without_quotes(message) == words

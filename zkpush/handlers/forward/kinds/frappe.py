"""Replies of Frappe, the framework of ERPNext, to a request that stores a checkin.

An error is JSON: `exc_type` names the exception, `_server_messages` is a JSON list of JSON objects
whose `message` is HTML, and `exception` is the last line of the traceback. All errors of validation
have the status 417 and most have the type ValidationError, so that only their messages tell them
apart.
"""

from __future__ import annotations

import html
import re
from http import HTTPStatus
from typing import Any

import msgspec

from ....values.forwarding import Delivered, Outcome, RefusedBatch, RetryLater
from ..replies import REDIRECTED, quote, reply_words, status_words

MOST_REPLY = 64 * 1024
"""Bytes of a reply that are read: the messages follow a traceback."""
_DUPLICATE = "This employee already has a log with the same timestamp"
_UNMAPPED = "No Employee found for the given employee field value"
_INACTIVE = "Transactions cannot be created for an Inactive Employee"
_NO_METHOD = "Failed to get method"
_PATIENT = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
        HTTPStatus.LOOP_DETECTED,  # a deadlock in the database of the site
    }
)
"""Statuses that say nothing about the punch."""
_ADVICE = {
    HTTPStatus.UNAUTHORIZED: "The site does not accept the API key: generate a new one",
    HTTPStatus.FORBIDDEN: "The user of the API key needs a role that may create Employee Checkins",
    HTTPStatus.NOT_FOUND: "There is no such site or method: check the URL, and that the app is "
    "installed",
}
_EDITS = "Corrections need a role that may read, write and delete Employee Checkins"
_TAG = re.compile(r"<[^<>]*>")


def outcome_of(status: int, text: bytes, event_id: str, wait: float | None) -> Outcome:
    """Return the outcome of a request; `wait` are the seconds of its Retry-After."""
    reply = _decode(text)
    if status == HTTPStatus.OK:
        message = reply.get("message")
        if isinstance(message, dict) and message.get("name"):
            return Delivered(quote(f"Stored as {message['name']}"))
        return RefusedBatch(f"Not an answer of ERPNext: {reply_words(status, text)}")
    messages = messages_of(reply)
    words = status_words(status) + (f": {quote(' '.join(messages))}" if messages else "")
    if not messages and not reply:
        words = reply_words(status, text)
    if status == HTTPStatus.EXPECTATION_FAILED:
        return _invalid(messages, reply.get("exc_type"), words, event_id)
    advice = _ADVICE.get(HTTPStatus(status)) if status in _ADVICE else None
    if advice is not None:
        words = f"{advice}. {words}"
    if status in _PATIENT or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):
        return RetryLater(words, wait)
    if 300 <= status < 400:
        return RetryLater(words + REDIRECTED, wait)
    return RefusedBatch(words, wait)


def document_of(status: int, text: bytes) -> str | None:
    """Return the name of the document that a method has stored; None for another reply."""
    message = _decode(text).get("message") if status == HTTPStatus.OK else None
    name = message.get("name") if isinstance(message, dict) else None
    return str(name) if name else None


def data_of_reply(text: bytes) -> object:
    """Return the data of a reply about documents; None without any."""
    return _decode(text).get("data")


def change_outcome(status: int, text: bytes, event_id: str, wait: float | None) -> Outcome:
    """Return the outcome of a request about a document that did not succeed."""
    outcome = outcome_of(status, text, event_id, wait)
    if status == HTTPStatus.FORBIDDEN:
        words = f"{_EDITS}. {status_words(status)}: {quote(' '.join(messages_of(_decode(text))))}"
        return RefusedBatch(words, wait)
    if status == HTTPStatus.EXPECTATION_FAILED:
        reason = quote(" ".join(messages_of(_decode(text)))) or status_words(status)
        return Delivered("Parked: the site refuses the correction", {event_id: reason})
    if isinstance(outcome, Delivered):
        return RefusedBatch(f"Not an answer of ERPNext: {reply_words(status, text)}")
    return outcome


def messages_of(reply: dict[str, Any]) -> list[str]:
    """Return the messages of an error as plain text, the best one first."""
    found = []
    for item in _listed(reply.get("_server_messages")):
        one = _decode(item) if isinstance(item, str) else item
        message = one.get("message") if isinstance(one, dict) else None
        found.append(message or item)
    exception = reply.get("exception")
    if not found and isinstance(exception, str):
        # The class stands in front: `frappe.exceptions.ValidationError: ...`
        found.append(exception.partition(": ")[2] or exception)
    if not found and isinstance(reply.get("message"), str):
        found.append(reply["message"])
    if not found and isinstance(reply.get("exc_type"), str):
        found.append(reply["exc_type"])
    return [_plain(one) for one in found if isinstance(one, str)]


def _invalid(messages: list[str], kind: object, words: str, event_id: str) -> Outcome:
    """Return the outcome of an error of validation."""

    def says(beginning: str) -> bool:
        return any(one.startswith(beginning) for one in messages)

    if says(_NO_METHOD):
        advice = _ADVICE[HTTPStatus.NOT_FOUND]
        return RetryLater(f"{advice}. {words}")
    reason = quote(" ".join(messages))
    if says(_UNMAPPED):
        return Delivered("Parked: no such employee", {event_id: reason})
    if says(_INACTIVE) or kind == "InactiveEmployeeStatusError":
        return Delivered("Parked: the employee is not active", {event_id: reason})
    if says(_DUPLICATE):
        return Delivered("ERPNext has this checkin already")
    return RefusedBatch(words)


def _decode(text: bytes | str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _listed(text: object) -> list[object]:
    if not isinstance(text, str):
        return []
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return []
    return found if isinstance(found, list) else []


def _plain(text: str) -> str:
    return html.unescape(_TAG.sub(" ", text)).strip()

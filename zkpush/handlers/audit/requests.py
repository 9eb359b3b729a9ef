"""Requests and options of sending in details of the audit log, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...manage.times import instant
from ...phrases import Phrase, counted_phrase

_REQUEST = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE) (/console)?(/\S*)")
_PAGES: Mapping[str, Phrase] = {
    "accounts": Phrase("Accounts"),
    "areas": Phrase("Areas"),
    "attendance": Phrase("Attendance"),
    "audit": Phrase("Audit log"),
    "commands": Phrase("Commands"),
    "doctor": Phrase("Why no punches?"),
    "files": Phrase("Files and firmware"),
    "forwarders": Phrase("Forwarders"),
    "jobs": Phrase("Jobs"),
    "people": Phrase("People"),
    "rejects": Phrase("Not understood"),
    "settings": Phrase("Settings"),
    "terminals": Phrase("Terminals"),
    "tokens": Phrase("API tokens"),
}
"""Pages by the first part of their paths."""
_SENDING = re.compile(r"; (expires_in|not_before_at|priority|ends_at) (-?[0-9]{1,15})(?=;|$)")
_FOR_EVER = 5 * 365 * 24 * 3600
"""Seconds from which a command in effect waits without an end."""
_UNITS = (365 * 24 * 3600, 24 * 3600, 3600, 60)


def request_phrase(text: str) -> Phrase | None:
    """Return a request, such as `GET /console/people/<pin>/edit`, in words; None for another text.

    The path of one by the API stands behind the words.
    """
    found = _REQUEST.fullmatch(text)
    if found is None:
        return None
    method, console, path = found.groups()
    reads = method in ("GET", "HEAD")
    if console is None:
        if reads:
            return Phrase("reading by the API (%(path)s)", path=path)
        return Phrase("a change by the API (%(path)s)", path=path)
    page = _PAGES.get(path.split("/")[1]) or Phrase("Console")
    if reads:
        return Phrase("opening a page of %(page)s", page=page)
    return Phrase("sending a form of %(page)s", page=page)


def duration_phrase(seconds: int) -> Phrase:
    """Return a duration in the largest unit of which it is at least one, rounded down."""
    year, day, hour, minute = _UNITS
    if seconds >= year:
        return counted_phrase("%(num)s year", "%(num)s years", seconds // year)
    if seconds >= day:
        return counted_phrase("%(num)s day", "%(num)s days", seconds // day)
    if seconds >= hour:
        return counted_phrase("%(num)s hour", "%(num)s hours", seconds // hour)
    if seconds >= minute:
        return counted_phrase("%(num)s minute", "%(num)s minutes", seconds // minute)
    return counted_phrase("%(num)s second", "%(num)s seconds", seconds)


def sending_phrases(text: str) -> tuple[str, list[Phrase]]:
    """Take the options of sending from the end of a text; return the rest, and them in words."""
    found = [_option(name, value) for name, value in _SENDING.findall(text)]
    return _SENDING.sub("", text), found


def _option(name: str, value: str) -> Phrase:
    if name == "expires_in" and int(value) >= _FOR_EVER:
        return Phrase("waits until the terminal fetches it")
    if name == "expires_in":
        return Phrase("waits for up to %(time)s", time=duration_phrase(int(value)))
    if name == "priority":
        return Phrase("priority %(value)s", value=value)
    shown = instant(int(value))
    if name == "ends_at":
        return Phrase("waits until %(time)s", time=shown)
    return Phrase("not before %(time)s", time=shown)

"""Values of API replies: items, pages and failures.

The commands import these when they are defined. The HTTP client (`zkpush.cli.client`) is imported
when a command runs.
"""

from __future__ import annotations

import re
from typing import Any

import attrs
import click

JSON = "application/json"
CSV = "text/csv"
EVENTS = "text/event-stream"

Item = dict[str, Any]
"""An object of the API."""


class ApiFailure(click.ClickException):
    """The API answered with an error."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


_LISTS = {
    "account": "accounts list",
    "area": "areas list",
    "command": "commands list",
    "file": "files list",
    "forwarder": "forwarders list",
    "job": "jobs list",
    "open conflict": "conflicts list",
    "reject": "rejects list",
    "terminal": "devices list",
    "token": "tokens list",
    "user": "users list",
}
"""Commands that list what an error message says there is not."""
_ABSENT = re.compile(rf"[Tt]here is no ({'|'.join(_LISTS)}) ")


def with_list(message: str) -> str:
    """Add the command that lists what a message says there is not, unless it names a command."""
    found = _ABSENT.search(message)
    if found is None or "zkpush " in message:
        return message
    return f"{message} See: zkpush {_LISTS[found[1]]}"


class Unreachable(click.ClickException):
    """The daemon does not answer; it may come back later."""


@attrs.frozen
class ListPage:
    """A page of a list."""

    items: list[Item]
    next: str | None

"""Values of API replies: items, pages and failures.

The commands import these when they are defined. The HTTP client (`zkpush.cli.client`) is imported
when a command runs.
"""

from __future__ import annotations

from typing import Any

import attrs
import click

from .pasting import pasteable

JSON = "application/json"
CSV = "text/csv"
EVENTS = "text/event-stream"

Item = dict[str, Any]
"""An object of the API."""


class ApiFailure(click.ClickException):
    """The API answered with an error."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(pasteable(detail))
        self.status = status


class Unreachable(click.ClickException):
    """The daemon does not answer; it may come back later."""

    def __init__(self, message: str) -> None:
        super().__init__(pasteable(message))


@attrs.frozen
class ListPage:
    """A page of a list."""

    items: list[Item]
    next: str | None

"""Descriptions of requests for the trace, without secrets and control characters.

The values of arguments are shown only for selected arguments, none of which is secret. Of a path,
the first two segments are shown, because the secret of a file URL follows them. Of a reply, the
first words of the server's own texts and the names of commands are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...device.request import Request
from ...http.messages import CHUNKED, FileReply, Reply, RequestHead
from ...protocol.catalogue import Catalogue
from ...protocol.envelope import FIRST_OF_TEXT
from ...protocol.errors import CommandError, TerminalError
from ...protocol.requests import parse_arguments, shown_path
from ...protocol.text import visible
from .model import FAILURE, TracedContent

SHOWN = ("type", "options", "Stamp", "OpStamp", "PhotoStamp", "ContentType", "pushver")
"""Arguments whose values are shown, besides `table`."""
MOST_VALUE = 40
"""Most characters shown of a value or a path segment."""
MOST_WORDS = 160
"""Most characters shown of a reply."""
MOST_COMMANDS = 3
"""Most commands of a reply that are named."""


def describe(
    head: RequestHead,
    request: Request | None,
    reply: Reply,
    catalogue: Catalogue,
    reason: str | None = None,
) -> TracedContent:
    """Describe a request and its reply; `request` is None if the head was already rejected.

    `reason` is what the reply does not show to the terminal.
    """
    arguments = _arguments(head, request)
    table = arguments.get("table")
    status, answered, sent = _answered(reply, catalogue)
    if reason is not None:
        answered = f"{answered} ({reason})"
    return TracedContent(
        method=_cut(head.method),
        path=shown_path(head.path),
        table=None if table is None else _cut(table),
        arguments={
            name: _cut(value) for name in SHOWN if (value := arguments.get(name)) is not None
        },
        address=head.address,
        status=status,
        received=None if head.length == CHUNKED else head.length,
        sent=sent,
        understood=None if request is None else request.route.meaning or None,
        answered=answered,
    )


def _arguments(head: RequestHead, request: Request | None) -> Mapping[str, str]:
    if request is not None:
        return request.arguments
    try:
        return parse_arguments(head.query)
    except TerminalError:
        return {}


def _answered(reply: Reply, catalogue: Catalogue) -> tuple[int, str, int]:
    """Return the status of a reply, its summary and its size in bytes."""
    if isinstance(reply, FileReply):
        if reply.read is not None:
            return reply.status, f"a file, {len(reply)} bytes", len(reply)
        reply = reply.status, reply.body
    status, body = reply
    if status >= FAILURE:
        return status, _cut(body.decode("utf-8", "replace").strip(), MOST_WORDS), len(body)
    if body and body[0] < FIRST_OF_TEXT:
        return status, f"encrypted, {len(body)} bytes", len(body)
    for start, words in _BEGINNINGS:
        if body.startswith(start):
            return status, words(body, catalogue), len(body)
    return status, f"{len(body)} bytes", len(body)


def _line(body: bytes, catalogue: Catalogue) -> str:
    return _cut(body.partition(b"\n")[0].decode("utf-8", "replace"))


def _options(body: bytes, catalogue: Catalogue) -> str:
    return "its options"


def _commands(body: bytes, catalogue: Catalogue) -> str:
    lines = [line for line in body.split(b"\n") if line.startswith(b"C:")]
    names = [_command(line, catalogue) for line in lines[:MOST_COMMANDS]]
    more = len(lines) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _command(line: bytes, catalogue: Catalogue) -> str:
    _, _, rest = line.decode("utf-8", "replace").partition(":")
    number, _, text = rest.partition(":")
    try:
        name = catalogue.parse(text)[0].name
    except CommandError:
        name = "a command as it was given"
    return f"command {_cut(number)}: {name}"


_BEGINNINGS: tuple[tuple[bytes, Callable[[bytes, Catalogue], str]], ...] = (
    (b"OK", _line),
    (b"C:", _commands),
    (b"GET OPTION FROM", _options),
    (b"UNKNOWN DEVICE", _line),
)


def _cut(text: str, most: int = MOST_VALUE) -> str:
    if len(text) <= most and text.isprintable():
        return text  # the usual case
    return visible(text if len(text) <= most else f"{text[:most]}…")

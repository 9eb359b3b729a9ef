"""Command replies (13): what a terminal answers after it has executed commands.

A reply is `ID=…&Return=…&CMD=…`, several of them joined by LF; or one key a line; that of INFO is
followed by a line for each option; those of GetFile and SHELL end in `Content=` and bytes that go
to the end of the body.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping

import msgspec

from .records import Reject
from .text import decode_line

TABLE = "devicecmd"
"""The name under which an answer that cannot be read is kept."""
_START = re.compile(rb"(?:\A|\n)(?:[A-Za-z]+=[^&\n]*&)*ID=", re.IGNORECASE)
_CONTENT = re.compile(rb"(?:\A|\n)Content=", re.IGNORECASE)
_RETURN = re.compile(r"-?[0-9]{1,10}\Z", re.ASCII)
_HEAD = ("id", "return", "cmd")


class CommandReply(msgspec.Struct, frozen=True):
    """What a terminal says of one command."""

    id: str
    """The CmdID it was sent with."""
    return_code: int
    """Appendix 1: 0 for success, or a size or count, or an error."""
    command: str
    """What the terminal calls the command."""
    values: dict[str, str] = {}
    """Everything else that was said, such as the options after INFO."""
    content: bytes | None = None
    """The bytes after `Content=`."""


def decode_replies(body: bytes, encoding: str) -> tuple[list[CommandReply], list[Reject]]:
    """Read the body of `POST /iclock/devicecmd`. Never raises: what cannot be read is rejected."""
    replies, rejects = [], []
    content_at = _CONTENT.search(body)
    text = body if content_at is None else body[: content_at.start()]
    content = None if content_at is None else body[content_at.end() :]
    parts = list(_parts(text))
    for number, part in enumerate(parts, 1):
        mine = content if number == len(parts) else None
        try:
            replies.append(_decode_reply(part, mine, encoding))
        except ValueError as error:
            kept = part if mine is None else body[text.rindex(part) :]
            rejects.append(Reject(TABLE, str(error), kept))
    if not parts and body.strip():
        rejects.append(Reject(TABLE, "no ID= in a command reply", body))
    return replies, rejects


def _parts(text: bytes) -> Iterator[bytes]:
    """Cut a body before each line that holds `ID=`, whatever stands before it on the line."""
    starts = [found.start() for found in _START.finditer(text)]
    if starts and text[: starts[0]].strip():
        starts.insert(0, 0)
    for start, end in itertools.pairwise([*starts, len(text)]):
        yield text[start:end].strip(b"\r\n")


def _decode_reply(part: bytes, content: bytes | None, encoding: str) -> CommandReply:
    head: dict[str, str] = {}
    values: dict[str, str] = {}
    for line in part.split(b"\n"):
        text, _ = decode_line(line.rstrip(b"\r"), encoding)
        for key, value in _pairs(text.replace("\0", "\ufffd"), whole_line=len(head) == len(_HEAD)):
            if key.lower() in _HEAD and key.lower() not in head:
                head[key.lower()] = value.strip()
            else:
                values[key] = value
    missing = [key for key in ("id", "return") if not head.get(key)]
    if missing:
        raise ValueError(f"a command reply needs {' and '.join(missing)}")
    if not _RETURN.match(head["return"]):
        raise ValueError(f"Return={head['return'][:20]!r} is not an integer")
    return CommandReply(
        id=head["id"],
        return_code=int(head["return"]),
        command=head.get("cmd", ""),
        values=values,
        content=content,
    )


def _pairs(text: str, *, whole_line: bool) -> Iterator[tuple[str, str]]:
    """The `Key=Value` pairs of a line; after the head of a reply, a value may hold `&`.

    What is neither is kept as a key without a value: it must not cost the return code.
    """
    for pair in [text] if whole_line else text.split("&"):
        key, _, value = pair.partition("=")
        if key.strip():
            yield key.strip(), value


def encode_reply(
    command_id: str, return_code: int, command: str, options: Mapping[str, str] | None = None
) -> bytes:
    """Write a reply as a terminal does, with the options that follow INFO; ends with LF."""
    lines = [f"ID={command_id}&Return={return_code}&CMD={command}"]
    lines += [f"{key}={value}" for key, value in (options or {}).items()]
    return "".join(line + "\n" for line in lines).encode()

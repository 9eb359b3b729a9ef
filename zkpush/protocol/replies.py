"""Command replies (13): what a terminal answers after it has executed commands.

A reply is `ID=…&Return=…&CMD=…`, several of them joined by LF; or one key a line; that of INFO is
followed by a line for each option; those of GetFile and SHELL end in `Content=` and bytes that go
to the end of the body. Terminals also separate the pairs by TAB, put them into the query string,
and leave out all but the ID.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from .options import MOST_CHARACTERS, MOST_OPTIONS
from .records import split_lines
from .rejects import Reject, RejectList
from .text import decode_line

TABLE = "devicecmd"
"""The name under which an answer that cannot be read is kept."""
MOST_REPLIES = 10_000
"""Most answers in one body: as many as there are commands in the largest batch."""
_START = re.compile(
    # The first `ID=` of a line ends the pairs before it, so that none is to be tried again.
    rb"(?:\A|\n)(?:(?!ID=)[A-Za-z]++=[^&\t\n]*+[&\t])*+ID=",
    re.IGNORECASE,
)
_CONTENT = re.compile(
    rb"(?:\A|\n)(?:(?!Content=)[A-Za-z]++=[^&\t\n]*+[&\t])*+(?P<content>Content=)", re.IGNORECASE
)
_AHEAD = re.compile(rb"[\r\n]*(?P<key>Return|CMD)=[^&\t\r\n]*\r?\n", re.IGNORECASE)
"""The line ahead of an ID in answers that have one key a line, and begin with another one."""
_RETURN_LINE = re.compile(rb"^Return=", re.IGNORECASE | re.MULTILINE)
_CMD_LINE = re.compile(rb"^CMD=", re.IGNORECASE | re.MULTILINE)
_SEPARATOR = re.compile(r"[&\t]")
_NOT_ONE_VALUE = re.compile(r"[\x00-\x1f&=\ud800-\udfff]")
"""What no value of the head of an answer holds."""
_TERMINAL = "sn"
"""The argument of every request that is no part of an answer."""
_RETURN = re.compile(r"-?[0-9]{1,10}\Z", re.ASCII)
_HEAD = ("id", "return", "cmd")
_MOST_PAIRS = 2 * MOST_OPTIONS
"""Pairs of a line that are told apart."""
_OPTIONS = "INFO"
"""The command whose answer goes on with an option a line (12.4.3)."""
_WITH_CONTENT = ("GetFile", "Shell")
_ONE_A_LINE = {
    "GetFile": ("ID", "SN", "FILENAME", "CMD", "Return"),
    "PutFile": ("ID", "Return", "CMD"),
    "Shell": ("ID", "SN", "Return", "CMD", "FILENAME"),
}
"""The keys of answers that have one a line, in the order of their sections (12.5, 12.8.1)."""


class CommandReply(msgspec.Struct, frozen=True):
    """What a terminal says of one command."""

    id: str
    """The CmdID it was sent with."""
    return_code: int | None
    """Appendix 1: 0 for success, or a size or count, or an error; None if the terminal sent none,
    which counts as success."""
    command: str
    """What the terminal calls the command."""
    values: dict[str, str] = {}
    """Everything else that was said, such as the options after INFO."""
    content: bytes | None = None
    """The bytes after `Content=`."""


_NONE: Mapping[str, str] = {}


def decode_replies(
    body: bytes, encoding: str, arguments: Mapping[str, str] = _NONE
) -> tuple[list[CommandReply], list[Reject]]:
    """Read the answers in the body of a request, and in its arguments.

    Where the arguments hold the ID, and the body holds none, the body goes on with that answer.
    Never raises: what cannot be read is rejected.
    """
    named = {name.lower(): value for name, value in arguments.items()}
    if not named.get("id"):
        return _decode_body(body, encoding)
    head = {name: named[name].strip() for name in _HEAD if named.get(name)}
    if any(_NOT_ONE_VALUE.search(value) for value in head.values()):
        raw = encode_query(arguments)
        return [], [Reject(TABLE, "the arguments are no command reply", raw + body)]
    begin = "&".join(f"{name}={value}" for name, value in head.items()).encode() + b"\n"
    if _START.search(body):
        # The body has answers of its own; the one in the arguments may be among them.
        (said, kept), (more, rejects) = _decode_body(begin, encoding), _decode_body(body, encoding)
        known = {reply.id for reply in more}
        return [reply for reply in said if reply.id not in known] + more, kept + rejects
    replies, rejects = _decode_body(begin + body, encoding)
    values = {
        name: value for name, value in arguments.items() if name.lower() not in (*_HEAD, _TERMINAL)
    }
    whole = [msgspec.structs.replace(one, values={**values, **one.values}) for one in replies]
    return whole, rejects


def encode_query(arguments: Mapping[str, str]) -> bytes:
    """Write the arguments that hold an answer as a line, to be kept; nothing if they hold none."""
    if not any(name.lower() == "id" for name in arguments):
        return b""
    pairs = [f"{name}={value}" for name, value in arguments.items() if name.lower() != _TERMINAL]
    return "&".join(pairs).encode("utf-8", "surrogatepass") + b"\n"


def _decode_body(body: bytes, encoding: str) -> tuple[list[CommandReply], list[Reject]]:
    replies: list[CommandReply] = []
    rejects = RejectList()
    content_at = _CONTENT.search(body)
    text = body if content_at is None else body[: content_at.start("content")]
    content = None if content_at is None else body[content_at.end() :]
    parts = list(itertools.islice(_parts(text), MOST_REPLIES + 1))
    if len(parts) > MOST_REPLIES:
        return [], [Reject(TABLE, f"more than {MOST_REPLIES} answers in one body", body)]
    for number, (start, part) in enumerate(parts, 1):
        mine = content if number == len(parts) else None
        try:
            reply, is_whole = _decode_reply(part, mine, encoding)
            replies.append(reply)
            reason = None if is_whole else "there is more in this answer than is kept"
        except ValueError as error:
            reason = str(error)
        if reason is not None:
            rejects.add(TABLE, reason, part if mine is None else body[start:])
    if not parts and body.strip():
        rejects.add(TABLE, "no ID= in a command reply", body)
    return replies, rejects.of_body(TABLE, body)


def _parts(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut a body before each line that holds `ID=`, whatever stands before it on the line.

    Each part comes with the place where it begins.
    """
    found = itertools.islice(_START.finditer(text), MOST_REPLIES + 1)
    starts = [start.start() for start in found]
    if starts and text[: starts[0]].strip():
        starts = _ahead(text, starts) or [0, *starts]
    for start, end in itertools.pairwise([*starts, len(text)]):
        part = text[start:end].lstrip(b"\r\n")
        yield end - len(part), part.rstrip(b"\r\n")


def _ahead(text: bytes, ids: Sequence[int]) -> list[int]:
    """Where answers begin whose result, a line of its own, is ahead of the ID; none if not all do.

    `ids` are the places of the lines that hold an ID.
    """
    first = _AHEAD.match(text)
    if first is None:
        return []
    same = _RETURN_LINE if first["key"].lower() == b"return" else _CMD_LINE
    found = [one.start() for one in itertools.islice(same.finditer(text), len(ids) + 1)]
    ends = [*found[1:], len(text)]
    is_each = len(found) == len(ids) and all(
        begin < at < end for begin, at, end in zip(found, ids, ends, strict=True)
    )
    return found if is_each else []


def _decode_reply(part: bytes, content: bytes | None, encoding: str) -> tuple[CommandReply, bool]:
    """Read one answer; whether all that it says is in it."""
    head: dict[str, str] = {}
    values: dict[str, str] = {}
    room = MOST_CHARACTERS
    is_whole = True
    first = part.partition(b"\n")[0]
    one_a_line = b"&" not in first and b"\t" not in first
    for line in split_lines(part):
        text, _ = decode_line(line, encoding)
        of_head = text.partition("=")[0].strip().lower() in _HEAD
        whole = len(head) == len(_HEAD) or (one_a_line and not of_head)
        for key, value in _pairs(text.replace("\0", "\ufffd"), whole_line=whole):
            if key.lower() in _HEAD and key.lower() not in head:
                head[key.lower()] = value.strip()
            elif len(values) < MOST_OPTIONS and len(key) + len(value) <= room:
                values[key] = value
                room -= len(key) + len(value)
            else:
                is_whole = False
    if not head.get("id"):
        raise ValueError("a command reply needs id")
    code = head.get("return") or None
    if code is not None and not _RETURN.match(code):
        raise ValueError(f"Return={code[:20]!r} is not an integer")
    reply = CommandReply(
        id=head["id"],
        return_code=None if code is None else int(code),
        command=head.get("cmd", ""),
        values=values,
        content=content,
    )
    return reply, is_whole


def _pairs(text: str, *, whole_line: bool) -> Iterator[tuple[str, str]]:
    """The `Key=Value` pairs of a line; where a line is one pair, its value may hold `&` and TAB.

    What is neither is kept as a key without a value: it must not cost the return code.
    """
    for pair in [text] if whole_line else _SEPARATOR.split(text, _MOST_PAIRS):
        key, _, value = pair.partition("=")
        if key.strip():
            yield key.strip(), value


def encode_reply(reply: CommandReply, encoding: str = "utf-8") -> bytes:
    """Write an answer in the form that the section of its command gives it (12, 13).

    Most are one line; the options of INFO follow it, one a line; those of GetFile, PutFile and
    SHELL have one key a line, and what has content ends with it, without LF: nothing may follow in
    its body. `ValueError` if a value would end its line, or content has no place in the form.
    """
    order = _ONE_A_LINE.get(reply.command)
    if reply.content is not None and reply.command not in _WITH_CONTENT:
        raise ValueError(f"the answer to {reply.command} has no content")
    head = {"ID": reply.id, "Return": str(reply.return_code), "CMD": reply.command}
    if reply.return_code is None:
        del head["Return"]
    said = {**head, **reply.values}
    keys = said if order is None else dict.fromkeys((*order, *said))
    pairs = [f"{key}={said[key]}" for key in keys if key in said]
    if reply.command == _OPTIONS:
        pairs = ["&".join(pairs[: len(head)]), *pairs[len(head) :]]
    elif order is None:
        pairs = ["&".join(pairs)]
    if any(character in pair for pair in pairs for character in "\r\n"):
        raise ValueError("a value in an answer is one line")
    text = "".join(f"{pair}\n" for pair in pairs).encode(encoding, "replace")
    return text if reply.content is None else text + b"Content=" + reply.content

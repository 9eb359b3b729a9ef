"""Command replies (spec 13): answers of terminals to executed commands.

A reply is `ID=…&Return=…&CMD=…`, several joined by LF; or one key a line. The reply to INFO
continues with one option a line. Replies to GetFile and SHELL end with `Content=` and bytes up to
the end of the body. Terminals also separate pairs by TAB, put them into the query string, and omit
everything but the ID.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from .options import MOST_CHARACTERS, MOST_OPTIONS
from .reasons import NO_REPLY
from .records import split_lines
from .rejects import Reject, RejectList
from .text import decode_line

TABLE = "devicecmd"
"""The table name of rejects of unreadable answers."""
MOST_REPLIES = 10_000
"""Maximum number of answers in one body, which equals the largest batch of commands."""
_START = re.compile(
    # The first `ID=` of a line ends the pairs before it, so that none is tried twice.
    rb"(?:\A|\n)(?:(?!ID=)[A-Za-z]++=[^&\t\n]*+[&\t])*+ID=",
    re.IGNORECASE,
)
_CONTENT = re.compile(
    rb"(?:\A|\n)(?:(?!Content=)[A-Za-z]++=[^&\t\n]*+[&\t])*+(?P<content>Content=)", re.IGNORECASE
)
_AHEAD = re.compile(rb"[\r\n]*(?P<key>Return|CMD)=[^&\t\r\n]*\r?\n", re.IGNORECASE)
"""A line before the ID, in answers that have one key a line and begin with another key."""
_RETURN_LINE = re.compile(rb"^Return=", re.IGNORECASE | re.MULTILINE)
_CMD_LINE = re.compile(rb"^CMD=", re.IGNORECASE | re.MULTILINE)
_SEPARATOR = re.compile(r"[&\t]")
_NOT_ONE_VALUE = re.compile(r"[\x00-\x1f&=\ud800-\udfff]")
"""Characters that no value in the head of an answer contains."""
_TERMINAL = "sn"
"""The argument that every request has and that is not part of an answer."""
_RETURN = re.compile(r"-?[0-9]{1,10}\Z", re.ASCII)
_HEAD = ("id", "return", "cmd")
_MOST_PAIRS = 2 * MOST_OPTIONS
"""Maximum number of pairs split from a line."""
_OPTIONS = "INFO"
"""The command whose answer continues with one option a line (spec 12.4.3)."""
_WITH_CONTENT = ("GetFile", "Shell")
_ONE_A_LINE = {
    "GetFile": ("ID", "SN", "FILENAME", "CMD", "Return"),
    "PutFile": ("ID", "Return", "CMD"),
    "Shell": ("ID", "SN", "Return", "CMD", "FILENAME"),
}
"""Keys of answers with one key a line, in the order of their sections (spec 12.5, 12.8.1)."""


class CommandReply(msgspec.Struct, frozen=True):
    """A terminal's answer to one command."""

    id: str
    """The CmdID of the command."""
    return_code: int | None
    """Return code (Appendix 1): 0 for success, or a size, a count or an error; None if the terminal
    sent none, which counts as success."""
    command: str
    """The terminal's name for the command."""
    values: dict[str, str] = {}
    """All other values, such as the options after INFO."""
    content: bytes | None = None
    """The bytes after `Content=`."""


_NONE: Mapping[str, str] = {}


def decode_replies(
    body: bytes, encoding: str, arguments: Mapping[str, str] = _NONE
) -> tuple[list[CommandReply], list[Reject]]:
    """Decode the answers in the body and the arguments of a request.

    If only the arguments have an ID, the body continues that answer. Never raises: unreadable
    answers become rejects.
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
        # The body has its own answers, which may include the one in the arguments.
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
    """Encode arguments that hold an answer as a line, to be stored; empty if they hold none."""
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
        rejects.add(TABLE, NO_REPLY, body)
    return replies, rejects.of_body(TABLE, body)


def _parts(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Split a body before each line that contains `ID=`, whatever precedes it in the line.

    Yields each part with its start offset.
    """
    found = itertools.islice(_START.finditer(text), MOST_REPLIES + 1)
    starts = [start.start() for start in found]
    if starts and text[: starts[0]].strip():
        starts = _ahead(text, starts) or [0, *starts]
    for start, end in itertools.pairwise([*starts, len(text)]):
        part = text[start:end].lstrip(b"\r\n")
        yield end - len(part), part.rstrip(b"\r\n")


def _ahead(text: bytes, ids: Sequence[int]) -> list[int]:
    """Start offsets of answers whose result line precedes the ID; empty unless all do.

    `ids` are the offsets of the lines that contain an ID.
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
    """Decode one answer; also returns whether it is complete."""
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
    """The `Key=Value` pairs of a line; with `whole_line`, the value may contain `&` and TAB.

    Text without `=` becomes a key without a value, so that it does not cost the return code.
    """
    for pair in [text] if whole_line else _SEPARATOR.split(text, _MOST_PAIRS):
        key, _, value = pair.partition("=")
        if key.strip():
            yield key.strip(), value


def encode_reply(reply: CommandReply, encoding: str = "utf-8") -> bytes:
    """Encode an answer in the format of its command's section (spec 12, 13).

    Most answers are one line. The options of INFO follow it, one a line. Answers to GetFile,
    PutFile and SHELL have one key a line; content comes last, without LF, so that nothing may
    follow it in the body. Raises `ValueError` if a value contains a line end, or the format has no
    content.
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

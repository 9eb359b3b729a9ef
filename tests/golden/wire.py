"""Conversations with the server as text files: read, replayed, and written back.

A file starts with a description and the settings of the server, and then holds one step after
another:

    A terminal uploads its punches.
    settings: {"admission": "open"}

    == Two punches
    >> terminal 192.0.2.7
    POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=9 HTTP/1.1\r\n
    Content-Length: 27\r\n
    \r\n
    1\t2026-03-01 08:00:00\t0\t1\n
    <<
    HTTP/1.1 200 OK\r\n
    ...

    == Ten minutes later
    >> clock 600

`>> api` goes to the management endpoint. Bytes are written as in Python's bytes literals, one line
for each LF; a line without `\n` continues on the next one. Random values that the server makes are
named in order of appearance: `{id1}`, `{secret1}`, `{token1}`, `{person1}`. Requests may use the
names.
`{admin}` is the token of the operator, and `{date}` the date of a reply of the API.

The API shows a terminal with all its attributes. Those without a value are left out here, and the
length of such a reply is `{length}`, so that a new attribute changes `openapi.json` alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import attrs

from ..rig import TOKEN, Rig, everything, talk

_WIDTH = 160
_RANDOM = {
    "token": re.compile(rb"(?<=token=)[0-9a-f]{32}(?![0-9a-f])"),
    "secret": re.compile(rb"(?<=file/)[0-9a-z]{26}(?![0-9a-z])"),
    "person": re.compile(rb"(?<=person:)[0-9a-f]{20}(?![0-9a-f])"),
    "id": re.compile(rb"(?<![0-9a-z])mm[0-9a-z]{12}(?![0-9a-z])"),
}
"""The values that are random; CmdIDs start with the time of the rig's clock."""
_NAME = re.compile(rb"\{[a-z]+[0-9]*\}")
_API_DATE = re.compile(rb"(?<=\r\nDate: )[^\r]+")
"""twisted.web has no other clock than the machine's."""
_LENGTH = re.compile(rb"(?<=\r\nContent-Length: )[0-9]+")
_TERMINAL = {"sn", "session", "last_seen_at"}
"""Fields of the view of a terminal."""


@attrs.frozen
class Step:
    """A request and its reply, or a turn of the clock."""

    title: str
    to: Sequence[str]
    """`terminal ADDRESS`, `api` or `clock SECONDS`."""
    request: bytes = b""
    reply: bytes = b""


@attrs.frozen
class Conversation:
    """The content of a file."""

    about: str
    settings: dict[str, Any]
    steps: Sequence[Step]


class Names:
    """Names of random values, in order of appearance."""

    def __init__(self) -> None:
        self._names: dict[bytes, bytes] = {}
        self._counts = dict.fromkeys(_RANDOM, 0)

    def hide(self, raw: bytes) -> bytes:
        """Replace random values by their names."""
        for kind, pattern in _RANDOM.items():
            for value in pattern.findall(raw):
                if value not in self._names:
                    self._counts[kind] += 1
                    self._names[value] = b"{%b%d}" % (kind.encode(), self._counts[kind])
        for value, name in self._names.items():
            raw = raw.replace(value, name)
        return raw

    def fill(self, raw: bytes) -> bytes:
        """Replace names by the values."""
        for value, name in self._names.items():
            raw = raw.replace(name, value)
        raw = raw.replace(b"{admin}", TOKEN.encode())
        unknown = _NAME.findall(raw)
        if unknown:
            raise ValueError(f"no reply before this request has {unknown}")
        return raw


def parse(text: str) -> Conversation:
    """Read a file."""
    head, *parts = text.split("\n\n== ")
    about, _, settings = head.partition("\nsettings: ")
    return Conversation(about, json.loads(settings), [_step(part) for part in parts])


def render(conversation: Conversation) -> str:
    """Write a file."""
    head = f"{conversation.about}\nsettings: {json.dumps(conversation.settings)}"
    parts = [head]
    for step in conversation.steps:
        lines = [step.title, f">> {' '.join(step.to)}"]
        if step.to[0] != "clock":
            lines += [*_lines(step.request), "<<", *_lines(step.reply)]
        parts.append("\n".join(lines))
    return "\n\n== ".join(parts) + "\n"


async def replay(conversation: Conversation, rig: Rig) -> Conversation:
    """Send the requests to a server, and return the conversation with its replies."""
    names, steps = Names(), []
    for step in conversation.steps:
        where, *more = step.to
        if where == "clock":
            rig.clock.advance(float(more[0]))
            steps.append(step)
            continue
        request = names.fill(step.request)
        site = rig.manage if where == "api" else rig.terminals
        if b"Connection: close" in request:
            raw = await everything(site, request, *more)
        else:
            raw = (await talk(site, request, *more)).raw
        if where == "api":
            raw = _without_unset_attributes(_API_DATE.sub(b"{date}", raw, count=1))
        steps.append(attrs.evolve(step, reply=names.hide(raw)))
    return attrs.evolve(conversation, steps=steps)


def _without_unset_attributes(raw: bytes) -> bytes:
    """Leave the attributes without a value out of the terminals in a JSON reply."""
    head, _, body = raw.partition(b"\r\n\r\n")
    if b"application/json" not in head or not body:
        return raw
    content = json.loads(body)
    listed = content.get("items", [])
    terminals = [
        one for one in (content, *listed) if isinstance(one, dict) and one.keys() >= _TERMINAL
    ]
    if not terminals:
        return raw
    for one in terminals:
        for name in [name for name, value in one.items() if not value and value != 0]:
            del one[name]
    shown = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return _LENGTH.sub(b"{length}", head) + b"\r\n\r\n" + shown


def _step(part: str) -> Step:
    title, to, *lines = part.rstrip("\n").split("\n")
    where = to.removeprefix(">> ").split()
    if where[0] == "clock":
        return Step(title, where)
    ends = lines.index("<<") if "<<" in lines else len(lines)
    return Step(title, where, _bytes(lines[:ends]), _bytes(lines[ends + 1 :]))


def _bytes(lines: Sequence[str]) -> bytes:
    return "".join(lines).encode("latin-1").decode("unicode_escape").encode("latin-1")


def _lines(raw: bytes) -> list[str]:
    return [
        line[start : start + _WIDTH].decode("latin-1").encode("unicode_escape").decode()
        for line in re.findall(rb"[^\n]*\n|[^\n]+", raw)
        for start in range(0, len(line), _WIDTH)
    ]

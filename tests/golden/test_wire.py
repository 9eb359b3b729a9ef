"""The server replies to terminals and API callers as in the recorded conversations."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Awaitable, Callable

import pytest
import pytest_twisted

from zkpush.protocol.exchange import STAMPS

from ..declared import COMMANDS, RECORD_TABLES
from ..rig import Rig
from .wire import Conversation, parse, render, replay

FOLDER = pathlib.Path(__file__).parent / "wire"
NAMES = sorted(file.name for file in FOLDER.glob("*.txt"))
REFUSALS = {400, 403, 404, 405, 413, 416, 429}
"""Statuses of refusals. 408 and 503 answer requests that never end, and a server that is full or
cannot store (tests/server/test_limits.py)."""


def conversations() -> list[Conversation]:
    """The recorded conversations."""
    return [parse((FOLDER / name).read_text(encoding="utf-8")) for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
@pytest_twisted.ensureDeferred
async def test_the_server_replies_as_recorded(
    name: str, make_rig: Callable[..., Awaitable[Rig]], golden: Callable[[str, str], None]
) -> None:
    """Every reply is the same, byte for byte."""
    recorded = parse((FOLDER / name).read_text(encoding="utf-8"))
    replayed = await replay(recorded, await make_rig(**recorded.settings))
    golden(f"wire/{name}", render(replayed))


def test_every_kind_of_record_is_uploaded() -> None:
    """Each table and keyword, each data type with a stamp, and a packed body are recorded."""
    sent = b"\n".join(step.request for held in conversations() for step in held.steps)
    names = {table.keyword or table.name for table in RECORD_TABLES}
    names |= {name for name, _, _ in STAMPS}
    missing = {
        name
        for name in names
        if not re.search(rb"(?m)(?:[?&]table=%b[&\s]|^%b )" % (name.encode(), name.encode()), sent)
    }
    assert missing == set()
    assert b"&ContentType=tgz" in sent


def test_every_command_is_sent_and_answered() -> None:
    """Each command of the catalogue is queued, delivered to a poll and answered."""
    missing = {command.name for command in COMMANDS}
    for held in conversations():
        text = b"\n".join(step.request + step.reply for step in held.steps)
        answered = set(re.findall(rb"ID=(\{id\d+\})", text))
        for id_, line in re.findall(rb"(?m)^C:(\{id\d+\}):(.+)$", text):
            if id_ in answered:
                missing = {name for name in missing if not line.startswith(name.encode())}
    assert missing - {"RAW"} == set()


def test_every_refusal_is_recorded() -> None:
    """Each status of a refusal is among the replies to terminals."""
    statuses = {
        int(step.reply.split(b" ")[1])
        for held in conversations()
        for step in held.steps
        if step.to[0] == "terminal"
    }
    assert statuses >= REFUSALS

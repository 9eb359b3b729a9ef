"""Every command that there is, to every model: it is answered, whatever it says."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.protocol.strategies import commands, parameters_of
from zkpush.protocol.codes import ReturnCode
from zkpush.protocol.commands import FileFacts, command_text
from zkpush.protocol.fields import Command, Writing
from zkpush.protocol.replies import decode_replies
from zkpush.simulator import executor
from zkpush.simulator.link import LinkError, Part
from zkpush.simulator.model import MODELS, Model
from zkpush.simulator.terminal import SimulatedTerminal

from ..declared import COMMANDS
from .asked import HYBRID

FILE = FileFacts("file/1/emfw.cfg", "0" * 32, 1)


class Answering:
    """A server that takes everything at once, and has no files."""

    can_encrypt = False

    def __init__(self) -> None:
        self.answers: list[bytes] = []

    def start_over(self) -> None:
        """Be as plain as before."""

    async def get(self, path: str, **arguments: str) -> bytes:
        """Answer the exchange."""
        return HYBRID

    async def post(self, path: str, body: bytes, **arguments: str) -> bytes:
        """Take an answer, or an upload."""
        if path == "devicecmd":
            self.answers.append(body)
        return b"OK"

    async def part(self, path: str, first: int, most: int, **arguments: str) -> Part:
        """Have no file."""
        raise LinkError("404")


def executed(model: Model, lines: list[bytes]) -> list[bytes]:
    """The bodies of the answers to some commands."""
    link = Answering()
    terminal = SimulatedTerminal("SIM1", 3, link, Clock(), random.Random(1), model=model)

    async def work() -> None:
        await terminal.exchange()
        for number, line in enumerate(lines):
            await terminal.executor.execute(str(number), line)

    done: list[object] = []
    Deferred.fromCoroutine(work()).addBoth(done.append)
    assert done == [None]
    return link.answers


@pytest.mark.long
@given(st.data(), st.lists(commands(), min_size=1, max_size=5), st.sampled_from(list(MODELS)))
def test_whatever_can_be_queued_is_answered(
    data: st.DataObject, several: list[Command], name: str
) -> None:
    """Each command has one answer, with its CMD, and a code that the protocol has."""
    model = MODELS[name]
    lines = [
        command_text(command, data.draw(parameters_of(command)), FILE).encode(
            "utf-8" if command.utf8 else model.encoding, "replace"
        )
        for command in several
    ]
    for number, (command, body) in enumerate(zip(several, executed(model, lines), strict=True)):
        (reply,), rejects = decode_replies(body, model.encoding)
        assert (reply.id, reply.command, rejects) == (str(number), command.reply, [])
        assert reply.return_code >= 0 or reply.return_code in list(ReturnCode)


@given(st.lists(st.binary().filter(lambda line: b"\n" not in line), max_size=3))
def test_whatever_comes_is_answered(lines: list[bytes]) -> None:
    """Rubbish is not supported, and stops nothing."""
    for body in executed(MODELS["att"], lines):
        assert b"-1002" in body


@pytest.mark.parametrize(
    "command",
    [one for one in COMMANDS if one.writing is not Writing.RAW],
    ids=lambda command: command.name,
)
def test_every_command_has_somebody_who_executes_it(command: Command) -> None:
    """No command of the catalogue is one that simulated terminals do not know."""
    assert executor.find_execute(command.name) is not None

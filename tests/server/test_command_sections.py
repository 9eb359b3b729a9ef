"""Every command of 12, from the API to a simulated terminal and back."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
import pytest_twisted

from zkpush.crypto.terminal import TerminalCipher
from zkpush.handlers.entries.tables import SMS, WORKCODE
from zkpush.handlers.people.tables import USER
from zkpush.protocol.envelope import can_encrypt
from zkpush.simulator.biometrics import FINGER_VEIN, FINGERPRINT, INFRARED_FACE, PALM, VISIBLE_FACE
from zkpush.simulator.link import Link
from zkpush.simulator.model import Model
from zkpush.simulator.record import Record, RecordForm
from zkpush.simulator.terminal import SimulatedTerminal

from ..declared import COMMANDS
from ..rig import TOKEN, Rig, talk
from ..simulator.network import SERVER, Network
from ..simulator.test_sections import ADA, PUNCH, template
from ..stated import stated
from .command_case import NEWEST, Case
from .control_cases import CONTROL_CASES
from .data_cases import DATA_CASES

CASES = [*DATA_CASES, *CONTROL_CASES, *stated("CASES")]
_SECRET = re.compile(rb"file/[0-9a-z]{26}/")


class Tapped(Link):
    """A link that remembers what goes over it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.posted: list[tuple[str, bytes]] = []
        self.polled: list[bytes] = []

    async def get(self, path: str, **arguments: str) -> bytes:
        """Remember the replies to polls."""
        reply = await super().get(path, **arguments)
        if path == "getrequest":
            self.polled.append(reply)
        return reply

    async def post(self, path: str, body: bytes, **arguments: str) -> bytes:
        """Remember what is sent."""
        self.posted.append((path, body))
        return await super().post(path, body, **arguments)


async def terminal_of(
    rig: Rig, model: Model, *, encrypt: bool = False
) -> tuple[SimulatedTerminal, Tapped]:
    """A terminal that holds Ada with all she has, and has told the server of it."""
    cipher = TerminalCipher("SIM1") if encrypt else None
    link = Tapped(Network(rig.terminals).agent, SERVER, "SIM1", rig.clock, cipher)
    terminal = SimulatedTerminal("SIM1", 1, link, rig.clock, random.Random(1), model=model)
    await terminal.exchange()
    terminal.keep(Record(ADA.user(card_bytes=False), USER.transfer[:1]))
    for algorithm in (FINGERPRINT, INFRARED_FACE, FINGER_VEIN, PALM, VISIBLE_FACE):
        if algorithm in model.algorithms:
            terminal.keep(template(algorithm))
    terminal.keep(Record(ADA.user_photo()))
    terminal.keep(Record(ADA.comparison_photo(VISIBLE_FACE), type=VISIBLE_FACE.type))
    terminal.keep(Record(RecordForm(SMS, {"message": "Hi", "tag": 254, "number": 1})))
    terminal.keep(Record(RecordForm(WORKCODE, {"index": "1", "code": "10", "name": "Assembly"})))
    terminal.keep(PUNCH.record())
    terminal.keep(PUNCH.photo(ADA.picture))
    await terminal.upload()
    assert terminal.waiting == 0
    return terminal, link


async def add_file(rig: Rig, name: str, content: bytes) -> None:
    """Add a file as an operator does."""
    head = (
        f"POST /api/v1/files?name={name} HTTP/1.1\r\nHost: server\r\n"
        f"Authorization: Bearer {TOKEN}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    response = await talk(rig.manage, head.encode() + content)
    assert response.status == 201, response.raw


async def queue(rig: Rig, command: str, params: dict[str, str]) -> str:
    """Queue a command as an operator does; its CmdID."""
    body = {"command": command, "params": params}
    response = await rig.api("POST", "/devices/SIM1/commands", body)
    assert response.status == 202, response.raw
    command_id: str = response.json["id"]
    return command_id


def filled(text: str | bytes, command_id: str) -> bytes:
    """The bytes of a text, with the CmdID where it says so."""
    raw = text.encode() if isinstance(text, str) else text
    return raw.replace(b"{id}", command_id.encode())


def test_every_command_has_its_case() -> None:
    """There is no command in the catalogue whose line and answer are not shown here."""
    assert {case.command for case in CASES} == {command.name for command in COMMANDS}


@pytest.mark.parametrize("encrypt", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.section} {case.command}")
@pytest_twisted.ensureDeferred
async def test_a_command_is_sent_and_answered_as_its_section_says(
    rig: Rig, case: Case, encrypt: bool
) -> None:
    """Queued by the API, a command is exactly this line, is answered so, and ends so.

    So it is in an encrypted session, where the terminal is of a version that has them.
    """
    terminal, link = await terminal_of(rig, case.model, encrypt=encrypt)
    assert link.is_sealed is (encrypt and can_encrypt(str(case.model.version)))
    if case.file is not None:
        await add_file(rig, *case.file)
    command_id = await queue(rig, case.command, case.params)
    link.posted.clear()
    assert await terminal.poll() is True
    polled = [_SECRET.sub(b"file/SECRET/", reply) for reply in link.polled]
    assert polled == [f"C:{command_id}:".encode() + filled(case.line, command_id) + b"\n"]
    answered = [path for path, _ in link.posted].index("devicecmd")
    assert link.posted[answered] == ("devicecmd", filled(case.answer, command_id))
    uploads = [body for _, body in link.posted[:answered]]
    assert len(uploads) == len(case.uploads or case.begins)
    for body, start in zip(uploads, case.begins, strict=False):
        assert body.startswith(start)
    assert case.begins or tuple(uploads) == case.uploads
    await terminal.poll()
    shown = (await rig.api("GET", f"/commands/{command_id}")).json
    assert shown["command"] == case.command
    assert (shown["state"], shown["return_code"]) == (case.state, case.code)
    assert (shown["meaning"], shown["result"]) == (case.meaning, case.result)
    assert await rig.items("/rejects") == []


@pytest_twisted.ensureDeferred
async def test_two_queries_for_the_same_have_each_their_own_records(rig: Rig) -> None:
    """Records that several commands of one poll ask for are counted for one after the other."""
    terminal, _ = await terminal_of(rig, NEWEST)
    params = {"PIN": "14"}
    ids = [await queue(rig, "DATA QUERY USERINFO", params) for _ in range(2)]
    await terminal.poll()
    for command_id in ids:
        shown = (await rig.api("GET", f"/commands/{command_id}")).json
        assert (shown["state"], shown["result"]) == ("done", {"records": "1"})

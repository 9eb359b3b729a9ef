"""The queue where things go wrong: replies lost, answers lost, restarts, doubles; and at length."""

from __future__ import annotations

import pytest
import pytest_twisted
from sqlalchemy import event
from twisted.python.threadable import isInIOThread

from zkpush.protocol.fields import Scope
from zkpush.protocol.replies import decode_replies

from ..declared import COMMANDS
from ..rig import Rig, talk

POLL = "getrequest?SN=T1"
LEASE = 300
OTHER = {"command": "DATA UPDATE USERINFO", "params": {"PIN": "8", "Name": "Bob"}}
USER = {"command": "DATA UPDATE USERINFO", "params": {"PIN": "7", "Name": "Ann"}}


async def queue(rig: Rig, body: dict, *headers: str, sn: str = "T1", status: int = 202) -> dict:
    """Queue a command by the API."""
    token = "Authorization: Bearer rig-token"
    reply = await rig.api("POST", f"/devices/{sn}/commands", body, headers=(token, *headers))
    assert reply.status == status, reply.raw
    return reply.json


async def shown(rig: Rig, command_id: str) -> dict:
    """A command, as the API shows it."""
    return (await rig.api("GET", f"/commands/{command_id}")).json


async def answer(rig: Rig, command_id: str, code: int = 0, sn: str = "T1") -> None:
    """Answer a command as a terminal."""
    body = f"ID={command_id}&Return={code}&CMD=DATA".encode()
    assert (await rig.post(f"devicecmd?SN={sn}", body)).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_reply_that_is_lost_is_sent_again_with_the_same_id(rig: Rig) -> None:
    """The terminal never gets the poll's reply; after the lease it gets the same line."""
    await rig.exchange()
    command = await queue(rig, USER)
    lost = (await rig.get(POLL)).body
    assert lost == f"C:{command['id']}:DATA UPDATE USERINFO PIN=7\tName=Ann\n".encode()
    rig.clock.advance(LEASE)
    assert (await rig.get(POLL)).body == lost
    await answer(rig, command["id"])
    ended = await shown(rig, command["id"])
    assert (ended["state"], ended["attempts"]) == ("done", 2)


@pytest_twisted.ensureDeferred
async def test_an_answer_that_is_lost_makes_the_terminal_answer_once_more(rig: Rig) -> None:
    """The command goes out again, and the second answer ends it; a third one changes nothing."""
    await rig.exchange()
    command = await queue(rig, USER)
    await rig.get(POLL)  # executed, and its answer lost
    rig.clock.advance(LEASE)
    await rig.get(POLL)
    await answer(rig, command["id"], 0)
    await answer(rig, command["id"], -1)
    assert (await shown(rig, command["id"]))["return_code"] == 0
    assert (await rig.get(POLL)).body == b"OK"


@pytest.mark.parametrize("step", ["queued", "sent", "answered"])
@pytest_twisted.ensureDeferred
async def test_a_restart_at_each_step_loses_and_doubles_nothing(
    make_rig, tmp_path, step: str
) -> None:
    """A daemon that takes over knows what was queued, what was sent, and what is done."""
    database = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    before = await make_rig(database=database)
    await before.exchange()
    command = await queue(before, USER)
    line = f"C:{command['id']}:DATA UPDATE USERINFO PIN=7\tName=Ann\n".encode()
    if step != "queued":
        assert (await before.get(POLL)).body == line
    if step == "answered":
        await answer(before, command["id"])
    await before.stop()

    after = await make_rig(database=database)
    assert (await after.get(POLL)).body == (line if step == "queued" else b"OK")
    after.clock.advance(LEASE)
    assert (await after.get(POLL)).body == (b"OK" if step == "answered" else line)
    await answer(after, command["id"])
    ended = await shown(after, command["id"])
    assert (ended["state"], ended["return_code"]) == ("done", 0)
    after.clock.advance(LEASE)
    assert (await after.get(POLL)).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_an_answer_to_what_was_not_sent_yet_ends_it_all_the_same(rig: Rig) -> None:
    """A terminal that answers a queued command has had it: from a node that died, say."""
    await rig.exchange()
    command = await queue(rig, USER)
    await answer(rig, command["id"])
    assert (await shown(rig, command["id"]))["state"] == "done"
    assert (await rig.get(POLL)).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_an_answer_after_the_end_is_recorded(make_rig) -> None:
    """Expired and cancelled commands say what the terminal did all the same, and stay ended."""
    rig = await make_rig(commands={"attempts": 1, "lease_seconds": 10})
    await rig.exchange()
    expired, cancelled = await queue(rig, USER), await queue(rig, OTHER)
    await rig.get(POLL)
    assert (await rig.api("DELETE", f"/commands/{cancelled['id']}")).status == 204
    rig.clock.advance(10)
    assert (await rig.get(POLL)).body == b"OK"
    for command in (expired, cancelled):
        before = await shown(rig, command["id"])
        assert (before["return_code"], before["answered_at"]) == (None, None)
        await answer(rig, command["id"])
        await answer(rig, command["id"], -1)
        after = await shown(rig, command["id"])
        assert (after["state"], after["return_code"]) == (before["state"], 0)
        assert after["meaning"] == "Successful"
        assert after["reason"] == f"{before['reason']} The terminal answered it afterwards."
    states = [(await shown(rig, command["id"]))["state"] for command in (expired, cancelled)]
    assert states == ["expired", "cancelled"]
    assert (await rig.get(POLL)).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_command_has_a_lifetime(make_rig) -> None:
    """What a terminal has not taken for too long is given up, without a poll."""
    rig = await make_rig(commands={"lifetime_days": 1})
    await rig.exchange()
    command = await queue(rig, USER)
    rig.clock.advance(86_400)
    fresh = await queue(rig, OTHER)
    assert await rig.daemon.queue.end_overdue() == 0
    rig.clock.advance(1)
    assert await rig.daemon.queue.end_overdue() == 1
    assert (await shown(rig, command["id"]))["state"] == "expired"
    assert (await shown(rig, fresh["id"]))["state"] == "queued"


@pytest_twisted.ensureDeferred
async def test_the_same_key_is_the_same_command(rig: Rig) -> None:
    """An Idempotency-Key that comes again gives the command of before, and queues no other."""
    await rig.exchange("T1")
    await rig.exchange("T2")
    key = "Idempotency-Key: 8e03978e-40d5-43e8-bc93-6894a57f9324"
    first = await queue(rig, USER, key)
    assert await queue(rig, USER, key) == first
    other = await queue(rig, USER, key, sn="T2")
    assert other["id"] != first["id"]
    assert (await rig.get(POLL)).body.count(b"\n") == 1
    changed = {"command": "DATA UPDATE USERINFO", "params": {"PIN": "8"}}
    reused = await queue(rig, changed, key, status=409)
    assert "another command" in reused["detail"]
    await answer(rig, first["id"])
    assert (await queue(rig, USER, key))["state"] == "done"
    for bad in ("x" * 256, ""):
        await queue(rig, USER, f"Idempotency-Key: {bad}", status=400)


@pytest_twisted.ensureDeferred
async def test_a_command_is_written_in_the_terminals_encoding(rig: Rig) -> None:
    """GB2312 for terminals set to Simplified Chinese, UTF-8 for all others."""
    await rig.exchange("T1", language="83")
    await rig.exchange("T2")
    named = {"command": "DATA UPDATE USERINFO", "params": {"PIN": "7", "Name": "王小明"}}
    for sn, encoding in (("T1", "gb2312"), ("T2", "utf-8")):
        await queue(rig, named, sn=sn)
        line = (await rig.get(f"getrequest?SN={sn}")).body
        assert line.endswith("PIN=7\tName=王小明\n".encode(encoding))


@pytest_twisted.ensureDeferred
async def test_the_catalogue_says_what_there_is(rig: Rig) -> None:
    """Every command, with its parameters, types, meaning and scope."""
    catalogue = {item["command"]: item for item in await rig.items("/commands/catalogue")}
    assert catalogue.keys() == {command.name for command in COMMANDS}
    user = catalogue["DATA UPDATE USERINFO"]
    assert (user["scope"], user["section"], user["since"]) == ("write", "12.1.1.1", "2.2.14")
    privilege = next(param for param in user["params"] if param["name"] == "Pri")
    assert (privilege["type"], privilege["choices"]) == ("integer", [0, 2, 6, 10, 14])
    password = next(param for param in user["params"] if param["name"] == "Passwd")
    assert (password["secret"], password["required"]) == (True, False)
    assert catalogue["SHELL"]["scope"] == "dangerous"


@pytest_twisted.ensureDeferred
async def test_a_dangerous_command_needs_its_scope(rig: Rig) -> None:
    """A token that may send ordinary commands sends no SHELL; secrets need `biometrics`."""
    await rig.exchange()
    tokens = {
        "writer": await rig.token("writer", Scope.WRITE, Scope.READ),
        "danger": await rig.token("danger", *Scope),
    }

    async def ask(method: str, path: str, token: str, body: bytes = b""):
        head = (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: h\r\n"
            f"Authorization: Bearer {tokens[token]}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return await talk(rig.manage, head.encode() + body)

    shell = b'{"command": "SHELL", "params": {"command": "reboot"}}'
    refused = await ask("POST", "/devices/T1/commands", "writer", shell)
    assert (refused.status, "dangerous" in refused.json["detail"]) == (403, True)
    assert (await ask("POST", "/devices/T1/commands", "danger", shell)).status == 202
    secret = b'{"command": "DATA UPDATE USERINFO", "params": {"PIN": "7", "Passwd": "4711"}}'
    queued = await ask("POST", "/devices/T1/commands", "writer", secret)
    assert queued.json["params"] == {"PIN": "7", "Passwd": None}
    path = f"/commands/{queued.json['id']}"
    assert b"4711" not in (await ask("GET", path, "writer")).body
    assert (await ask("GET", path, "danger")).json["params"]["Passwd"] == "4711"


@pytest_twisted.ensureDeferred
async def test_a_long_answer_holds_up_nobody_else(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read on a thread, as long uploads are; a short one is read at once."""
    threads_seen: list[bool] = []

    def decoding(*arguments: object) -> object:
        threads_seen.append(isInIOThread())
        return decode_replies(*arguments)

    monkeypatch.setattr("zkpush.resources.attendance.family.decode_replies", decoding)
    await rig.exchange()
    for body in (b"ID=1&Return=0&CMD=INFO\n" + b"k=1\n" * 40_000, b"ID=1&Return=0&CMD=DATA"):
        assert (await rig.post("devicecmd?SN=T1", body)).body == b"OK"
    assert threads_seen == [False, True]


@pytest_twisted.ensureDeferred
async def test_an_answer_without_an_effect_takes_three_statements(rig: Rig) -> None:
    """Find the command, end it, look for the next one; events are written with the commit."""
    await rig.exchange()
    command = await queue(rig, {"command": "REBOOT"})
    await rig.get(POLL)
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_others) -> None:
        seen.append(statement.split()[0])

    await rig.store.write(lambda tx: event.listen(tx.connection, "before_cursor_execute", note))
    await answer(rig, command["id"])
    assert seen == ["SELECT", "UPDATE", "SELECT"]
    assert (await shown(rig, command["id"]))["state"] == "done"


@pytest_twisted.ensureDeferred
async def test_of_two_answers_in_one_body_the_first_one_counts(rig: Rig) -> None:
    """The second one changes nothing, and the body is acknowledged."""
    await rig.exchange()
    command = await queue(rig, {"command": "SET OPTION", "params": {"key": "X", "value": "1"}})
    await rig.get(POLL)
    lines = "\n".join(f"ID={command['id']}&Return={code}&CMD=SET OPTION" for code in (-1, 0))
    assert (await rig.post("devicecmd?SN=T1", lines.encode())).body == b"OK"
    ended = await shown(rig, command["id"])
    assert (ended["state"], ended["return_code"]) == ("failed", -1)
    assert "X" not in (await rig.api("GET", "/devices/T1")).json["options"]

"""Commands outside the catalogue, empty values, and large ones, through HTTP."""

from __future__ import annotations

import base64

import pytest_twisted

from zkpush.protocol.fields import Scope

from ..rig import Rig
from .test_queue import POLL, answer, queue, shown


@pytest_twisted.ensureDeferred
async def test_a_raw_line_is_sent_as_it_is_and_any_answer_ends_it(rig: Rig) -> None:
    """The line that the caller writes, with its TABs; a code of the terminal is its outcome."""
    await rig.exchange()
    line = "DATA UPDATE NEWTABLE A=1\tB=two"
    command = await queue(rig, {"command": "RAW", "params": {"line": line}})
    assert (await rig.get(POLL)).body == f"C:{command['id']}:{line}\n".encode()
    await rig.post("devicecmd?SN=T1", f"ID={command['id']}&Return=0&CMD=WHATEVER".encode())
    assert (await shown(rig, command["id"]))["state"] == "done"


@pytest_twisted.ensureDeferred
async def test_a_raw_line_is_for_callers_with_dangerous_and_hidden_from_others(rig: Rig) -> None:
    """It may be anything, so that it needs what SHELL needs."""
    await rig.exchange()
    writer = await rig.token("writer", Scope.READ, Scope.WRITE)
    headers = (f"Authorization: Bearer {writer}",)
    body = {"command": "RAW", "params": {"line": "LOG"}}
    path = "/devices/T1/commands"
    assert (await rig.api("POST", path, body, headers=headers)).status == 403
    command = await queue(rig, body)
    seen = await rig.api("GET", f"/commands/{command['id']}", headers=headers)
    assert seen.json["params"] == {"line": None}
    for line in ("LOG\nREBOOT", "LOG\rREBOOT", "", " LOG", "C:1:LOG"):
        wrong = {"command": "RAW", "params": {"line": line}}
        assert (await rig.api("POST", path, wrong)).status == 400


@pytest_twisted.ensureDeferred
async def test_no_raw_line_where_templates_are_switched_off(make_rig) -> None:
    """It could ask for templates, or send them."""
    rig = await make_rig(privacy={"templates": False})
    await rig.exchange()
    body = {"command": "RAW", "params": {"line": "DATA QUERY FINGERTMP PIN=1"}}
    reply = await rig.api("POST", "/devices/T1/commands", body)
    assert reply.status == 400
    assert "templates are switched off" in reply.json["detail"]


@pytest_twisted.ensureDeferred
async def test_an_option_that_is_asked_for_is_kept_with_the_terminal(rig: Rig) -> None:
    """The answer to GET OPTION FROM changes what the server knows, as that to INFO does."""
    await rig.exchange()
    command = await queue(rig, {"command": "GET OPTION FROM", "params": {"key": "~OS"}})
    assert (await rig.get(POLL)).body.endswith(b":GET OPTION FROM ~OS\n")
    said = f"ID={command['id']}&Return=0&CMD=GET OPTION FROM\n~OS=1\n"
    await rig.post("devicecmd?SN=T1", said.encode())
    assert (await rig.api("GET", "/devices/T1")).json["options"]["~OS"] == "1"


@pytest_twisted.ensureDeferred
async def test_all_users_of_a_terminal_can_be_asked_for(rig: Rig) -> None:
    """Without a PIN, the query is for everybody, and everybody counts."""
    await rig.exchange()
    command = await queue(rig, {"command": "DATA QUERY USERINFO", "params": {}})
    assert (await rig.get(POLL)).body == f"C:{command['id']}:DATA QUERY USERINFO\n".encode()
    users = b"USER PIN=1\tName=Ann\tPri=0\nUSER PIN=2\tName=Bo\tPri=0\n"
    await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", users)
    await answer(rig, command["id"])
    ended = await shown(rig, command["id"])
    assert (ended["state"], ended["result"]) == ("done", {"records": "2"})


@pytest_twisted.ensureDeferred
async def test_empty_values_are_sent_and_count_as_absent_where_one_is_needed(rig: Rig) -> None:
    """A caller may clear a value; a photo is needed all the same."""
    await rig.exchange()
    photo = {"PIN": "7", "Type": "9", "Content": "/9j/", "Url": ""}
    command = await queue(rig, {"command": "DATA UPDATE BIOPHOTO", "params": photo})
    assert command["params"] == photo
    assert b"\tContent=/9j/\tUrl=\n" in (await rig.get(POLL)).body
    for params in ({**photo, "Content": ""}, {**photo, "Format": "1"}, {**photo, "Size": "9"}):
        body = {"command": "DATA UPDATE BIOPHOTO", "params": params}
        assert (await rig.api("POST", "/devices/T1/commands", body)).status == 400


@pytest_twisted.ensureDeferred
async def test_a_large_photo_fits_and_the_limit_is_a_setting(make_rig) -> None:
    """Three megabytes of picture are four of base64."""
    content = base64.b64encode(bytes(3 * 1024 * 1024)).decode()
    body = {"command": "DATA UPDATE USERPIC", "params": {"PIN": "7", "Content": content}}
    for limit, status in ((16 * 1024 * 1024, 202), (64 * 1024, 413)):
        rig = await make_rig(limits={"command_bytes": limit})
        await rig.exchange()
        assert (await rig.api("POST", "/devices/T1/commands", body)).status == status
        many = {**body, "devices": ["T1"]}
        assert (await rig.api("POST", "/commands", many)).status == status

"""An exchange in a terminal's name changes nothing of a terminal that returns tokens."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.device.registry import ZONES_EVERY

from ..rig import Rig
from .test_identity_of_sessions import (
    BEGIN_AGAIN,
    HERE,
    IDLE,
    THERE,
    Client,
    begun,
    change,
    problems,
)

SIMPLIFIED_CHINESE = "83"
NAME = "Zoë"


async def visit(rig: Rig, address: str = THERE, stamp: str = "777", **hello: str) -> Client:
    """A stranger that makes an exchange, returns its token, and uploads a record with a stamp."""
    stranger = Client(rig, address)
    assert (await stranger.exchange(**hello)).status == 200
    reply = await stranger.ask(
        "POST", f"cdata?SN=T1&table=ATTLOG&Stamp={stamp}", b"9\t2026-01-05 08:00:00\t0\t1\n"
    )
    assert reply.body == b"OK: 1"
    return stranger


async def told(client: Client) -> dict[str, str]:
    """The options that an exchange of the client is answered with."""
    reply = await client.exchange()
    assert reply.status == 200
    lines = reply.body.decode().splitlines()[1:]
    return dict(line.split("=", 1) for line in lines)


async def a_while(rig: Rig) -> None:
    """Let the zones of all terminals be compared with what they were told."""
    rig.clock.advance(ZONES_EVERY)
    for _ in range(3):
        await rig.store.write(lambda tx: None)


@pytest_twisted.ensureDeferred
async def test_a_stranger_does_not_move_a_stamp(rig: Rig) -> None:
    """After a restart the terminal goes on where it was, and leaves no record out."""
    terminal = await begun(Client(rig))
    await visit(rig)
    assert (await told(terminal))["ATTLOGStamp"] == "1"


@pytest_twisted.ensureDeferred
async def test_a_stranger_moves_the_stamp_of_a_terminal_that_shows_no_token(rig: Rig) -> None:
    """Nothing tells the two apart: docs/security.md says so."""
    terminal = await begun(Client(rig, returns=False))
    await visit(rig)
    assert (await told(terminal))["ATTLOGStamp"] == "777"


@pytest_twisted.ensureDeferred
async def test_a_stranger_does_not_take_a_request_to_send_everything(rig: Rig) -> None:
    """An operator asks for all records: the terminal is told so, whoever makes exchanges before."""
    terminal = await begun(Client(rig))
    asked = await rig.api("POST", "/devices/T1/resend", {"table": "ATTLOG"})
    assert asked.status == 202, asked.raw
    await visit(rig)
    assert (await terminal.upload())[1] == b"OK: 1"
    assert (await told(terminal))["ATTLOGStamp"] == "0"


@pytest_twisted.ensureDeferred
async def test_a_stranger_does_not_change_how_a_terminal_is_read(rig: Rig) -> None:
    """Language, version, kind and attributes stay those of the terminal's own exchange."""
    terminal = await begun(Client(rig))
    before = (await rig.api("GET", "/devices/T1")).json
    await visit(
        rig, language=SIMPLIFIED_CHINESE, DeviceType="pid", pushver="2.4.0", Rumour="invented"
    )
    after = (await rig.api("GET", "/devices/T1")).json
    for name in ("language", "device_type", "push_version", "protocol_version", "attributes"):
        assert after[name] == before[name], name
    line = f"USER PIN=7\tName={NAME}\n".encode()
    reply = await terminal.ask("POST", "cdata?SN=T1&table=OPERLOG&Stamp=1", line)
    assert reply.body == b"OK: 1"
    assert [user["name"] for user in await rig.items("/users")] == [NAME]


@pytest_twisted.ensureDeferred
async def test_a_stranger_does_not_hide_a_change_of_the_zone(rig: Rig) -> None:
    """A terminal that has to set its clock is asked for its exchange until it makes one."""
    terminal = await begun(Client(rig))
    await change(rig, timezone="Asia/Tokyo")
    await visit(rig)
    await a_while(rig)
    assert await terminal.poll() == BEGIN_AGAIN
    assert (await told(terminal))["TimeZone"] == "9"
    await a_while(rig)
    assert await terminal.poll() == IDLE


@pytest_twisted.ensureDeferred
async def test_a_stranger_does_not_hide_a_change_of_an_option(rig: Rig) -> None:
    """Within a minute the terminal is asked for its exchange again, and is told the new value."""
    terminal = await begun(Client(rig))
    await change(rig, settings={"Delay": 33})
    await visit(rig)
    await a_while(rig)
    assert await terminal.poll() == BEGIN_AGAIN
    assert (await told(terminal))["Delay"] == "33"
    await a_while(rig)
    assert await terminal.poll() == IDLE


@pytest_twisted.ensureDeferred
async def test_a_stranger_who_came_first_keeps_tokens_from_counting(rig: Rig) -> None:
    """The terminal stays in the first row of docs/security.md, and has a problem that says so."""
    assert await Client(rig, THERE, returns=False).poll() == BEGIN_AGAIN
    assert (await Client(rig, HERE).exchange()).status == 200
    assert await Client(rig, THERE, returns=False).poll() == IDLE
    await begun(Client(rig))
    assert (await rig.api("GET", "/devices/T1")).json["returns_token"] is False
    assert "second session" in await problems(rig)
    await rig.api("PATCH", "/devices/T1", {"networks": [f"{HERE}/32"], "token": "check"})
    await begun(Client(rig))
    assert (await rig.api("GET", "/devices/T1")).json["returns_token"] is True


@pytest.mark.parametrize("way", ["token", "address", "pinned key"])
@pytest_twisted.ensureDeferred
async def test_the_terminal_s_own_exchange_counts(rig: Rig, way: str) -> None:
    """By a trusted token, from the address of one, or with the pinned pushcommkey."""
    key = {"pushcommkey": "a" * 32} if way == "pinned key" else {}
    terminal = Client(rig)
    await terminal.exchange(**key)
    await terminal.upload()
    if key:
        assert (await rig.pin(key["pushcommkey"])).status == 200
    if way != "token":
        terminal.token = None
    if way != "address":
        terminal.address = THERE
    assert terminal.address == (HERE if way == "address" else THERE)
    await terminal.exchange(language=SIMPLIFIED_CHINESE, **key)
    device = (await rig.api("GET", "/devices/T1")).json
    assert device["language"] == SIMPLIFIED_CHINESE

"""Uploads to the management endpoint share one memory, and strangers get none of it."""

from __future__ import annotations

import contextlib
import pathlib
import re
import socket

import pytest
import pytest_twisted

from ..console.browser import HOST, signed_in
from ..daemon.process import Daemon
from ..rig import Response, Rig
from .managing import AUTH, Person, a_turn

MIB = 1024 * 1024
SIZE = 3 * MIB
SMALL = {"manage_bodies_bytes": 8 * MIB, "body_wait_seconds": 1}
"""Memory of 6 MiB for long bodies, of which one caller may use 3."""
CLIENTS = 30


def upload(
    rig: Rig, name: str, length: int = SIZE, auth: str = AUTH, address: str = "192.0.2.7"
) -> Person:
    """Send the head of an upload."""
    return Person(rig, address).send(
        f"POST /api/v1/files?name={name} HTTP/1.1", "Host: s", auth, f"Content-Length: {length}"
    )


@pytest_twisted.ensureDeferred
async def test_a_long_body_waits_until_the_one_before_is_stored(make_rig) -> None:
    """Nothing of it is read meanwhile; then it is stored as well, and all memory is free again."""
    rig = await make_rig(limits={**SMALL, "body_wait_seconds": 600})
    first, second = upload(rig, "a"), upload(rig, "b")
    await a_turn()
    assert [one.wire.producerState for one in (first, second)] == ["producing", "paused"]
    assert rig.manage.bodies.held == SIZE
    first.bytes(b"x" * SIZE)
    assert await first.status() == 201
    await a_turn()
    assert second.wire.producerState == "producing"
    second.bytes(b"x" * SIZE)
    assert await second.status() == 201
    assert rig.manage.bodies.held == 0


@pytest_twisted.ensureDeferred
async def test_who_waits_in_vain_is_told_when_to_come_again(make_rig) -> None:
    """503 with Retry-After and words, counted as a refusal; short requests go on meanwhile."""
    rig = await make_rig(limits=SMALL)
    upload(rig, "a")
    late = upload(rig, "b")
    await a_turn()
    assert (await rig.api("PUT", "/users/1", {"name": "Ann"})).status == 200
    rig.clock.advance(2)
    assert await late.status() == 503
    answer = Response(late.wire.value())
    assert answer.header(b"Retry-After") == b"30"
    assert "has no memory for another one" in answer.json["detail"]
    assert rig.manage.bodies.held == SIZE


@pytest.mark.parametrize("leaves", [0, 1])
@pytest_twisted.ensureDeferred
async def test_who_hangs_up_gives_the_memory_back(make_rig, leaves: int) -> None:
    """Whether the body was arriving or waited; the other one is taken then."""
    rig = await make_rig(limits={**SMALL, "body_wait_seconds": 600})
    both = [upload(rig, "a"), upload(rig, "b")]
    await a_turn()
    both[leaves].leave()
    await a_turn()
    assert rig.manage.bodies.held == SIZE
    both[1 - leaves].bytes(b"x" * SIZE)
    assert await both[1 - leaves].status() == 201
    assert rig.manage.bodies.held == 0


@pytest_twisted.ensureDeferred
async def test_a_body_without_a_length_is_charged_with_the_limit_of_its_path(make_rig) -> None:
    """It could become that long."""
    rig = await make_rig(limits={**SMALL, "file_bytes": 2 * MIB})
    Person(rig).send(
        "POST /api/v1/files?name=a HTTP/1.1", "Host: s", AUTH, "Transfer-Encoding: chunked"
    )
    await a_turn()
    assert rig.manage.bodies.held == 2 * MIB


@pytest_twisted.ensureDeferred
async def test_the_console_says_it_in_the_language_of_the_account(make_rig) -> None:
    """Also what else it refuses before it reads it."""
    wait = 7
    limits = {**SMALL, "file_bytes": SIZE, "body_wait_seconds": wait}
    rig = await make_rig(limits=limits)
    browser = await signed_in(rig)
    await browser.send("/account", "/account", {"language": "es", "zone": ""})
    browser.cookies = {name: text for name, text in browser.cookies.items() if "lang" not in name}
    upload(rig, "a", SIZE)
    other = f"Authorization: Bearer {await another_token(rig)}"
    upload(rig, "b", SIZE, other, "192.0.2.8")
    while rig.manage.bodies.held < 2 * SIZE:
        await a_turn()
    cookies = "; ".join(f"{name}={text}" for name, text in browser.cookies.items())
    head = ("POST /console/files HTTP/1.1", f"Host: {HOST}", f"Origin: http://{HOST}")
    head += (f"Cookie: {cookies}", "Content-Type: multipart/form-data; boundary=x")
    large = Person(rig, "127.0.0.1").send(*head, f"Content-Length: {SIZE * 2}")
    assert await large.status() == 413
    assert "El archivo es demasiado grande." in large.wire.value().decode()
    full = Person(rig, "127.0.0.1").send(*head, f"Content-Length: {SIZE}")
    end = rig.clock.seconds() + wait
    while end not in [call.getTime() for call in rig.clock.getDelayedCalls()]:
        await a_turn()
    rig.clock.advance(wait)
    assert await full.status() == 503
    assert "Este servidor está recibiendo" in full.wire.value().decode()


async def another_token(rig: Rig) -> str:
    """A second caller."""
    made = await rig.api("POST", "/tokens", {"name": "bob", "scopes": ["dangerous"]})
    return str(made.json["token"])


def peak(pid: int) -> int:
    """The most memory that a process has had, in bytes."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.long
@pytest.mark.parametrize("is_known", [True, False])
def test_many_uploads_at_once_take_bounded_memory(tmp_path: pathlib.Path, is_known: bool) -> None:
    """Clients send all but the end of their files; the server keeps those that there is room for.

    A stranger is answered by the head alone, and what follows is not kept.
    """
    config = tmp_path / "zkpush.toml"
    limits = "\n".join(f"{name} = {value}" for name, value in SMALL.items())
    config.write_text(f"[limits]\n{limits}\n")
    part = b"x" * (SIZE - 1)
    with (
        Daemon(tmp_path / "data", "--config", str(config)) as daemon,
        contextlib.ExitStack() as all_,
    ):
        auth = f"Authorization: Bearer {daemon.token if is_known else 'nobody'}"
        head = f"POST /api/v1/files?name=a HTTP/1.1\r\nHost: s\r\n{auth}\r\nContent-Length: {SIZE}"
        before = peak(daemon.process.pid)
        clients = []
        for _ in range(CLIENTS):
            client = all_.enter_context(socket.create_connection(("127.0.0.1", daemon.manage.port)))
            client.sendall(head.encode() + b"\r\n\r\n")
            client.setblocking(False)
            clients.append(client)
        answers = []
        for client in clients:
            with contextlib.suppress(BlockingIOError):
                client.send(part)
        for client in clients[1:] if is_known else clients:
            client.settimeout(20)
            answers.append(client.recv(100)[:12])
        wanted = b"HTTP/1.1 503" if is_known else b"HTTP/1.1 401"
        assert answers == [wanted] * len(answers)
        assert peak(daemon.process.pid) - before < CLIENTS * SIZE / 4

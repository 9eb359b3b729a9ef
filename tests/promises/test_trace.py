"""The trace: what terminals asked last, on any node, in bounded space and without secrets."""

from __future__ import annotations

import json

import pytest
import pytest_twisted
from sqlalchemy import func, select

from zkpush.handlers.trace import recorder
from zkpush.handlers.trace.model import KEPT
from zkpush.handlers.trace.schema import trace
from zkpush.handlers.trace.store import TraceStore
from zkpush.interfaces import StoreError

from ..nodes.conftest import nodes  # noqa: F401
from ..rig import Rig
from ..server.test_tokens_of_sessions import upload

PUNCH = b"7\t2026-01-05 08:00:00\t0\t1\n"
ATTLOG = "cdata?SN=T1&table=ATTLOG&Stamp=9999"
POLL = "getrequest?SN=T1"
SHOWN = ("method", "path", "table", "status", "understood", "answered", "count")


async def shown(rig: Rig, sn: str = "T1") -> list[tuple[object, ...]]:
    """The trace of a terminal, without times and sizes."""
    return [tuple(one[name] for name in SHOWN) for one in await rig.items(f"/devices/{sn}/trace")]


async def write(rig: Rig) -> None:
    """What the recorder does every few seconds."""
    (job,) = rig.daemon.recorders
    await job.write()


async def rows(rig: Rig) -> int:
    """How many rows the trace of all terminals has."""
    query = select(func.count()).select_from(trace)
    return await rig.store.read(lambda tx: tx.connection.execute(query).scalar_one())


@pytest_twisted.ensureDeferred
async def test_a_trace_shows_what_was_asked_understood_and_answered(rig: Rig) -> None:
    """Exchange, upload, poll and a path that is not there are listed in their order."""
    await rig.exchange()
    await rig.post(ATTLOG, PUNCH)
    await rig.get(POLL)
    await rig.get("rtdata?SN=T1&type=time")
    assert await shown(rig) == [
        ("GET", "/iclock/cdata", None, 200, "initialization exchange", "its options", 1),
        ("POST", "/iclock/cdata", "ATTLOG", 200, "upload", "OK: 1", 1),
        ("GET", "/iclock/getrequest", None, 200, "poll for commands", "OK", 1),
        ("GET", "/iclock/rtdata", None, 404, None, "There is nothing under this path.", 1),
    ]
    first, second, _, last = await rig.items("/devices/T1/trace")
    assert first["arguments"] == {"options": "all", "pushver": "2.4.1"}
    assert first["reply_bytes"] > 100
    assert (second["arguments"], second["request_bytes"]) == ({"Stamp": "9999"}, len(PUNCH))
    assert (second["reply_bytes"], second["address"]) == (len("OK: 1"), "192.0.2.7")
    assert last["arguments"] == {"type": "time"}
    (newest,) = await rig.items("/devices/T1/trace?limit=1")
    assert newest == last


@pytest_twisted.ensureDeferred
async def test_commands_are_named_and_not_quoted(rig: Rig) -> None:
    """What a command does may be secret; its name is not."""
    await rig.exchange()
    for command, params in (
        ("SHELL", {"command": "cat /etc/shadow"}),
        ("DATA UPDATE USERINFO", {"PIN": "7", "Passwd": "4711"}),
    ):
        sent = await rig.api("POST", "/devices/T1/commands", {"command": command, "params": params})
        assert sent.status == 202, sent.raw
    assert b"shadow" in (await rig.get(POLL)).body
    answered = (await shown(rig))[-1][5]
    assert ": SHELL, command " in answered
    assert answered.endswith(": DATA UPDATE USERINFO")


@pytest_twisted.ensureDeferred
async def test_what_is_set_aside_and_a_foreign_token_are_said_without_quoting(rig: Rig) -> None:
    """In parts, as a whole and in a long upload; the reply to the terminal does not say it."""
    await rig.exchange()
    bad = b"SECRET\tnot-a-time\t0\t1\n"
    assert (await rig.post(ATTLOG, PUNCH + bad + bad.lower())).body == b"OK: 1"
    await rig.post("cdata?SN=T1&table=WONDERTAB", b"SECRET=1\n")
    many = [PUNCH.replace(b"7", b"%d" % pin) for pin in range(12_000)]
    await rig.post(ATTLOG, b"".join([*many, bad]))
    assert await upload(rig, b"token=" + b"ab" * 16) == (200, b"OK: 1")
    await rig.post(ATTLOG, PUNCH)
    assert [one[5] for one in await shown(rig)][1:] == [
        "OK: 1 (2 parts not understood, and kept)",
        "OK (1 part not understood, and kept)",
        "OK: 12000 (1 part not understood, and kept)",
        "OK: 1 (foreign token)",
        "OK: 1",
    ]


@pytest.mark.parametrize(
    ("target", "body", "number"),
    [
        ("cdata?SN=T1&table=ATTLOG&Stamp=9999", PUNCH + b"7\tno-time\t0\t1\n", 1),
        ("cdata?SN=T1&table=OPERLOG&Stamp=9999", b"garbage\n", 1),
        ("cdata?SN=T1&table=FOOLOG&Stamp=9999", b"garbage\n", 1),
        ("cdata?SN=T1&table=rtlog", b"pin=7\n", 1),
        ("devicecmd?SN=T1", b"garbage\n", 1),
        ("devicecmd?SN=T1", b"ID=never&Return=0&CMD=INFO\n", 1),
        ("cdata?SN=T1&table=ATTLOG&Stamp=9999", PUNCH + b"7\tno-time\n8\tno-time\n", 2),
        ("foo?SN=T1", b"garbage\n", 1),
    ],
)
@pytest_twisted.ensureDeferred
async def test_each_request_says_how_many_rejects_it_left(
    rig: Rig, target: str, body: bytes, number: int
) -> None:
    """Whatever it is, and whether it is acknowledged or refused."""
    await rig.exchange()
    await rig.post(target, body)
    assert len(await rig.items("/rejects")) == number
    (*_, last) = await rig.items("/devices/T1/trace")
    parts = "1 part" if number == 1 else f"{number} parts"
    assert last["answered"].endswith(f" ({parts} not understood, and kept)")


@pytest_twisted.ensureDeferred
async def test_no_secret_and_no_control_character_is_in_a_trace(rig: Rig) -> None:
    """Keys, cookies, unknown arguments, paths of files and records stay out of it."""
    await rig.exchange(pushcommkey="SECRET1")
    await rig.post(f"{ATTLOG}&token=SECRET2&other=SECRET3", b"SECRET4\tx\n")
    await rig.get("file/SECRET5/name?SN=T1")
    await rig.get("nothing/SECRET6?SN=T1")
    await rig.post("cdata?SN=T1&table=%1b%5b2J&PIN=SECRET7", b"x")
    await write(rig)
    response = await rig.api("GET", "/devices/T1/trace")
    assert "SECRET" not in response.body.decode()
    assert len(response.json["items"]) == 5
    assert response.json["items"][-1]["table"] == "\\x1b[2J"
    kept = await rig.store.read(
        lambda tx: tx.connection.execute(select(trace.c.request)).scalars().all()
    )
    assert len(kept) == 5
    assert not any("SECRET" in one for one in kept)


@pytest_twisted.ensureDeferred
async def test_an_idle_terminal_touches_no_database(rig: Rig) -> None:
    """Polls with nothing to do are one entry, whose number is written once a minute."""
    await rig.exchange()
    await rig.get(POLL)
    await write(rig)
    before = rig.store.counts()["units"]
    for _ in range(50):
        await rig.get(POLL)
        await write(rig)
    assert rig.store.counts()["units"] == before
    assert (await shown(rig))[-1][-1] == 51
    rig.clock.advance(61)
    await rig.get(POLL)
    await write(rig)
    assert (await shown(rig))[-1][-1] == 52
    assert await rows(rig) == 2
    last = (await rig.items("/devices/T1/trace"))[-1]
    assert last["at"] > last["since_at"]


@pytest_twisted.ensureDeferred
async def test_every_node_shows_the_requests_of_all(nodes) -> None:  # noqa: F811
    """Within seconds, whichever of them served the terminal."""
    one, other = nodes
    await one.exchange()
    for node in nodes:
        node.clock.advance(1)
    await other.post(ATTLOG, PUNCH)
    for node in nodes:
        await write(node)
    assert len(await shown(one)) == 2
    assert await shown(one) == await shown(other)
    assert (await shown(one))[-1][5] == "OK: 1"


@pytest_twisted.ensureDeferred
async def test_refusals_take_no_place_of_what_was_served(rig: Rig) -> None:
    """Anybody may send requests in the name of a terminal: their number is bounded."""
    await rig.exchange()
    for number in range(3 * KEPT):
        await rig.get(f"p{number}?SN=T1")
        if not number % 25:
            await write(rig)
    await write(rig)
    found = await rig.items("/devices/T1/trace")
    assert [one["status"] for one in found] == [200] + [404] * KEPT
    assert found[-1]["path"] == f"/iclock/p{3 * KEPT - 1}"
    assert await rows(rig) <= 2 * KEPT


@pytest_twisted.ensureDeferred
async def test_strangers_leave_no_trace(make_rig) -> None:
    """Unknown serial numbers cost nothing; a terminal that awaits approval is known."""
    rig = await make_rig(admission="closed")
    for number in range(20):
        await rig.get(f"getrequest?SN=X{number}")
        await rig.get(f"nothing?SN=X{number}")
    await write(rig)
    assert await rows(rig) == 0
    assert (await rig.api("GET", "/devices/X1/trace")).status == 404
    rig = await make_rig(admission="approve", database="memory:")
    await rig.get(POLL)
    words = "This terminal waits for approval by an operator; it keeps its data."
    assert await shown(rig) == [
        ("GET", "/iclock/getrequest", None, 403, None, words, 1),
    ]


@pytest_twisted.ensureDeferred
async def test_a_store_that_fails_loses_no_trace(rig: Rig, monkeypatch) -> None:
    """What cannot be written is written the next time."""
    await rig.exchange()
    await rig.get(POLL)
    write_unit = rig.store.write

    async def fail(unit, risky: bool = False) -> None:
        await rig.get(POLL)
        raise StoreError("full")

    monkeypatch.setattr(rig.store, "write", fail)
    with pytest.raises(StoreError):
        await write(rig)
    monkeypatch.setattr(rig.store, "write", write_unit)
    await write(rig)
    assert await rows(rig) == 2
    assert [one[-1] for one in await shown(rig)] == [1, 2]


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_is_removed_takes_its_trace_along(rig: Rig) -> None:
    """What was still to be written of it is dropped, and that of others is not."""
    await rig.exchange("T1")
    await rig.exchange("T2")
    await write(rig)
    await rig.get("getrequest?SN=T2")
    await rig.get(POLL)
    assert (await rig.api("DELETE", "/devices/T1")).status == 204
    await write(rig)
    assert await rows(rig) == 2
    assert len(await shown(rig, "T2")) == 2


@pytest_twisted.ensureDeferred
async def test_memory_is_bounded_while_nothing_can_be_written(rig: Rig, monkeypatch) -> None:
    """Beyond the bound, requests are served all the same, and not noted."""
    monkeypatch.setattr(recorder, "MOST_PENDING", 5)
    await rig.exchange()
    for number in range(10):
        upload = ATTLOG.replace("9999", str(number))  # each with another stamp
        assert (await rig.post(upload, PUNCH)).body == b"OK: 1"
    assert len(await shown(rig)) == 5
    await write(rig)
    await rig.get(POLL)
    assert len(await shown(rig)) == 6


@pytest_twisted.ensureDeferred
async def test_a_flood_is_written_in_parts_and_terminals_take_turns(rig: Rig, monkeypatch) -> None:
    """A write stores few entries, those first that wait longest; a stop stores all of them."""
    monkeypatch.setattr(recorder, "MOST_WRITTEN", 2)
    ids = []
    for sn in ("T1", "T2", "T3"):
        await rig.exchange(sn)
        await rig.get(f"getrequest?SN={sn}")
        ids.append(rig.registry.terminals[sn].device.id)
    for written in ([2, 0, 0], [2, 2, 0]):
        await write(rig)
        found = [await rig.store.read(lambda tx, key=key: tx[TraceStore].of(key)) for key in ids]
        assert [len(one) for one in found] == written
        await rig.get("cdata?SN=T1&options=all&pushver=2.4.1")  # T1 has another entry
    (job,) = rig.daemon.recorders
    await job.finish()
    assert await rows(rig) == 3 * 2 + 2


@pytest_twisted.ensureDeferred
async def test_uploads_of_a_backlog_are_one_entry(rig: Rig) -> None:
    """A backlog displaces no other requests; what is answered differently stands apart."""
    await rig.exchange()
    for pin in (b"1", b"2", b"44", b"3"):
        await rig.post(ATTLOG, PUNCH.replace(b"7", pin))
    await rig.post(ATTLOG, PUNCH.replace(b"7", b"5") + PUNCH.replace(b"7", b"6"))
    await rig.post(ATTLOG.replace("ATTLOG", "NONSENSE"), PUNCH.replace(b"7", b"44"))
    entries = (await rig.items("/devices/T1/trace"))[1:]
    assert [(one["table"], one["count"], one["request_bytes"]) for one in entries] == [
        ("ATTLOG", 4, len(PUNCH)),
        ("ATTLOG", 1, 2 * len(PUNCH)),
        ("NONSENSE", 1, len(PUNCH) + 1),
    ]


@pytest_twisted.ensureDeferred
async def test_a_body_that_is_too_long_is_in_the_trace(rig: Rig) -> None:
    """A request that a limit ends is no less a request."""
    await rig.exchange()
    assert (await rig.post("getrequest?SN=T1", b"x" * 100_000)).status in (405, 413)
    last = (await rig.items("/devices/T1/trace"))[-1]
    assert last["status"] in (405, 413)
    assert last["request_bytes"] == 100_000
    assert json.dumps(last)

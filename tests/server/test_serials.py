"""A serial number that is none reaches no log, no table, no file name and no reply."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from urllib.parse import quote_from_bytes

import pytest
import pytest_twisted
from twisted.logger import LogEvent, globalLogPublisher

from ..rig import Rig, talk

LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
MARK = "ZKEVIL"
"""Is in every serial number that is none, so that it is found wherever it gets."""
BAD = {
    "line end": b"%b\nX-Injected: 1",
    "return": b"%b\r\nX-Injected: 1",
    "nul": b"%b\0",
    "unicode digits": b"%b" + "\u0661\u0662".encode(),
    "look-alike letters": b"%b" + "\u0430\u0435".encode(),
    "full-width digits": b"%b" + "\uff11".encode(),
    "no UTF-8": b"%b\xff\xfe",
    "path": b"../../%b",
    "path of Windows": b"..\\%b",
    "absolute path": b"/etc/%b",
    "too long": b"%b" + b"9" * 27,
    "far too long": b"%b" + b"A" * 9000,
    "quote": b"%b' OR 1=1 --",
    "semicolon": b"%b;DROP TABLE devices",
    "markup": b"<b>%b</b>",
    "wildcard": b"%b%%",
    "space": b" %b",
    "space behind": b"%b ",
    "plus": b"%b+1",
    "dot": b"%b.",
    "escape": b"\x1b[2J%b",
    "percent twice": b"%b%%2e%%2e",
    "template": b"{%b}",
    "format": b"%b%%s%%n",
}
PATHS = {
    "exchange": ("GET", "cdata?{sn}&options=all&pushver=2.4.1&language=69"),
    "upload": ("POST", "cdata?{sn}&table=ATTLOG&Stamp=1"),
    "options": ("POST", "cdata?{sn}&table=options"),
    "remote attendance": ("GET", "cdata?{sn}&table=RemoteAtt&PIN=1"),
    "verification": ("POST", "cdata?{sn}&type=PostVerifyData"),
    "photo": ("POST", "fdata?{sn}&table=ATTPHOTO&PIN=1.jpg"),
    "poll": ("GET", "getrequest?{sn}"),
    "information": ("GET", "getrequest?{sn}&INFO=1,2,3,4,5,192.0.2.1"),
    "answer": ("POST", "devicecmd?{sn}"),
    "heartbeat": ("GET", "ping?{sn}"),
    "file": ("GET", "file?{sn}&url=file/1/x"),
    "file by path": ("GET", "file/1/x?{sn}"),
    "old spelling": ("GET", "GETREQUEST.aspx?{sn}"),
}
TWICE = (
    "SN=T1&SN=T2",
    "SN=T2&SN=T1",
    "SN=T1&sn=T2",
    "SN=T1&%53N=T2",
    "SN=T1&SN=",
    "SN=&SN=T1",
    "SN=T1&SN=T1%00",
    "SN=T1&table=ATTLOG&Stamp=1&SN=T2",
    "table=ATTLOG&SN=T1&sN=../T2",
)


@pytest.fixture
def logged() -> Iterator[list[LogEvent]]:
    """All that is logged meanwhile, whatever becomes of it."""
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


async def stored(rig: Rig) -> dict[str, str]:
    """All that is in the database, by its tables."""

    def everything(tx):
        connection = tx.connection
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: repr(connection.exec_driver_sql(f"SELECT * FROM {name}").all())  # noqa: S608
            for (name,) in tables.all()
        }

    return await rig.store.read(everything)


async def ask(rig: Rig, method: str, path: str) -> object:
    """A request of a terminal, with a body where it may have one."""
    body = LINE if method == "POST" else b""
    head = f"{method} /iclock/{path} HTTP/1.1\r\nHost: s\r\nContent-Length: {len(body)}\r\n\r\n"
    return await talk(rig.terminals, head.encode() + body)


@pytest.mark.parametrize("where", PATHS)
@pytest_twisted.ensureDeferred
async def test_no_path_takes_one(
    make_rig, where: str, logged: list[LogEvent], tmp_path: pathlib.Path
) -> None:
    """Percent-encoded, as any client can send them, to every path: 400, and no trace."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'z.sqlite'}")
    await rig.exchange("T1")
    rig.clock.advance(10)
    await rig.store.write(lambda tx: None)  # what was to be written before is
    before = await stored(rig)
    method, path = PATHS[where]
    for name, text in BAD.items():
        raw = text % MARK.encode()
        response = await ask(rig, method, path.format(sn=f"SN={quote_from_bytes(raw, safe='')}"))
        assert response.status == 400, name
        assert MARK.encode() not in response.raw, name
        assert b"OK" not in response.raw, name
        assert b"Injected" not in response.raw, name
    rig.clock.advance(10)
    await rig.store.write(lambda tx: None)
    after = await stored(rig)
    for name in ("audit", "audit_head"):  # a refusal is recorded, without the serial number
        assert MARK not in after.pop(name)
        del before[name]
    assert after == before
    assert len(rig.registry) == 1
    assert not [event for event in logged if MARK in repr(event)]
    assert not [file for file in tmp_path.rglob("*") if MARK in str(file)]
    assert MARK not in json.dumps(await rig.items("/devices"))


@pytest.mark.parametrize("where", PATHS)
@pytest_twisted.ensureDeferred
async def test_two_serial_numbers_are_none(rig: Rig, where: str) -> None:
    """A proxy in front might have looked at the other one: neither counts."""
    await rig.exchange("T1")
    await rig.exchange("T2")
    method, path = PATHS[where]
    for query in TWICE:
        response = await ask(rig, method, path.format(sn=query))
        assert response.status == 400, query
        assert b"OK" not in response.raw
    assert await rig.items("/attendance") == []
    assert await rig.items("/rejects") == []


@pytest.mark.parametrize("where", [where for where in PATHS if "file" not in where])
@pytest_twisted.ensureDeferred
async def test_no_serial_number_is_none(rig: Rig, where: str) -> None:
    """Only a file may be asked for without."""
    method, path = PATHS[where]
    for query in ("", "SN", "SN=", "XSN=T1", "SN%00=T1"):
        assert (await ask(rig, method, path.format(sn=query))).status == 400
    assert len(rig.registry) == 0


@pytest.mark.parametrize("raw", [b"T1 X", b"T1\tX", b"T1\0X", b"T1\nX", b"T1\rX", b"T\x7f"])
@pytest_twisted.ensureDeferred
async def test_control_characters_are_not_taken_bare_either(rig: Rig, raw: bytes) -> None:
    """In the request line itself they end it, or the request."""
    for line in (
        b"GET /iclock/ping?SN=%b HTTP/1.1",
        b"GET /iclock/cdata?SN=%b&options=all HTTP/1.1",
    ):
        written = (await talk(rig.terminals, line % raw + b"\r\nHost: s\r\n\r\n")).raw
        assert written == b"" or written.startswith(b"HTTP/1.1 400 ")
    assert len(rig.registry) == 0


@pytest_twisted.ensureDeferred
async def test_the_longest_serial_number_is_taken(rig: Rig) -> None:
    """32 characters, of each kind there is, also where one of them is percent-encoded."""
    sn = "aZ09_-" + "x" * 26
    assert (await rig.exchange(sn)).status == 200
    assert (await rig.get(f"getrequest?SN={sn.replace('_', '%5f')}")).body == b"OK"
    assert (await rig.exchange(sn + "x")).status == 400
    assert [device["sn"] for device in await rig.items("/devices")] == [sn]

"""Nothing that an approved terminal asks for goes without a trace."""

from __future__ import annotations

import base64
import gzip
import zlib

import pytest
import pytest_twisted
from twisted.logger import LogLevel, globalLogPublisher

from zkpush.device.places import LONGEST_DETAIL
from zkpush.device.unservedbodies import MOST_KEPT
from zkpush.model import Page
from zkpush.persist.devices import DeviceStore
from zkpush.persist.events import EventStore
from zkpush.persist.rejects import RejectStore
from zkpush.problems import ProblemCode
from zkpush.protocol.rejects import REQUEST, Origin, Reject
from zkpush.testing.wire import everything, talk

from ..rig import NOON, Rig

PUNCH = b"7\t2026-01-05 08:00:00\t0\t1\n"


@pytest.fixture
def warnings():
    """What is logged as a warning."""
    found: list[str] = []

    def observe(event) -> None:
        if event["log_level"] is LogLevel.warn:
            found.append(event["log_format"].format(**event))

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)


MODE, UNKNOWN = ProblemCode.ACCESS_CONTROL, ProblemCode.UNKNOWN_REQUESTS


async def problem(rig: Rig, code: str = ProblemCode.UNKNOWN_REQUESTS) -> dict[str, str] | None:
    """The problem of this code that T1 has."""
    items = await rig.items("/problems")
    return next((one for one in items if (one["device"], one["code"]) == ("T1", code)), None)


async def request(rig: Rig, method: str, target: str, body: bytes = b"", *lines: str):
    """Any request of a terminal."""
    head = [f"{method} {target} HTTP/1.1", "Host: server", *lines, f"Content-Length: {len(body)}"]
    return await talk(rig.terminals, "\r\n".join(head).encode() + b"\r\n\r\n" + body)


@pytest.mark.parametrize(
    ("method", "target", "status", "code", "words"),
    [
        ("POST", "/iclock/registry?SN=T1", 404, MODE, "asks for POST /iclock/registry,"),
        ("GET", "/iclock/rtdata?SN=T1&type=time", 404, MODE, "asks for GET /iclock/rtdata,"),
        ("POST", "/iclock/Registry.aspx?SN=T1", 404, MODE, "asks for POST /iclock/…"),
        ("POST", "/iclock/punches/push?SN=T1", 404, UNKNOWN, "asks for POST /iclock/punches/…"),
        ("PUT", "/iclock/cdata?SN=T1&table=ATTLOG", 405, UNKNOWN, "asks for PUT /iclock/cdata,"),
        ("POST", "/other/place?SN=T1", 404, UNKNOWN, "asks for POST /other/place,"),
        ("POST", "/iclock/getrequest?SN=T1", 405, UNKNOWN, "asks for POST /iclock/getrequest,"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_an_unknown_request_is_a_problem_and_its_body_a_reject(
    rig: Rig, method: str, target: str, status: int, code: str, words: str
) -> None:
    """The terminal is refused as before; people see the request, and the bytes are kept."""
    await rig.exchange()
    body = b"" if method == "GET" else b"~DeviceName=F20,FirmVer=1\n\r\n"
    lines = ("Content-Type: application/push;charset=UTF-8", "Content-Encoding: none")
    response = await request(rig, method, target, body, *lines)
    assert response.status == status
    assert b"OK" not in response.body
    found = await problem(rig, code)
    assert found is not None
    assert words in found["detail"]
    rejects = await rig.items("/rejects?device=T1")
    if not body:
        assert rejects == []
        return
    (reject,) = rejects
    assert base64.b64decode(reject["raw"]) == body
    assert reject["table"] == REQUEST
    path, _, query = target.partition("?")
    assert reject["origin"] == {
        "method": method,
        "path": path,
        "query": query,
        "content_type": "application/push;charset=UTF-8",
        "content_encoding": "none",
    }


@pytest_twisted.ensureDeferred
async def test_each_kind_of_request_is_logged_once(rig: Rig, warnings: list[str]) -> None:
    """However often it comes."""
    await rig.exchange()
    for _ in range(3):
        await rig.get("rtother?SN=T1&type=time")
        await rig.get("rtother?SN=T1&type=other")
        await rig.get("service/control?SN=T1")
    assert [one for one in warnings if "does not serve" in one] == [
        "Terminal T1: It asks for GET /iclock/rtother, which this server does not serve.",
        "Terminal T1: It asks for GET /iclock/service/…, which this server does not serve.",
    ]


@pytest_twisted.ensureDeferred
async def test_each_kind_of_request_is_named_in_the_problem(rig: Rig) -> None:
    """Once, as long as there is room, and each is an event."""
    await rig.exchange()
    for _ in range(2):
        for path in ("rtother?SN=T1&type=time", "service/control?SN=T1"):
            await rig.get(path)
    found = await problem(rig)
    assert found is not None
    first = "It asks for GET /iclock/rtother, which this server does not serve."
    second = "It asks for GET /iclock/service/…, which this server does not serve."
    assert found["detail"] == f"{first} {second}"
    events = await rig.store.read(lambda tx: tx[EventStore].of_kind("problem", 0))
    ours = [one.data for one in events if one.data["code"] == ProblemCode.UNKNOWN_REQUESTS]
    assert [(one["detail"], one.get("was")) for one in ours] == [
        (first, None),
        (f"{first} {second}", first),
    ]
    for number in range(40):
        await rig.get(f"path{'x' * number}?SN=T1")
    found = await problem(rig)
    assert found is not None
    assert 300 < len(found["detail"]) <= LONGEST_DETAIL


@pytest_twisted.ensureDeferred
async def test_the_problem_is_raised_and_cleared_as_an_event(rig: Rig) -> None:
    """It is cleared a day after it last happened."""
    await rig.exchange()
    await rig.get("service/control?SN=T1")
    assert await problem(rig) is not None
    rig.clock.pump([600] * 150)
    assert await problem(rig) is None
    events = await rig.store.read(lambda tx: tx[EventStore].page(Page(1000)))
    told = [one.data["what"] for one in events if one.kind == "problem"]
    assert told == ["raised", "cleared"]


@pytest_twisted.ensureDeferred
async def test_nothing_of_a_stranger_or_a_pending_terminal_is_kept(make_rig) -> None:
    """Its unknown requests are refused by their heads, and are no reason to record it."""
    rig = await make_rig(admission="approve")
    for _ in range(2):
        assert (await rig.post("registry?SN=T1", b"x=1")).status == 404
        assert await rig.items("/rejects") == []
        assert await problem(rig) is None
        await rig.exchange()
    assert [one["state"] for one in await rig.items("/devices")] == ["pending"]


@pytest_twisted.ensureDeferred
async def test_the_kept_bodies_of_a_terminal_are_bounded(rig: Rig) -> None:
    """It is not told that they are kept, so it still has what is beyond."""
    await rig.exchange()

    def unit(tx) -> None:
        device = tx[DeviceStore].find("T1").id
        tx[RejectStore].add(device, [Reject(REQUEST, "-", b"%d" % n) for n in range(MOST_KEPT)], 1)

    await rig.store.write(unit)
    assert (await rig.post("registry?SN=T1", b"one more")).status == 404
    count = await rig.store.read(
        lambda tx: tx[RejectStore].count(tx[DeviceStore].find("T1").id, REQUEST)
    )
    assert count == MOST_KEPT


@pytest_twisted.ensureDeferred
async def test_a_foreign_token_is_a_problem_and_the_terminal_is_served(rig: Rig) -> None:
    """It comes from the server that the terminal used before."""
    await rig.exchange()
    response = await request(
        rig,
        "GET",
        "/iclock/getrequest?SN=T1",
        b"",
        f"Cookie: token={'ab' * 16}",
    )
    assert (response.status, response.body) == (200, b"OK")
    found = await problem(rig, ProblemCode.FOREIGN_TOKEN)
    assert found is not None
    assert "foreign token" in found["detail"]
    doctor = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    assert any("foreign token" in one["detail"] for one in doctor)


@pytest_twisted.ensureDeferred
async def test_a_table_that_nobody_takes_is_a_problem_and_logged_once(
    rig: Rig, warnings: list[str]
) -> None:
    """Its bodies are kept whole, each, before they are acknowledged."""
    await rig.exchange()
    for number in range(3):
        response = await rig.post("cdata?SN=T1&table=newlog", b"time=1\tpin=%d\r\n" % number)
        assert response.body == b"OK"
    found = await problem(rig)
    assert found is not None
    assert found["detail"] == "It uploads the table newlog, which zkpush does not know."
    assert len(await rig.items("/rejects?table=newlog")) == 3
    assert len([one for one in warnings if "newlog" in one or "not understood" in one]) == 1


@pytest_twisted.ensureDeferred
async def test_an_upload_that_names_no_table_is_kept(rig: Rig) -> None:
    """What it holds is not known; it is acknowledged, because it is on disk."""
    await rig.exchange()
    assert (await rig.post("cdata?SN=T1", b"whatever\n1=2\n")).body == b"OK"
    (reject,) = await rig.items("/rejects")
    assert (reject["table"], base64.b64decode(reject["raw"])) == ("unnamed", b"whatever\n1=2\n")


HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64)


@pytest_twisted.ensureDeferred
async def test_tls_on_a_plain_port_is_a_problem_of_the_terminal_of_that_address(rig: Rig) -> None:
    """It has no serial number: the silent terminal that was last heard of there has the problem."""
    await rig.exchange(address="192.0.2.9")
    await rig.exchange("T2", address="192.0.2.10")
    rig.clock.advance(3600)
    await everything(rig.terminals, HELLO, "192.0.2.9")
    found = await problem(rig, ProblemCode.TLS_ON_PLAIN)
    assert found is not None
    assert "192.0.2.9" in found["detail"]
    assert "turn HTTPS off" in found["advice"]
    assert [one["device"] for one in await rig.items("/problems")] == ["T1"]
    metrics = (await rig.api("GET", "/metrics", headers=(), prefix="")).body
    assert b'zkpush_refused_total{reason="tls"} 1.0' in metrics


@pytest_twisted.ensureDeferred
async def test_tls_of_nobody_is_a_problem_of_the_server(rig: Rig) -> None:
    """For a day; each address is one."""
    for _ in range(2):
        await everything(rig.terminals, HELLO, "192.0.2.77")
        rig.clock.advance(61)
    (found,) = await rig.items("/problems")
    assert (found["device"], found["subject"]) == (None, "address 192.0.2.77")
    rig.clock.advance(24 * 3600)
    assert await rig.items("/problems") == []


LINES = b"7\tnot-a-time\t0\t1\r\n\r\n8\tnor-this\t0\t1\r\n"


@pytest_twisted.ensureDeferred
async def test_a_body_of_which_nothing_is_understood_is_kept_whole_and_once(rig: Rig) -> None:
    """With its line ends and blank lines, and with the request that brought it."""
    await rig.exchange()
    target = "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=5"
    assert (await request(rig, "POST", target, LINES, "Content-Type: text/plain")).body == b"OK: 0"
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == LINES
    first, second = reject["reason"].split("; and also: ")
    assert first.startswith("Time: 'not-a-time' is")
    assert second.startswith("Time: 'nor-this' is")
    assert (reject["origin"]["query"], reject["origin"]["content_type"]) == (
        "SN=T1&table=ATTLOG&Stamp=5",
        "text/plain",
    )


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "zlib"])
@pytest.mark.parametrize("declared", ["", "&ContentType=text", "&ContentType=tgz"])
@pytest_twisted.ensureDeferred
async def test_a_compressed_body_is_recognized_by_its_first_bytes(
    rig: Rig, pack, declared: str
) -> None:
    """Whatever the request declares."""
    await rig.exchange()
    path = f"cdata?SN=T1&table=ATTLOG&Stamp=5{declared}"
    assert (await rig.post(path, pack(PUNCH))).body == b"OK: 1"
    assert [one["pin"] for one in await rig.items("/attendance")] == ["7"]


@pytest_twisted.ensureDeferred
async def test_a_plain_body_that_is_declared_a_packet_is_read(rig: Rig) -> None:
    """The header lies, and the text is as good as any."""
    await rig.exchange()
    path = "cdata?SN=T1&table=ATTLOG&Stamp=5&ContentType=tgz"
    assert (await rig.post(path, PUNCH)).body == b"OK: 1"


@pytest_twisted.ensureDeferred
async def test_a_damaged_packet_is_kept_whole_with_its_request(rig: Rig) -> None:
    """Cut off in the middle."""
    await rig.exchange()
    packet = gzip.compress(PUNCH * 50)[:-9]
    assert (await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=5", packet)).body == b"OK: 0"
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == packet
    assert reject["origin"]["path"] == "/iclock/cdata"


@pytest.mark.parametrize(
    ("table", "query", "body"),
    [
        ("ATTLOG", "SN=T1&table=ATTLOG&Stamp=5", PUNCH),
        ("ATTLOG", "SN=T1&table=ATTLOG&Stamp=5", gzip.compress(PUNCH, mtime=0)),
        ("unnamed", "SN=T1&Stamp=5", PUNCH),
        (REQUEST, "SN=T1&table=ATTLOG", PUNCH),
    ],
    ids=["plain", "compressed", "without a table", "not served before"],
)
@pytest_twisted.ensureDeferred
async def test_a_whole_body_is_read_again_as_its_request_is_read_now(
    rig: Rig, table: str, query: str, body: bytes
) -> None:
    """An earlier version did not understand it; its stamp does not count any more."""
    await rig.exchange()
    origin = Origin("POST", "/iclock/cdata", query)

    def unit(tx) -> None:
        device = tx[DeviceStore].find("T1").id
        tx[RejectStore].add(device, [Reject(table, "old", body, origin=origin)], NOON * 1000)

    await rig.store.write(unit)
    response = await rig.api("POST", "/rejects/retry", {})
    assert response.json == {"read": 1, "kept": 0, "records": 1}
    assert [one["pin"] for one in await rig.items("/attendance")] == ["7"]
    assert b"ATTLOGStamp=0\n" in (await rig.exchange()).body


@pytest_twisted.ensureDeferred
async def test_a_request_that_is_still_not_served_stays(rig: Rig) -> None:
    """It is counted as kept, and nothing is read."""
    await rig.exchange()
    await rig.post("registry?SN=T1", b"x=1")
    assert (await rig.api("POST", "/rejects/retry", {})).json == {
        "read": 0,
        "kept": 1,
        "records": 0,
    }


@pytest_twisted.ensureDeferred
async def test_an_encoded_body_of_old_firmware_is_a_problem_that_names_the_setting(
    rig: Rig,
) -> None:
    """It is kept whole; anybody may read why, because the reason quotes nothing of it."""
    await rig.exchange()
    body = b"LZO1\x20\x00\x00\x00\x11\n\x22\r\n\x33\x00"
    assert (await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=5", body)).body == b"OK: 0"
    found = await problem(rig, ProblemCode.REJECTS)
    assert found is not None
    assert (
        "turn off the encryption of its data in the terminal's communication menu"
        in (found["detail"])
    )
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == body

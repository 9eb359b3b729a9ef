"""HTTP as terminals speak it (wire facts, section 2)."""

from __future__ import annotations

import re

import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol.errors import refusal

from ..rig import Rig, everything, talk

LINE = b"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n"
OLD_FIRMWARE_POST = (
    b"POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=1 HTTP/1.0\r\nHost: 192.0.2.1:8081\r\n"
    b"User-Agent: iClock Proxy/1.09\r\nConnection: close\r\nContent-Length: 32\r\n"
    b"Accept: */*\r\n\r\n" + LINE
)
NEW_FIRMWARE_PING = (
    b"GET /iclock/ping?SN=T1 HTTP/1.1\r\nCookie: token=cb386eb5f8219329db63356fb262ddff\r\n"
    b"Host: 192.0.2.1:8081\r\nUser-Agent: iClock Proxy/1.09\r\nConnection: starting\r\n"
    b"Accept: application/push\r\nAccept-Charset: UTF-8\r\nAccept-Language: zh-CN\r\n"
    b"Content-Type: application/push;charset=UTF-8\r\nContent-Language: zh-CN\r\n\r\n"
)
HEADERS = [b"Date", b"Content-Type", b"Content-Length"]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@pytest_twisted.ensureDeferred
async def test_success_is_status_200_in_the_version_of_the_request(
    rig: Rig, version: bytes
) -> None:
    """The status line begins as terminals look for it, with the space after 200."""
    await rig.exchange()
    raw = b"GET /iclock/getrequest?SN=T1 HTTP/%b\r\nHost: server\r\n\r\n" % version
    response = await talk(rig.terminals, raw)
    assert response.raw.startswith(b"HTTP/%b 200 " % version)


@pytest_twisted.ensureDeferred
async def test_a_request_of_old_firmware_is_served(rig: Rig) -> None:
    """HTTP/1.0 with five headers and no Content-Type is enough to store a punch."""
    await rig.exchange()
    response = await talk(rig.terminals, OLD_FIRMWARE_POST)
    assert response.body == b"OK: 1"
    assert [item["pin"] for item in await rig.items("/attendance")] == ["7"]


@pytest_twisted.ensureDeferred
async def test_the_heartbeat_of_the_spec_is_answered(rig: Rig) -> None:
    """A ping as section 10 shows it, with `Connection: starting`, is answered with bare OK.

    The token in it is that of the session.
    """
    cookie = (await rig.exchange()).header(b"Set-Cookie")
    token = cookie.partition(b";")[0].removeprefix(b"token=")
    ping = NEW_FIRMWARE_PING.replace(b"cb386eb5f8219329db63356fb262ddff", token)
    # Without the token first: once the terminal has returned it, every request has to.
    posted = await rig.post("ping?SN=T1", b"")
    assert (posted.status, posted.body) == (200, b"OK")
    assert (await talk(rig.terminals, ping)).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_form_content_type_changes_nothing(rig: Rig) -> None:
    """A body is a body: one that calls itself a form is not read as arguments."""
    await rig.exchange()
    raw = OLD_FIRMWARE_POST.replace(
        b"Accept: */*", b"Content-Type: application/x-www-form-urlencoded"
    )
    assert (await talk(rig.terminals, raw)).body == b"OK: 1"
    smuggled = b"SN=T2&table=ATTLOG"
    head = b"POST /iclock/cdata HTTP/1.1\r\nHost: s\r\nContent-Type: "
    head += b"application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(smuggled)
    assert (await talk(rig.terminals, head + smuggled)).status == 400


@pytest_twisted.ensureDeferred
async def test_a_body_can_wait_for_100_continue(rig: Rig) -> None:
    """A terminal that asks before it sends its body is told to go on."""
    await rig.exchange()
    raw = OLD_FIRMWARE_POST.replace(b"HTTP/1.0", b"HTTP/1.1")
    raw = raw.replace(b"Accept: */*", b"Expect: 100-continue")
    response = await talk(rig.terminals, raw)
    assert response.raw.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")
    assert response.raw.endswith(b"OK: 1")


@pytest.mark.parametrize(
    "path",
    [
        "getrequest",
        "getrequest/",
        "getrequest.aspx",
        "GetRequest.ASPX",
        "GETREQUEST",
        "iclock/getrequest",
        "iclock/iclock/getrequest.aspx",
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_path_is_the_same_in_every_spelling(rig: Rig, path: str) -> None:
    """Case, `.aspx`, a slash at the end and a doubled /iclock all mean the same resource."""
    await rig.exchange()
    assert (await rig.get(f"{path}?SN=T1")).body == b"OK"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/iclock",
        "/iclock/",
        "/iclock/iclock",
        "/getrequest",
        "/iclockx/getrequest",
        "//iclock/getrequest",
        "/iclock//getrequest",
        "/iclock/getrequest//",
        "/iclock/getrequest/.aspx",
        "/iclock/getrequest.aspx.aspx",
        "/iclock/getrequest/below",
        "/iclock/%67etrequest",
        "/x/../iclock/getrequest",
    ],
)
@pytest_twisted.ensureDeferred
async def test_no_other_spelling_is_a_path(rig: Rig, path: str) -> None:
    """What only resembles a path of terminals is not found."""
    await rig.exchange()
    raw = f"GET {path}?SN=T1 HTTP/1.1\r\nHost: server\r\n\r\n"
    assert (await talk(rig.terminals, raw.encode())).status == 404


@pytest_twisted.ensureDeferred
async def test_the_method_may_be_written_in_any_case(rig: Rig) -> None:
    """`Get`, as the spec itself writes it in section 9, is GET."""
    await rig.exchange()
    raw = b"Get /iClock/getrequest?SN=T1 HTTP/1.1\r\nHost: server\r\n\r\n"
    assert (await talk(rig.terminals, raw)).body == b"OK"


REQUESTS = {
    "exchange": ("GET", "cdata?SN=T1&options=all&pushver=2.4.1", b""),
    "poll": ("GET", "getrequest?SN=T1", b""),
    "upload": ("POST", "cdata?SN=T1&table=ATTLOG&Stamp=1", LINE),
    "options": ("POST", "cdata?SN=T1&table=options", b"FingerFunOn=1,FaceFunOn=1"),
    "answer": ("POST", "devicecmd?SN=T1", b"ID=1&Return=0&CMD=LOG\n"),
    "ping": ("GET", "ping?SN=T1", b""),
    "no such path": ("GET", "nothing?SN=T1", b""),
    "outside": ("GET", "../admin?SN=T1", b""),
    "below a leaf": ("GET", "ping/below?SN=T1", b""),
    "wrong method": ("DELETE", "cdata?SN=T1", b""),
    "no serial number": ("GET", "getrequest", b""),
    "bad serial number": ("GET", "getrequest?SN=..%2F..%2FOK", b""),
    "two serial numbers": ("GET", "getrequest?SN=T1&sn=OK2", b""),
    "no table": ("POST", "cdata?SN=T1", LINE),
    "a method that a path does not take": ("POST", "getrequest?SN=T1", b"OK"),
    "a path that is like success": ("POST", "OK?SN=T1", b"OK"),
    "no options": ("GET", "cdata?SN=T1", b""),
    "verification": ("POST", "cdata?SN=T1&type=PostVerifyData", b"PIN=1"),
    "remote attendance": ("GET", "cdata?SN=T1&table=RemoteAtt&PIN=1", b""),
}
SERVED = (
    *("exchange", "poll", "upload", "options", "answer", "ping", "verification"),
    *("no table", "no options"),
)


async def send(rig: Rig, method: str, path: str, body: bytes):
    """One of `REQUESTS`."""
    if method == "POST":
        return await rig.post(path, body)
    raw = f"{method} /iclock/{path} HTTP/1.1\r\nHost: server\r\n\r\n"
    return await talk(rig.terminals, raw.encode())


@pytest.mark.parametrize("name", REQUESTS)
@pytest_twisted.ensureDeferred
async def test_every_reply_has_what_terminals_search_for(rig: Rig, name: str) -> None:
    """Canonical header names, Date, length, text/plain, no chunks, a head under 1 KiB."""
    await rig.exchange()
    response = await send(rig, *REQUESTS[name])
    names = [key for key, _ in response.headers]
    assert [wanted for wanted in HEADERS if wanted in names] == HEADERS
    assert response.header(b"Content-Type") == b"text/plain"
    assert int(response.header(b"Content-Length")) == len(response.body) > 0
    assert re.fullmatch(
        rb"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", response.header(b"Date")
    )
    assert b"Transfer-Encoding" not in names
    assert len(response.head) < 1024


@pytest.mark.parametrize("name", [name for name in REQUESTS if name not in SERVED])
@pytest_twisted.ensureDeferred
async def test_no_refusal_looks_like_success(rig: Rig, name: str) -> None:
    """A refusal has another status than 200, and nowhere the letters that mean success."""
    await rig.exchange()
    response = await send(rig, *REQUESTS[name])
    assert response.status >= 400
    assert b"OK" not in response.raw


@pytest.mark.parametrize("admission", ["approve", "closed"])
@pytest_twisted.ensureDeferred
async def test_a_terminal_that_is_not_admitted_sees_no_success(make_rig, admission: str) -> None:
    """Whatever a terminal sends that is not admitted, it is refused, and keeps its data."""
    rig = await make_rig(admission=admission)
    for name in SERVED:
        response = await send(rig, *REQUESTS[name])
        assert response.status == 403, name
        assert b"OK" not in response.raw


@given(st.text())
def test_a_refusal_never_contains_the_letters_of_success(text: str) -> None:
    """Whatever a message says, TOKEN or BOOK, the terminal does not take it for success."""
    assert b"OK" not in refusal(text + "TOKEN")


@pytest_twisted.ensureDeferred
async def test_several_requests_share_a_connection(rig: Rig) -> None:
    """HTTP/1.1 connections stay open; pipelined requests are answered in their order."""
    await rig.exchange()
    poll = b"GET /iclock/getrequest?SN=T1 HTTP/1.1\r\nHost: server\r\n\r\n"
    close = poll.replace(b"Host: server", b"Connection: close\r\nHost: server")
    upload = OLD_FIRMWARE_POST.replace(b"HTTP/1.0", b"HTTP/1.1").replace(
        b"Connection: close", b"A: b"
    )
    response = await everything(rig.terminals, upload + poll + close)
    assert re.findall(rb"\r\n\r\n(OK(?:: 1)?)", response) == [b"OK: 1", b"OK", b"OK"]


@pytest_twisted.ensureDeferred
async def test_a_body_that_is_declared_too_large_is_refused_at_once(make_rig) -> None:
    """413 comes after the header, before any of the body, and the connection ends."""
    rig = await make_rig(limits={"body_bytes": 2048})
    await rig.exchange()
    head = (
        b"POST /iclock/cdata?SN=T1&table=ATTLOG HTTP/1.1\r\nHost: s\r\nContent-Length: 2049\r\n\r\n"
    )
    response = await everything(rig.terminals, head)
    assert response.startswith(b"HTTP/1.1 413 ")
    assert b"OK" not in response


@pytest_twisted.ensureDeferred
async def test_a_chunked_body_that_grows_too_large_is_refused(make_rig) -> None:
    """A body that declares no length is counted as it comes, and nothing of it is stored."""
    rig = await make_rig(limits={"body_bytes": 1024})
    await rig.exchange()
    head = (
        b"POST /iclock/cdata?SN=T1&table=ATTLOG HTTP/1.1\r\nHost: s\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"%x\r\n%b\r\n" % (len(LINE) * 20, LINE * 20)
    response = await everything(rig.terminals, head + chunk + chunk + b"0\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 413 ")
    assert await rig.items("/attendance") == []
    poll = b"GET /iclock/ping?SN=T1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    response = await everything(rig.terminals, poll + chunk + chunk + b"0\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 413 ")

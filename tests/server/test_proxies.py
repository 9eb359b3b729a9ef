"""The addresses of terminals behind proxies: `X-Forwarded-For`, and the PROXY protocol."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import sys

import pytest
import pytest_twisted
from twisted.internet import reactor, threads
from twisted.internet.endpoints import serverFromString

from zkpush.device.proxies import Proxies
from zkpush.device.refusals import Refusal

from ..rig import Response, Rig, everything, talk

PROXY, INNER, CLIENT, INVENTED = "192.0.2.1", "10.0.0.7", "203.0.113.5", "198.51.100.66"
TRUSTED = {"trusted": [PROXY, "10.0.0.0/8"]}
LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
V2 = b"\r\n\r\n\x00\r\nQUIT\n"
POLL = "GET /iclock/getrequest?SN=T1 HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n"


async def poll(rig: Rig, *headers: str, peer: str = PROXY) -> Response:
    """A poll of T1 with headers, from a peer."""
    lines = ["GET /iclock/getrequest?SN=T1 HTTP/1.1", "Host: s", *headers]
    return await talk(rig.terminals, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n", peer)


async def address(rig: Rig) -> str | None:
    """Where T1 was heard of last, as the API says."""
    return (await rig.items("/devices"))[0]["address"]


async def proxied(make_rig, **settings: object) -> Rig:
    """A daemon behind proxies, which has met T1."""
    rig = await make_rig(proxies=TRUSTED, **settings)
    await rig.exchange()
    return rig


# X-Forwarded-For.


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ([], PROXY),
        ([f"X-Forwarded-For: {CLIENT}"], CLIENT),
        ([f"x-FORWARDED-for: {CLIENT}"], CLIENT),
        ([f"X-Forwarded-For: {INVENTED}, {CLIENT}"], CLIENT),
        ([f"X-Forwarded-For: {CLIENT}, {INNER}, {PROXY}"], CLIENT),
        ([f"X-Forwarded-For: {INVENTED}", f"X-Forwarded-For: {CLIENT}"], CLIENT),
        ([f"X-Forwarded-For: {CLIENT}", f"X-Forwarded-For: {INNER}"], CLIENT),
        (["X-Forwarded-For: <script>, 203.0.113.5"], CLIENT),
        (["X-Forwarded-For: 203.0.113.5:40000"], CLIENT),
        (["X-Forwarded-For: ::ffff:203.0.113.5"], CLIENT),
        (["X-Forwarded-For: 2001:DB8::5"], "2001:db8::5"),
        (["X-Forwarded-For: [2001:db8::5]:40000"], "2001:db8::5"),
        (["X-Forwarded-For: 10.0.0.9, 10.0.0.8"], "10.0.0.9"),
        (["X-Forwarded-For:"], PROXY),
        ([f"Forwarded: for={CLIENT}"], PROXY),
        ([f"X-Real-IP: {CLIENT}"], PROXY),
        ([f"X-Forwarded-Fox: {CLIENT}", "Accept-Language: 10.0.0.1"], PROXY),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_trusted_proxy_says_whom_it_speaks_for(
    make_rig, headers: list[str], client: str
) -> None:
    """The last address that is not of a trusted proxy is the terminal's."""
    rig = await proxied(make_rig)
    assert (await poll(rig, *headers)).body == b"OK"
    assert await address(rig) == client


@pytest.mark.parametrize("value", ["unknown", "_gate", "1.2.3", f"{CLIENT}, x", "1.2.3.4\xb2"])
@pytest_twisted.ensureDeferred
async def test_a_trusted_proxy_that_says_nonsense_is_refused(make_rig, value: str) -> None:
    """400: the terminal keeps its data, and nothing invented is taken for an address."""
    rig = await proxied(make_rig)
    response = await poll(rig, f"X-Forwarded-For: {value}")
    assert response.status == 400
    assert b"OK" not in response.raw
    assert await address(rig) == "192.0.2.7"


@pytest.mark.parametrize("peer", [CLIENT, "11.0.0.1", "2001:db8::1"])
@pytest_twisted.ensureDeferred
async def test_nobody_else_is_believed(make_rig, peer: str) -> None:
    """From any other peer the header is nothing, whatever it says."""
    rig = await proxied(make_rig)
    for value in (INVENTED, "nonsense", "127.0.0.1", PROXY):
        assert (await poll(rig, f"X-Forwarded-For: {value}", peer=peer)).body == b"OK"
        assert await address(rig) == peer


@pytest_twisted.ensureDeferred
async def test_without_trusted_proxies_nobody_is_believed(rig: Rig) -> None:
    """As long as nothing is configured, also this machine is not."""
    await rig.exchange()
    for peer in ("127.0.0.1", PROXY):
        await poll(rig, f"X-Forwarded-For: {INVENTED}", peer=peer)
        assert await address(rig) == peer


@pytest_twisted.ensureDeferred
async def test_where_a_terminal_may_be_is_about_itself(make_rig) -> None:
    """Not about the proxy: what the proxy says is what counts, and what the client says is not."""
    rig = await proxied(make_rig)
    await rig.api("PATCH", "/devices/T1", {"networks": [CLIENT]})
    assert (await poll(rig, f"X-Forwarded-For: {CLIENT}")).status == 200
    assert (await poll(rig, f"X-Forwarded-For: {CLIENT}, {INVENTED}")).status == 403
    assert (await poll(rig)).status == 403
    assert (await poll(rig, f"X-Forwarded-For: {CLIENT}", peer=INVENTED)).status == 403


@pytest_twisted.ensureDeferred
async def test_requests_of_one_connection_may_be_of_different_terminals(make_rig) -> None:
    """A proxy keeps its connections; each request has its own address."""
    rig = await proxied(make_rig)
    await rig.exchange("T2")
    raw = "".join(
        f"GET /iclock/ping?SN={sn} HTTP/1.1\r\nHost: s\r\n{line}{end}\r\n"
        for sn, line, end in (
            ("T1", f"X-Forwarded-For: {CLIENT}\r\n", ""),
            ("T2", "", "Connection: close\r\n"),
        )
    )
    written = await everything(rig.terminals, raw.encode(), PROXY)
    assert written.count(b"\r\n\r\nOK") == 2
    shown = {device["sn"]: device["address"] for device in await rig.items("/devices")}
    assert shown == {"T1": CLIENT, "T2": PROXY}


def test_a_socket_file_may_be_a_proxy() -> None:
    """Who connects to it has no address, and is believed only if `unix` is trusted."""
    trusting = Proxies(["unix"])
    assert trusting
    assert trusting.trusts(None)
    assert not trusting.trusts("127.0.0.1")
    assert trusting.client(None, CLIENT.encode()) == CLIENT
    assert trusting.client(None, b"") is None
    assert not Proxies(["127.0.0.1"]).trusts(None)
    assert not Proxies()


def test_many_peers_are_not_remembered_for_ever() -> None:
    """Whether each is trusted is looked up anew after some thousands."""
    proxies = Proxies(["10.0.0.0/8"])

    def ask(second: int) -> None:
        for number in range(10_000):
            assert proxies.trusts(f"10.{second}.{number // 250}.{number % 250}")
            assert not proxies.trusts(f"11.{second}.{number // 250}.{number % 250}")

    ask(0)
    before = sys.getallocatedblocks()
    ask(1)
    assert sys.getallocatedblocks() - before < 10_000


# The PROXY protocol.


def v1(client: str, family: str = "TCP4") -> bytes:
    """A header of version 1."""
    return f"PROXY {family} {client} {PROXY} 40000 8081\r\n".encode()


def v2(client: str, *, extra: bytes = b"") -> bytes:
    """A header of version 2."""
    packed = ipaddress.ip_address(client).packed
    body = packed + packed + struct.pack("!HH", 40000, 8081) + extra
    return V2 + struct.pack("!BBH", 0x21, 0x11 if len(packed) == 4 else 0x21, len(body)) + body


async def behind(rig: Rig, *parts: bytes) -> bytes:
    """What a real `haproxy:tcp:` endpoint answers on one connection."""
    endpoint = serverFromString(reactor, "haproxy:tcp:0:interface=127.0.0.1")
    port = await endpoint.listen(rig.terminals.behind_proxy)

    def talk_thd() -> bytes:
        received = b""
        address = "127.0.0.1", port.getHost().port
        # The connection may be reset as soon as it is accepted.
        with (
            contextlib.suppress(ConnectionError),
            socket.create_connection(address, timeout=20) as sock,
        ):
            for part in parts:
                sock.sendall(part)
            while part := sock.recv(65536):
                received += part
        return received

    try:
        return await threads.deferToThread(talk_thd)
    finally:
        await port.stopListening()


@pytest.mark.parametrize(
    ("header", "client"),
    [
        (v1(CLIENT), CLIENT),
        (v1("2001:db8::5", "TCP6"), "2001:db8::5"),
        (v2(CLIENT), CLIENT),
        (v2(CLIENT, extra=b"\x04\x00\x01x"), CLIENT),
        (v2("2001:db8::5"), "2001:db8::5"),
        (b"PROXY UNKNOWN ::1 ::1 1 2\r\n", "127.0.0.1"),
        (V2 + b"\x20\x00\x00\x00", "127.0.0.1"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_address_is_that_of_the_proxy_header(
    rig: Rig, header: bytes, client: str
) -> None:
    """Version 1 and 2, in one packet with the request or before it; of a health check, its own."""
    await rig.exchange()
    for parts in ([header + POLL.encode()], [header, POLL.encode()]):
        assert (await behind(rig, *parts)).endswith(b"\r\n\r\nOK")
        assert await address(rig) == client


@pytest_twisted.ensureDeferred
async def test_an_upload_behind_a_proxy_is_stored(rig: Rig) -> None:
    """Two of them on a connection that is kept."""
    await rig.exchange()
    head = (
        "POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=1 HTTP/1.1\r\n"
        f"Host: s\r\nContent-Length: {len(LINE)}\r\n"
    )
    first, last = f"{head}\r\n".encode() + LINE, f"{head}Connection: close\r\n\r\n".encode() + LINE
    received = await behind(rig, v2(CLIENT) + first + last)
    assert received.count(b"\r\n\r\nOK: 1") == 2
    assert len(await rig.items("/attendance")) == 1


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"PROXY TCP4 999.0.0.1 192.0.2.1 1 2\r\n",
        b"PROXY TCP4 <script> 192.0.2.1 1 2\r\n",
        b"PROXY TCP4 gate 192.0.2.1 1 2\r\n",
        b"PROXY TCP9 203.0.113.5 192.0.2.1 1 2\r\n",
        b"PROXY " + b"x" * 200 + b"\r\n",
        V2 + b"\x21\x11\x00\x02ab",
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_has_no_proxy_header_is_not_served(rig: Rig, header: bytes) -> None:
    """Nor one that names no address."""
    await rig.exchange()
    received = await behind(rig, header + POLL.encode())
    assert received == b"" or received.startswith(b"HTTP/1.1 400 ")
    assert b"OK" not in received
    assert await address(rig) == "192.0.2.7"


@pytest_twisted.ensureDeferred
async def test_only_trusted_proxies_may_send_the_header_if_some_are_named(make_rig) -> None:
    """Else whoever reaches the port says from where it comes."""
    rig = await proxied(make_rig)
    assert await behind(rig, v1(CLIENT) + POLL.encode()) == b""
    assert await address(rig) == "192.0.2.7"
    assert rig.registry.refusals.counts[Refusal.PROXY] == 1
    rig = await make_rig(proxies={"trusted": ["127.0.0.1"]})
    await rig.exchange()
    assert (await behind(rig, v1(CLIENT) + POLL.encode())).endswith(b"OK")
    assert await address(rig) == CLIENT


@pytest_twisted.ensureDeferred
async def test_what_stands_behind_the_header_is_believed_of_a_trusted_proxy(make_rig) -> None:
    """`X-Forwarded-For` of the one that the header names, if that is one; else it is nothing."""
    rig = await make_rig(proxies={"trusted": ["127.0.0.1", INNER]})
    await rig.exchange()
    forwarded = POLL.replace("Host: s", f"X-Forwarded-For: {INVENTED}").encode()
    assert (await behind(rig, v1(CLIENT) + forwarded)).endswith(b"OK")
    assert await address(rig) == CLIENT
    assert (await behind(rig, v1(INNER) + forwarded)).endswith(b"OK")
    assert await address(rig) == INVENTED


@pytest_twisted.ensureDeferred
async def test_connections_are_counted_by_the_client_behind_the_proxy(make_rig) -> None:
    """One terminal cannot take all of them; the proxy itself may."""
    rig = await make_rig(limits={"connections_per_address": 2})
    await rig.exchange()
    endpoint = serverFromString(reactor, "haproxy:tcp:0:interface=127.0.0.1")
    port = await endpoint.listen(rig.terminals.behind_proxy)

    def talk_thd(client: str, count: int) -> list[bytes]:
        half = POLL.encode()[:30]
        rest = POLL.encode()[30:]
        socks = []
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", port.getHost().port), timeout=20)
            sock.sendall(v1(client) + half)
            socks.append(sock)
        received = []
        for sock in reversed(socks):
            try:
                sock.sendall(rest)
                received.append(sock.recv(65536)[:12])
            except ConnectionError:
                received.append(b"")
            sock.close()
        return received

    try:
        answers = await threads.deferToThread(talk_thd, CLIENT, 4)
        assert sum(answer == b"HTTP/1.1 200" for answer in answers) == 2
        answers = await threads.deferToThread(talk_thd, INVENTED, 2)
        assert answers == [b"HTTP/1.1 200"] * 2
    finally:
        await port.stopListening()
    assert rig.registry.refusals.counts[Refusal.CONNECTIONS_PER_ADDRESS] == 2

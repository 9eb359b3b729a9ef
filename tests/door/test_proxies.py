"""nginx and HAProxy in front, with the configurations in deploy/."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import pathlib
import re
import ssl
import threading
from collections.abc import Iterator

import pytest

from zkpush.crypto.terminal import TerminalCipher
from zkpush.protocol.envelope import encode_seal, place_of
from zkpush.protocol.requests import parse_arguments

from ..daemon.process import Daemon
from ..daemon.test_process import wait_until
from .proxies import CONFIGURATIONS, NAMES, ROOT, Proxy, Upstream, free_ports, program, take_reply

LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
MOST = 64 * 1024 * 1024
"""limits.body_bytes, unless it is configured."""
LONG_AGO = b"Sat, 06 Jan 2001 10:00:00 GMT"
MANUAL = (ROOT / "docs" / "deployment.md").read_text()
FIRMWARE = hashlib.shake_128(b"firmware").digest(20_000_000)


class Site:
    """A daemon on ports that stay, with a proxy in front."""

    def __init__(self, name: str, folder: pathlib.Path) -> None:
        self.folder = folder
        self.orders = folder / "orders"
        self.orders.mkdir()
        self._ports = free_ports(2)
        self.daemon = self.start()
        self.proxy = Proxy(name, folder / "proxy", *self._ports)

    def start(self) -> Daemon:
        """Start the daemon, again if it was killed."""
        terminals, people = (f"tcp:{port}:interface=127.0.0.1" for port in self._ports)
        database = f"obedient:///{self.folder / 'db.sqlite'}"
        self.daemon = Daemon(
            self.folder / "data",
            *("--listen", terminals, "--manage", people, "--database", database),
            env={"ZKPUSH_TEST_ORDERS": str(self.orders)},
        )
        self.daemon.exchange("T1")
        self.daemon.exchange("T2")
        return self.daemon

    def ask(self, raw: bytes) -> tuple[bytes, bytes]:
        """Head and body of the reply to one request through the proxy."""
        with self.proxy.connect() as connection:
            connection.sendall(raw)
            return take_reply(connection)

    def stop(self) -> None:
        """End both."""
        self.proxy.stop()
        self.daemon.kill()
        self.daemon.output()


@pytest.fixture(scope="module", params=NAMES)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A daemon behind one of the proxies."""
    program(request.param)
    site = Site(request.param, tmp_path_factory.mktemp(request.param))
    yield site
    site.stop()


@pytest.fixture(params=NAMES)
def behind(request: pytest.FixtureRequest, tmp_path: pathlib.Path):
    """Make a proxy in front of a server of the test."""
    made: list[Proxy | Upstream] = []

    def make(answer) -> tuple[Proxy, Upstream]:
        upstream = Upstream(answer)
        made.append(upstream)
        proxy = Proxy(request.param, tmp_path / "proxy", upstream.port, upstream.port)
        made.append(proxy)
        return proxy, upstream

    yield make
    for one in made:
        one.stop()


def get(path: str, version: str = "1.1", *lines: str) -> bytes:
    """A terminal's GET."""
    return "\r\n".join(
        [f"GET {path} HTTP/{version}", "Host: s", "User-Agent: iClock Proxy/1.09", *lines, "", ""]
    ).encode()


def post(path: str, body: bytes, version: str = "1.1", *lines: str) -> bytes:
    """A terminal's POST."""
    length = f"Content-Length: {len(body)}"
    return get(path, version, length, *lines).replace(b"GET", b"POST", 1) + body


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_is_sound(name: str, tmp_path: pathlib.Path) -> None:
    """The proxy itself finds nothing to say about the file that users copy."""
    upstream = Upstream(lambda _: None)
    proxy = Proxy(name, tmp_path / "proxy", upstream.port, upstream.port)
    proxy.stop()
    upstream.stop()
    said = (tmp_path / "proxy" / "output").read_text()
    assert "WARNING" not in said.replace("Exiting Master process", "")
    assert "warn" not in said


@pytest.mark.parametrize("name", NAMES)
def test_the_manual_shows_the_configuration_that_is_tested(name: str) -> None:
    """Word by word."""
    assert CONFIGURATIONS[name].read_text() in MANUAL


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(
    ("make", "body"),
    [
        (lambda *rest: get("/iclock/getrequest?SN=T2", *rest), b"OK"),
        (lambda *rest: post("/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1", LINE, *rest), b"OK: 1"),
        (lambda *rest: get("/iclock/cdata?SN=T1&options=all", *rest), None),
        (lambda *rest: get("/iclock/nothing?SN=T1", *rest), None),
    ],
)
def test_a_reply_is_what_firmware_can_read(site: Site, version: str, make, body) -> None:
    """Lengths, canonical names, plain text and a Date; nothing in chunks, nothing packed."""
    lines = ("Connection: close", "Accept-Encoding: gzip, deflate") if version == "1.0" else ()
    head, content = site.ask(make(version, *lines))
    assert head.startswith((b"HTTP/1.1 200 ", b"HTTP/1.0 200 ", b"HTTP/1.1 404 ", b"HTTP/1.0 404 "))
    assert b"\r\nContent-Length: %d\r\n" % len(content) in head
    assert b"\r\nContent-Type: text/plain\r\n" in head
    assert head.count(b"\r\nDate: ") == 1
    assert b"transfer-encoding" not in head.lower()
    assert b"content-encoding" not in head.lower()
    assert len(head) < 1024
    if b" 200 " in head[:15]:
        assert content == (body if body is not None else content)
        assert content.startswith((b"OK", b"GET OPTION FROM: T1\n"))
    else:
        assert b"OK" not in content


def test_the_clock_of_terminals_is_that_of_the_daemon(behind) -> None:
    """The proxy passes its `Date` on, and puts none of its own beside it."""
    proxy, _ = behind(
        lambda _: (
            b"HTTP/1.1 200 OK\r\nDate: %b\r\nContent-Type: text/plain\r\n"
            b"Content-Length: 2\r\n\r\nOK" % LONG_AGO
        )
    )
    with proxy.connect() as connection:
        connection.sendall(get("/iclock/getrequest?SN=T1"))
        head, body = take_reply(connection)
    assert body == b"OK"
    assert [line for line in head.split(b"\r\n") if line.lower().startswith(b"date:")] == [
        b"Date: " + LONG_AGO
    ]


def test_the_largest_body_passes_and_one_byte_more_is_refused_before_it_is_sent(site: Site) -> None:
    """413 comes on the header alone, and the daemon never hears of it."""
    target = "/iclock/cdata?SN=T1&table=WHATEVER&Stamp=1"
    head, body = site.ask(post(target, bytes(MOST)))
    assert (head[9:13], body[:2]) == (b"200 ", b"OK")
    more = get(target, "1.1", f"Content-Length: {MOST + 1}").replace(b"GET", b"POST", 1)
    head, body = site.ask(more)
    assert head[9:13] == b"413 "
    assert b"OK" not in body
    rejects = site.daemon.api("GET", "rejects?limit=1000")["items"]
    assert sum(reject["table"] == "WHATEVER" for reject in rejects) == 1


def test_nothing_is_acknowledged_before_the_daemon_does(site: Site) -> None:
    """While the database does not commit, the terminal waits; then it gets the daemon's answer."""
    (site.orders / "hold").touch()
    with site.proxy.connect() as connection:
        connection.sendall(post("/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1", LINE))
        connection.settimeout(0.7)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        (site.orders / "hold").unlink()
        connection.settimeout(30)
        assert take_reply(connection)[1] == b"OK: 1"


def test_files_are_fetched_whole_and_in_parts(site: Site) -> None:
    """Ranges are the daemon's, of the bytes that were asked for."""
    connection = http.client.HTTPSConnection(
        "localhost", site.proxy.people, timeout=60, context=site.proxy.context
    )
    headers = {"Authorization": f"Bearer {site.daemon.token}"}
    connection.request("POST", "/api/v1/files?name=emfw.cfg", FIRMWARE, headers)
    added = json.load(connection.getresponse())
    connection.close()
    command = {"command": "UPGRADE", "params": {"file": str(added["id"]), "form": "2"}}
    site.daemon.api("POST", "devices/T1/commands", command)
    _, line = site.ask(get("/iclock/getrequest?SN=T1", "1.1"))
    url = re.search(rb"file/[0-9a-z]{26}/[^\s,]+", line)
    assert url is not None, line
    target = f"/iclock/file?SN=T1&url={url[0].decode()}"
    head, body = site.ask(get(target, "1.0"))
    assert head[9:13] == b"200 "
    assert body == FIRMWARE
    head, body = site.ask(get(target, "1.1", "Range: bytes=1000000-5999999"))
    assert head[9:13] == b"206 "
    assert b"\r\nContent-Range: bytes 1000000-5999999/20000000\r\n" in head
    assert b"\r\nAccept-Ranges: bytes\r\n" in head
    assert b"\r\nContent-MD5: " in head
    assert body == FIRMWARE[1_000_000:6_000_000]


def test_an_encrypted_session_passes(site: Site) -> None:
    """Its exchanges, the token, sealed bodies and long arguments come through as they are."""
    cipher = TerminalCipher("T7")
    head, _ = site.ask(get("/iclock/cdata?SN=T7&options=all&pushver=2.4.1", "1.1"))
    assert b"\r\nSet-Cookie: token=" in head
    exchange = "/iclock/exchange?SN=T7&type"
    _, keys = site.ask(post(f"{exchange}=publickey", b"PublicKey=" + cipher.begin(), "1.1"))
    factor = cipher.factor(keys.removeprefix(b"PublicKey="))
    _, factors = site.ask(post(f"{exchange}=factors", b"Factors=" + factor, "1.1"))
    cipher.agree(factors.removeprefix(b"Factors="))
    query = "table=ATTLOG&Stamp=1"
    place = place_of("T7", "POST", b"/iclock/cdata", parse_arguments(query.encode()))
    upload = cipher.seal(place, b"77\t2026-01-05 08:00:00\t0\t1\n")
    _, body = site.ask(post(f"/iclock/cdata?SN=T7&{query}", upload.sealed, "1.1"))
    assert cipher.open(place, upload.number, body) == b"OK: 1"
    place = place_of("T7", "GET", b"/iclock/getrequest", parse_arguments(b""))
    poll = cipher.seal(place)
    target = f"/iclock/getrequest?SN=T7&seal={encode_seal(poll.sealed)}"
    _, body = site.ask(get(target, "1.1"))
    assert cipher.open(place, poll.number, body) == b"OK"


@pytest.mark.parametrize(
    "path",
    ["cdata.aspx", "cdata/", "iclock/cdata", "CData"],
)
def test_paths_of_old_firmware_pass(site: Site, path: str) -> None:
    """However they are written, they reach the daemon as they are."""
    for prefix in ("/iclock/", "/ICLOCK/"):
        head, body = site.ask(get(f"{prefix}{path}?SN=T1&options=all", "1.0"))
        assert body.startswith(b"GET OPTION FROM: T1\n"), head


def test_a_method_in_small_letters_passes_haproxy_and_not_nginx(site: Site) -> None:
    """Old firmware writes `Get`. nginx takes that for no HTTP, and can only pass it on as TCP."""
    head, body = site.ask(get("/iclock/getrequest?SN=T2", "1.0").replace(b"GET", b"Get", 1))
    if site.proxy.name == "nginx":
        assert head[9:13] == b"400 "
        assert b"OK" not in body
    else:
        assert (head[9:13], body) == (b"200 ", b"OK")


def test_who_waits_to_be_told_to_go_on_is_told(site: Site) -> None:
    """`Expect: 100-continue` is answered before the body is sent."""
    raw = post("/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1", LINE, "1.1", "Expect: 100-continue")
    with site.proxy.connect() as connection:
        connection.sendall(raw.removesuffix(LINE))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(LINE)
        assert take_reply(connection)[1] == b"OK: 1"


def test_a_body_in_chunks_is_stored(site: Site) -> None:
    """Whatever the proxy makes of the chunks."""
    raw = get("/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1", "1.1", "Transfer-Encoding: chunked")
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(LINE), LINE)
    assert site.ask(raw.replace(b"GET", b"POST", 1) + chunks)[1] == b"OK: 1"


def test_events_come_when_they_happen(site: Site) -> None:
    """The proxy holds no event back until there are more."""
    with site.proxy.connect(people=True) as connection:
        token = f"Authorization: Bearer {site.daemon.token}"
        connection.sendall(get("/api/v1/events", "1.1", token))
        told = connection.recv(65_536)
        assert told.startswith(b"HTTP/1.1 200 ")
        site.ask(post("/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1", b"88" + LINE[1:]))
        connection.settimeout(5)
        while b'"pin":"88"' not in told:
            told += connection.recv(65_536)


@pytest.mark.long
def test_a_daemon_that_is_killed_behind_it_loses_nothing(site: Site) -> None:
    """What was acknowledged through the proxy is stored, once, and service comes back by itself."""
    acknowledged: list[str] = []
    refused: list[bytes] = []
    stop = threading.Event()
    pins = itertools.count(100_000)

    def push() -> None:
        while not stop.is_set():
            pin = str(next(pins))
            body = f"{pin}\t2026-01-05 08:00:00\t0\t1\n".encode()
            try:
                _, reply = site.ask(post("/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1", body))
            except OSError:
                continue
            if reply == b"OK: 1":
                acknowledged.append(pin)
            else:
                refused.append(reply)

    threads = [threading.Thread(target=push) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(acknowledged) > 30)
    site.daemon.kill()
    site.daemon.output()
    wait_until(lambda: len(refused) > 5)
    site.start()
    before = len(acknowledged)
    wait_until(lambda: len(acknowledged) > before + 30)
    stop.set()
    for thread in threads:
        thread.join()
    assert not any(b"OK" in reply for reply in refused)
    stored = site.daemon.pins()
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))


@pytest.mark.parametrize("make", [get, lambda path: post(path, LINE)], ids=["GET", "POST"])
def test_a_request_that_gets_no_answer_is_not_sent_again(behind, make) -> None:
    """On a new connection, and on one that has served before: the terminal decides, not the proxy.

    A poll that is doubled takes commands along that nobody gets.
    """
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
    proxy, upstream = behind(lambda head: None if b"/die" in head else reply)
    for number in range(3):
        with proxy.connect() as connection:
            connection.sendall(make(f"/iclock/fine/{number}"))
            assert take_reply(connection)[1] == b"OK"
            connection.sendall(make(f"/iclock/die/{number}"))
            head, body = take_reply(connection)
            assert head[9:13] in (b"502 ", b"")
            assert b"OK" not in body
    seen = [head.split(b" ")[1].decode() for head in upstream.heads]
    for number in range(3):
        assert seen.count(f"/iclock/die/{number}") == 1


@pytest.mark.parametrize("name", NAMES)
def test_old_firmware_is_served_where_the_manual_says_how(
    name: str, tmp_path: pathlib.Path
) -> None:
    """TLS 1.1 ends in the handshake, unless both lines of the manual are there."""

    def lower(text: str) -> str:
        if name == "nginx":
            lines = (
                "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;",
                "ssl_ciphers DEFAULT:@SECLEVEL=0;",
            )
            assert all(line in MANUAL for line in lines)
            return text.replace("ssl_protocols       TLSv1.2 TLSv1.3;", " ".join(lines), 1)
        words = "ssl-min-ver TLSv1.0 ciphers DEFAULT:@SECLEVEL=0"
        assert words in MANUAL
        return text.replace(" alpn http/1.1", f" alpn http/1.1 {words}", 1)

    upstream = Upstream(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
    for change, taken in ((str, False), (lower, True)):
        folder = tmp_path / change.__name__
        proxy = Proxy(name, folder, upstream.port, upstream.port, change)
        proxy.context.set_ciphers("ALL:@SECLEVEL=0")
        proxy.context.minimum_version = proxy.context.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            if taken:
                assert proxy.connect().version() == "TLSv1.1"
            else:
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    proxy.connect()
        finally:
            proxy.stop()
    upstream.stop()


def test_whom_it_speaks_for_is_not_what_the_client_says(behind) -> None:
    """`X-Forwarded-For` of the client does not get through."""
    proxy, upstream = behind(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
    with proxy.connect() as connection:
        connection.sendall(get("/iclock/ping?SN=T1", "1.1", "X-Forwarded-For: 203.0.113.9"))
        take_reply(connection)
    (head,) = upstream.heads
    named = [line for line in head.lower().split(b"\r\n") if line.startswith(b"x-forwarded-for:")]
    assert named == [b"x-forwarded-for: 127.0.0.1"]


def test_silent_connections_hold_up_nobody(site: Site) -> None:
    """Those that say nothing, or half a header, stay at the proxy."""
    silent = [site.proxy.connect() for _ in range(20)]
    silent[0].sendall(b"GET /iclock/")
    assert site.ask(get("/iclock/getrequest?SN=T2"))[1] == b"OK"
    for connection in silent:
        connection.close()


def test_a_proxy_that_is_not_installed_is_a_failure_only_in_ci(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Elsewhere the test is skipped, and says what to install."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install no-such-proxy"):
        program("no-such-proxy")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-proxy is not installed"):
        program("no-such-proxy")


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_date_that_nginx_adds_is_a_problem(tmp_path: pathlib.Path, is_ours: bool) -> None:
    """The daemon sends none to a terminal without a zone; nginx adds one, unless it is configured
    as deploy/nginx.conf is. The problem says that a proxy may be the cause."""
    program("nginx")
    ports = free_ports(2)
    listen, manage = (f"tcp:{port}:interface=127.0.0.1" for port in ports)
    folder = tmp_path / "data"
    unknown = {"TZ": ":/etc/localtime"}
    daemon = Daemon(folder, "--listen", listen, "--manage", manage, env=unknown)

    def change(text: str) -> str:
        return text if is_ours else text.replace("proxy_pass_header Date;", "")

    proxy = Proxy("nginx", tmp_path / "proxy", *ports, change)
    try:
        with proxy.connect() as connection:
            connection.sendall(get("/iclock/cdata?SN=T1&options=all&pushver=2.4.1"))
            head, body = take_reply(connection)
        assert (b"\r\nDate: " in head) is not is_ours
        assert body.startswith(b"GET OPTION FROM: T1\n")
        assert b"TimeZone" not in body
        found = {one["code"]: one for one in daemon.api("GET", "problems?device=T1")["items"]}
        assert "proxy_pass_header Date" in found["clock set by a proxy"]["advice"]
        daemon.api("PATCH", "devices/T1", {"timezone": "Europe/Berlin"})
        assert daemon.api("GET", "problems?device=T1")["items"] == []
    finally:
        proxy.stop()
        daemon.kill()
        daemon.output()

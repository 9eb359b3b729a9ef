"""What the console costs: each page on a large site, and open consoles beside terminals."""

from __future__ import annotations

import datetime
import http.client
import json
import pathlib
import re
import selectors
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from html import unescape
from urllib.parse import quote, urlencode, urlsplit

from zkpush.manage.console.pages import PREFIX, ConsolePage
from zkpush.testing.rig import Rig

from .load import Load, run
from .measure import Result
from .requests import polls, upload_head, uploads
from .scale import Scale, folder
from .servers import Zkpush, start_with_one
from .site import fill_site

ROUNDS = 9
MOST_MS = 50.0
MOST_BYTES = 50_000
POLL_MS = 20.0
OPEN = 100
"""Consoles that are open beside terminals."""
POLLING = 200
"""Terminals that poll meanwhile."""
POLLS_A_SECOND = 100
POLL_SECONDS = 20
PUNCHES = 1_000_000
"""Punches of a short run."""
PASSWORD = "seven green bicycles"  # noqa: S105 - of the benchmark only
PUBLIC = frozenset({"/sign-in", "/welcome/<secret>"})
_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
_LIVE = re.compile(r'sse-connect="/console/live\?([^"]*)"')


class Browser:
    """An account that has signed in."""

    def __init__(self, server: Zkpush, data: pathlib.Path) -> None:
        where = urlsplit(server.manage)
        self._host, self._port = str(where.hostname), where.port
        self._token = (data / "admin.token").read_text().strip()
        self.cookie = ""

    def api(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """Send a request of the API."""
        reply, content = self._request(
            method,
            f"/api/v1{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        if reply.status >= http.HTTPStatus.BAD_REQUEST:
            raise RuntimeError(f"{path}: {reply.status} {content!r}")
        found: dict[str, object] = json.loads(content or b"{}")
        return found

    def sign_up(self, name: str) -> None:
        """Make an account with all scopes, and sign in."""
        scopes = ["read", "biometrics", "write", "dangerous", "admin"]
        made = self.api("POST", "/accounts", {"name": name, "scopes": scopes})
        link = made["link"]
        assert isinstance(link, dict)
        fields = urlencode({"password": PASSWORD, "again": PASSWORD})
        self._take(link["path"], fields)

    def sign_in(self, name: str) -> None:
        """Begin another session."""
        self._take(f"{PREFIX}/sign-in", urlencode({"name": name, "password": PASSWORD}))

    def _take(self, path: str, fields: str) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        reply, content = self._request("POST", path, fields.encode(), headers)
        if reply.status != http.HTTPStatus.SEE_OTHER:
            raise RuntimeError(f"{path}: {reply.status} {content!r}")
        cookies = reply.headers.get_all("Set-Cookie", [])
        self.cookie = "; ".join(cookie.partition(";")[0] for cookie in cookies)

    def get(self, path: str) -> bytes:
        """Get a page of the console; `LookupError` if what it is about does not exist."""
        reply, content = self._request("GET", PREFIX + path, None, {"Cookie": self.cookie})
        if reply.status == http.HTTPStatus.NOT_FOUND:
            raise LookupError(path)
        if reply.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path}: {reply.status} {content[:2000]!r}")
        return content

    def listen(self, parts: str) -> socket.socket:
        """Open the live stream of a page."""
        sock = socket.create_connection((self._host, self._port), timeout=60)
        sock.sendall(
            f"GET {PREFIX}/live?{parts} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Cookie: {self.cookie}\r\n\r\n".encode()
        )
        head = sock.recv(65536)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the live stream was refused: {head!r}")
        return sock

    def _request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=600)
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        return reply, content


def consoles(scale: Scale) -> Iterator[Result]:
    """All pages of a large site, and open consoles beside its terminals.

    A short run has a tenth of the punches.
    """
    data = folder()
    start_with_one(data).stop()
    punches = max(scale.stored, PUNCHES)
    fill_site(data, punches)
    server = Zkpush(data)
    try:
        yield from page_results(server, data, punches)
        yield from open_results(server, data)
    finally:
        server.stop()


def page_paths(names: Mapping[str, object]) -> list[tuple[str, str]]:
    """The routes of all pages that need a session, with a path of each."""
    with tempfile.TemporaryDirectory() as folder:
        console = Rig(pathlib.Path(folder)).manage.pages.console
    return [
        (page.path, _VARIABLE.sub(lambda found: quote(str(names.get(found[1], 1))), page.path))
        for _, page in console.pages
        if isinstance(page, ConsolePage) and not page.is_file and page.path not in PUBLIC
    ]


def _prepare(browser: Browser, server: Zkpush) -> dict[str, object]:
    """Add one of each thing that has a page; the values of variables in paths."""
    run(server.ports, _reject(), count=1, connections=1, keep_alive=False)
    job = browser.api("POST", "/commands", {"command": "INFO", "devices": ["T1"]})
    command = browser.api("POST", "/devices/T1/commands", {"command": "LOG"})
    receiver = {"name": "payroll", "url": "https://payroll.example/punches"}
    browser.api("POST", "/forwarders", receiver)
    yesterday = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
    return {
        "name": "Building 3",
        "sn": "OLD7",
        "pin": "77",
        "day": yesterday,
        "job_id": job["id"],
        "command_id": command["id"],
    }


def _reject() -> Iterator[bytes]:
    body = b"1\tno time of any day\t0\t1\n"
    yield upload_head("T1", len(body)) + body


def page_results(server: Zkpush, data: pathlib.Path, punches: int) -> Iterator[Result]:
    """Time and size of each page, on a site whose index of the days' ends is complete."""
    server.rest()
    browser = Browser(server, data)
    browser.sign_up("ann")
    names = _prepare(browser, server)
    medians: dict[str, float] = {}
    longest: dict[str, float] = {}
    sizes: dict[str, float] = {}
    costs: dict[str, float] = {}
    missing = 0
    for route, path in [
        *page_paths(names),
        ("/attendance of a person", "/attendance?person=77&period=this-month"),
        ("/attendance of a terminal", "/attendance?device=OLD7&period=this-month"),
        ("/attendance of an area", "/attendance?area=Building+3&period=last-month"),
        ("/people by name", "/people?text=Person+77"),
    ]:
        try:
            browser.get(path)
        except LookupError:  # the site has no such thing, such as a file
            missing += 1
            continue
        waits = []
        begun = server.cpu()
        for _ in range(ROUNDS):
            before = time.monotonic()
            sizes[route] = len(browser.get(path))
            waits.append((time.monotonic() - before) * 1000)
        costs[route] = (server.cpu() - begun) / ROUNDS * 1000
        medians[route], longest[route] = statistics.median(waits), max(waits)
    slow = max(medians, key=lambda route: medians[route])
    large = max(sizes, key=lambda route: sizes[route])
    site = f"1,000 terminals, 10,000 people, {punches:,} punches"
    yield Result(
        f"slowest page of the console ({slow}), {site}: median",
        "50 ms",
        medians[slow],
        MOST_MS,
        {
            "cpu_us": costs[slow] * 1000,
            "missing_pages": missing,
            "worst_ms": max(longest.values()),
            **{f"cpu_ms {route}": costs[route] for route in costs},
            **{f"median_ms {route}": medians[route] for route in medians},
            **{f"worst_ms {route}": longest[route] for route in longest},
        },
        "ms",
    )
    yield Result(
        f"largest page of the console ({large})",
        "50 KB",
        sizes[large] / 1000,
        MOST_BYTES / 1000,
        {f"bytes {route}": sizes[route] for route in sizes},
        "KB",
    )


class OpenConsoles:
    """Consoles that show the overview, each with a session of its own, and read their streams."""

    def __init__(self, server: Zkpush, data: pathlib.Path, count: int) -> None:
        self.received = 0
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        browser = Browser(server, data)
        for _ in range(count):
            browser.sign_in("ann")
            found = _LIVE.search(browser.get("/").decode())
            assert found is not None
            sock = browser.listen(unescape(found[1]))
            self._selector.register(sock, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.5):
                part = key.fileobj.recv(1 << 20)  # type: ignore[union-attr]  # a socket
                if not part:
                    raise RuntimeError("a live stream has ended")
                self.received += len(part)

    def close(self) -> None:
        """Close all."""
        self._ended.set()
        self._thread.join()
        for key in [*self._selector.get_map().values()]:
            key.fileobj.close()  # type: ignore[union-attr]  # a socket
        self._selector.close()


def open_results(server: Zkpush, data: pathlib.Path) -> Iterator[Result]:
    """Polls beside open consoles, while punches come in."""
    terminals = [f"P{number}" for number in range(POLLING)]
    for sn in terminals:
        server.exchange(sn)
    alone = _polled(server, terminals, 0)
    consoles = OpenConsoles(server, data, OPEN)
    try:
        beside = _polled(server, terminals, 1)
        rendered = consoles.received
    finally:
        consoles.close()
    yield Result(
        f"polls beside {OPEN} open consoles, p99",
        "20 ms",
        beside.percentile(0.99),
        POLL_MS,
        {
            "p50_ms": beside.percentile(0.5),
            "p99_ms": beside.percentile(0.99),
            "alone_p50_ms": alone.percentile(0.5),
            "alone_p99_ms": alone.percentile(0.99),
            "kilobytes_to_consoles": rendered / 1000,
        },
        "ms",
    )


def _polled(server: Zkpush, terminals: list[str], turn: int) -> Load:
    """Poll for some seconds at a steady rate, with a punch at every tenth poll."""
    load = Load()
    requests = polls(b"close", terminals)
    punches = uploads(terminals, 1, turn * 100_000)
    began = time.monotonic()
    for number in range(POLL_SECONDS * POLLS_A_SECOND):
        time.sleep(max(0.0, began + number / POLLS_A_SECOND - time.monotonic()))
        one = run(server.ports, requests, count=1, connections=1, keep_alive=False)
        load.latencies += one.latencies
        load.wrong += one.wrong
        if number % 10 == 0:
            run(server.ports, punches, count=1, connections=1, keep_alive=False)
    assert load.wrong == 0
    return load

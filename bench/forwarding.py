"""What forwarding costs: a large backlog to one receiver, beside terminals that poll."""

from __future__ import annotations

import http.client
import json
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from .measure import Result
from .scale import Scale
from .servers import Zkpush

BACKLOG = 1_000_000
RATE = 2000.0
"""Events a second, at least."""
POLL_MS = 20.0
GROWTH_MIB = 64.0
"""The memory of a daemon may grow by so much, however long the backlog is."""
PAUSE = 0.02
"""Seconds between two polls."""
LONGEST = 3600.0


def backlog_of(scale: Scale) -> int:
    """How many events wait."""
    return min(BACKLOG, scale.stored)


def forwarding_results(server: Zkpush, data: pathlib.Path, count: int) -> Iterator[Result]:
    """Drain the backlog of a daemon whose database is filled."""
    receiver = subprocess.Popen(
        [sys.executable, "-m", "bench.forwarding"], stdout=subprocess.PIPE, text=True
    )
    assert receiver.stdout is not None
    url = f"http://127.0.0.1:{int(receiver.stdout.readline())}/"
    try:
        quiet = [_poll(server) for _ in range(100)]
        before, begun = server.memory(), time.monotonic()
        body = {
            "name": "bench",
            "url": url,
            "allow_private": True,
            "rules": {"since": "1970-01-01"},
        }
        forwarder = f"/forwarders/{_api(server, data, 'POST', '/forwarders', body)['id']}"
        waits, most, looked = [], before, time.monotonic()
        while True:
            waits.append(_poll(server))
            time.sleep(PAUSE)
            if time.monotonic() - looked > 1:
                looked = time.monotonic()
                most = max(most, server.memory())
                found = _api(server, data, "GET", forwarder)
                if found["delivered"] and not found["backlog"]:
                    break
                if found["last_error"] or looked - begun > LONGEST:
                    raise RuntimeError(f"the backlog is not drained: {found}")
        seconds = time.monotonic() - begun
    finally:
        receiver.kill()
    ordered = sorted(waits)
    worst = ordered[int(0.99 * (len(ordered) - 1))]
    yield Result(
        f"forwarding a backlog of {count:,} punches to one receiver",
        "",
        found["delivered"] / seconds,
        RATE,
        {"events_a_second": found["delivered"] / seconds, "seconds": seconds},
        unit="/s",
        is_least=True,
    )
    yield Result(
        "a poll beside forwarding, p99",
        "",
        worst,
        POLL_MS,
        {"p99_ms": worst, "p50_ms": ordered[len(ordered) // 2], "quiet_ms": sorted(quiet)[50]},
        unit="ms",
    )
    yield Result(
        f"memory that a backlog of {count:,} takes",
        "",
        (most - before) / 2**20,
        GROWTH_MIB,
        {"memory_mib": most / 2**20},
        unit="MiB",
    )


def _poll(server: Zkpush) -> float:
    """Milliseconds of a poll on a new connection."""
    begun = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/iclock/getrequest?SN=T1")
    status = connection.getresponse().status
    connection.close()
    assert status == http.HTTPStatus.OK, status
    return (time.monotonic() - begun) * 1000


def _api(
    server: Zkpush, data: pathlib.Path, method: str, path: str, body: object = None
) -> dict[str, Any]:
    where = urlsplit(server.manage)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
    token = (data / "admin.token").read_text().strip()
    content = None if body is None else json.dumps(body)
    connection.request(method, f"/api/v1{path}", content, {"Authorization": f"Bearer {token}"})
    reply = connection.getresponse()
    found: dict[str, Any] = json.load(reply)
    connection.close()
    assert reply.status < http.HTTPStatus.BAD_REQUEST, found
    return found


class _Receiver(BaseHTTPRequestHandler):
    """Takes everything, on connections that are kept."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Read the events."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


if __name__ == "__main__":
    receiving = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    print(receiving.server_port, flush=True)
    threading.Thread(target=receiving.serve_forever).start()

"""What lists cost: exporting attendance, and finding the records of one person."""

from __future__ import annotations

import contextlib
import http.client
import pathlib
import sqlite3
import statistics
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from zkpush.handlers.attendance.lists import DUE

from .aside import Aside
from .measure import Result
from .scale import Scale, folder
from .servers import Zkpush, start_with_one
from .site import fill_site

STORED = 2_000_000
MOST_HELD_MS = 20.0
POLLED = 5.0
"""Seconds of polls alone."""
ROUNDS = 7
PERSON_MS = 50.0
LISTED_WITHIN = 600


def export_cost(server: Zkpush, data: pathlib.Path) -> tuple[float, int]:
    """CPU seconds of a daemon for all attendance as CSV, and the number of records."""
    before = server.cpu()
    count = -1  # the line of names
    for piece in _asked(server, data, "attendance", "text/csv"):
        count += piece.count(b"\r\n")
    return server.cpu() - before, count


def bare_cost(data: pathlib.Path) -> float:
    """CPU seconds for reading the same rows with sqlite3 alone."""
    connection = sqlite3.connect(data / "zkpush.sqlite")
    before = time.process_time()
    for _ in connection.execute("SELECT * FROM attendance ORDER BY id"):
        pass
    cost = time.process_time() - before
    connection.close()
    return cost


def longest_wait(server: Zkpush, data: pathlib.Path, pin: str) -> float:
    """Milliseconds until the last records of a person are there."""
    before = time.monotonic()
    for _ in _asked(server, data, f"attendance?pin={pin}&order=desc", "application/json"):
        pass
    return (time.monotonic() - before) * 1000


def wait_for_lists(data: pathlib.Path) -> None:
    """Wait until a job of the daemon has listed the records, as it does with those of uploads."""
    deadline = time.monotonic() + LISTED_WITHIN
    query = (
        "SELECT (SELECT max(id) FROM attendance) - coalesce(max(last_id), 0) FROM punches_listed"
    )
    with contextlib.closing(sqlite3.connect(data / "zkpush.sqlite")) as connection:
        while connection.execute(query).fetchone()[0] >= DUE:
            if time.monotonic() > deadline:
                raise RuntimeError("the lists of records do not become complete")
            time.sleep(0.5)


def lists(scale: Scale) -> Iterator[Result]:
    """Export attendance, and find one person's records."""
    data = folder()
    start_with_one(data).stop()
    fill_site(data, min(STORED, scale.stored))
    server = Zkpush(data)
    try:
        wait_for_lists(data)
        server.rest()
        yield from export_results(server, data)
    finally:
        server.stop()


def export_results(server: Zkpush, data: pathlib.Path) -> Iterator[Result]:
    """The results of a daemon whose database is filled."""
    costs = []
    for _ in range(ROUNDS):
        cost, count = export_cost(server, data)
        costs.append((cost, bare_cost(data)))
    ours, alone = (statistics.median(column) for column in zip(*costs, strict=True))
    yield Result(
        f"exporting {count:,} records as CSV",
        "reading them with sqlite3 alone",
        statistics.median(one / other for one, other in costs),
        3.0,
        {"cpu_us": ours / count * 1e6, "limit_cpu_us": alone / count * 1e6},
    )
    quiet = Aside("polls", server.port)
    time.sleep(POLLED)
    before = quiet.finish()
    beside = Aside("polls", server.port)
    export_cost(server, data)
    polls = beside.finish()
    yield Result(
        "polls while that is exported, p99",
        "20 ms",
        polls["p99"] / 1000,
        MOST_HELD_MS,
        {
            "p50_ms": polls["p50"] / 1000,
            "p99_ms": polls["p99"] / 1000,
            "longest_ms": polls["longest"] / 1000,
            "alone_p99_ms": before["p99"] / 1000,
        },
        "ms",
    )
    begun = server.cpu()
    waits = [longest_wait(server, data, str(pin)) for pin in range(1, 40)]
    cost = (server.cpu() - begun) / len(waits)
    yield Result(
        f"the newest records of a person among {count:,}",
        "",
        statistics.median(waits),
        PERSON_MS,
        {"cpu_us": cost * 1e6, "ms": statistics.median(waits), "worst_ms": max(waits)},
        unit="ms",
    )


def _asked(server: Zkpush, data: pathlib.Path, path: str, accept: str) -> Iterator[bytes]:
    """The pieces of a reply of the API."""
    where = urlsplit(server.manage)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=600)
    token = (data / "admin.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Accept": accept}
    connection.request("GET", f"/api/v1/{path}", headers=headers)
    reply = connection.getresponse()
    if reply.status != http.HTTPStatus.OK:
        raise RuntimeError(f"{path}: {reply.status} {reply.read()!r}")
    while piece := reply.read(1 << 20):
        yield piece
    connection.close()

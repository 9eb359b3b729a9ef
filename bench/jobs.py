"""Jobs: the time to queue commands for many terminals, and how long uploads wait meanwhile.

Also the cost of a terminal's past commands, and of packages of people.
"""

from __future__ import annotations

import base64
import json
import pathlib
import random
import sqlite3
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import attrs

from .measure import Result
from .requests import rows
from .scale import Scale, folder
from .servers import Zkpush

TERMINALS, COMMANDS = 500, 20
ALONE_SECONDS = 2.0
"""Time of the uploads without a job."""

PAUSE = 0.02
"""Seconds between two uploads of `upload_beside`."""
PEOPLE = 10_000
PAST = 100_000
"""Ended commands of a terminal."""
TURNS, ROUNDS = 40, 5


def jobs(scale: Scale) -> Iterator[Result]:
    """500 terminals with 20 commands each, as one job, while another terminal uploads.

    Then the same job with other values, which replaces all of them.
    """
    data = folder()
    server = Zkpush(data)
    try:
        serials = [f"J{number}" for number in range(TERMINALS)]
        for sn in serials:
            server.exchange(sn)
        token = (data / "admin.token").read_text().strip()
        first = _job(server, token, serials, "Person")
        second = _job(server, token, serials, "Other")
    finally:
        server.stop()
    what = f"a job of {TERMINALS} terminals and {COMMANDS} commands"
    yield from _results(first, what, "a job", 3.0)
    again = "that replaces another"
    yield from _results(second, f"{what} {again}", f"a job {again}", 6.0)
    yield from _past()
    yield from _package()


@attrs.frozen
class _Measured:
    seconds: float
    cpu: float
    waits: list[float]
    alone: list[float]
    """Waits of uploads without a job."""


def _job(server: Zkpush, token: str, serials: list[str], name: str) -> _Measured:
    """Post a job and wait until its commands are queued."""
    waits: list[float] = []
    alone = _uploads_alone(server, ALONE_SECONDS)
    done = threading.Event()
    uploads = threading.Thread(target=upload_beside, args=(server, waits, done))
    uploads.start()
    cpu, started = server.cpu(), time.monotonic()
    body = {"commands": _commands(name), "devices": serials}
    job = ask(server, token, "POST", "commands", body)
    while job["state"] == "queueing":
        time.sleep(0.1)
        job = ask(server, token, "GET", f"jobs/{job['id']}")
    seconds, cpu = time.monotonic() - started, server.cpu() - cpu
    done.set()
    uploads.join()
    assert job["counts"]["queued"] == TERMINALS * COMMANDS
    return _Measured(seconds, cpu, waits, alone)


def _uploads_alone(server: Zkpush, seconds: float) -> list[float]:
    """Upload for a time without other work; on a busy machine, these wait as well."""
    waits: list[float] = []
    done = threading.Event()
    uploads = threading.Thread(target=upload_beside, args=(server, waits, done))
    uploads.start()
    time.sleep(seconds)
    done.set()
    uploads.join()
    return waits


def _results(measured: _Measured, what: str, beside: str, limit: float) -> Iterator[Result]:
    yield Result(what, f"{limit:g} s", measured.seconds, limit, {"cpu_seconds": measured.cpu}, "s")
    yield Result(
        f"longest upload of another terminal beside {beside}",
        "50 ms",
        1000 * max(measured.waits),
        50.0,
        {
            "uploads": float(len(measured.waits)),
            "p50_ms": 1000 * statistics.median(measured.waits),
            "alone_ms": 1000 * max(measured.alone),
            "alone_p50_ms": 1000 * statistics.median(measured.alone),
        },
        "ms",
    )


def _past() -> Iterator[Result]:
    """Commands of a terminal with many past ones, beside those of one without."""
    data = folder()
    server = Zkpush(data)
    token = (data / "admin.token").read_text().strip()
    try:
        for sn in ("OLD", "NEW"):
            server.exchange(sn)
            _turns(server, token, sn, 1)
    finally:
        server.stop()
    _fill(data, PAST)
    server = Zkpush(data)
    costs = []
    try:
        for _ in range(ROUNDS):
            old, new = (_turns(server, token, sn, TURNS) for sn in ("OLD", "NEW"))
            costs.append((old, new))
    finally:
        server.stop()
    old, new = (statistics.median(column) / TURNS * 1e6 for column in zip(*costs, strict=True))
    yield Result(
        f"a command, its poll and its answer, with {PAST:,} past commands",
        "without past commands",
        statistics.median(one / other for one, other in costs),
        1.2,
        {"cpu_us": old, "limit_cpu_us": new},
    )


def _package() -> Iterator[Result]:
    """A package of many people with templates, while another terminal uploads."""
    data = folder()
    server = Zkpush(data)
    token = (data / "admin.token").read_text().strip()
    waits: list[float] = []
    done = threading.Event()
    uploads = threading.Thread(target=upload_beside, args=(server, waits, done))
    base = f"http://127.0.0.1:{server.port}/iclock"
    try:
        for sn in ("J0", "J1"):
            server.exchange(sn)
        for start in range(0, PEOPLE, 100):
            body = "\n".join(person_lines(number) for number in range(start, start + 100)).encode()
            urllib.request.urlopen(f"{base}/cdata?SN=J1&table=OPERLOG&Stamp=1", body).read()
        memory = server.peak()
        uploads.start()
        started = time.monotonic()
        request = {"command": "PutFile", "params": {"Action": "AppendData"}}
        ask(server, token, "POST", "devices/J1/commands", request)
        line = urllib.request.urlopen(f"{base}/getrequest?SN=J1").read().decode()
        url = line.partition("PutFile ")[2].partition("\t")[0]
        content = urllib.request.urlopen(f"{base}/{url}").read()
        seconds, memory = time.monotonic() - started, server.peak() - memory
        done.set()
        uploads.join()
    finally:
        server.stop()
    what = f"a package of {PEOPLE:,} people with templates"
    yield Result(
        f"longest upload of another terminal beside {what}",
        "50 ms",
        1000 * max(waits),
        50.0,
        {"uploads": float(len(waits)), "package_seconds": seconds, "bytes": float(len(content))},
        "ms",
    )
    yield Result(f"memory for {what}", "32 MB", memory / 1e6, 32.0, {}, "MB")


def person_lines(number: int) -> str:
    """Return the uploaded lines of a person with two fingerprints."""
    template = base64.b64encode(random.Random(number).randbytes(1200)).decode()
    fingers = [f"FP PIN={number + 1}\tFID={finger}\tTMP={template}" for finger in (1, 2)]
    return "\n".join([f"USER PIN={number + 1}\tName=Person {number}", *fingers])


def _turns(server: Zkpush, token: str, sn: str, count: int) -> float:
    """Queue, fetch and answer some commands; returns the CPU seconds of the daemon."""
    before = server.cpu()
    base = f"http://127.0.0.1:{server.port}/iclock"
    for _ in range(count):
        made = ask(server, token, "POST", f"devices/{sn}/commands", {"command": "LOG"})
        line = urllib.request.urlopen(f"{base}/getrequest?SN={sn}").read()
        assert made["id"].encode() in line
        answer = f"ID={made['id']}&Return=0&CMD=LOG".encode()
        urllib.request.urlopen(f"{base}/devicecmd?SN={sn}", answer).read()
    return server.cpu() - before


def _fill(data: pathlib.Path, count: int) -> None:
    """Repeat the ended command of the terminal OLD."""
    connection = sqlite3.connect(data / "zkpush.sqlite")
    columns = [row[1] for row in connection.execute("PRAGMA table_info(commands)")]
    columns = [name for name in columns if name not in ("seq", "id")]
    named = ", ".join(f'"{name}"' for name in columns)
    connection.execute(
        f"INSERT INTO commands (id, {named}) "
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        f"SELECT 'past' || i, {named} FROM n, commands "
        "WHERE device_id = (SELECT id FROM devices WHERE sn = 'OLD') AND id NOT LIKE 'past%'",
        (count,),
    )
    connection.commit()
    connection.close()


def _commands(name: str) -> list[dict[str, object]]:
    return [
        {"command": "DATA UPDATE USERINFO", "params": {"PIN": str(pin), "Name": f"{name} {pin}"}}
        for pin in range(1, COMMANDS + 1)
    ]


def upload_beside(
    server: Zkpush, waits: list[float], done: threading.Event, sn: str = "J0"
) -> None:
    """Upload punches one by one until `done` is set, and record how long each takes (seconds).

    Pauses keep it below the number of requests that an address may send in a minute.
    """
    url = f"http://127.0.0.1:{server.port}/iclock/cdata?SN={sn}&table=ATTLOG&Stamp=9999"
    for number, row in enumerate(rows(0, 100_000)):
        if done.is_set() and number:
            return
        started = time.monotonic()
        urllib.request.urlopen(urllib.request.Request(url, row)).read()
        waits.append(time.monotonic() - started)
        time.sleep(PAUSE)


def ask(server: Zkpush, token: str, method: str, path: str, body: object = None) -> Any:
    """Send a request to the API; returns the reply."""
    request = urllib.request.Request(
        f"{server.manage}/api/v1/{path}",
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)

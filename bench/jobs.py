"""Jobs: the time to queue commands for many terminals, and how long uploads wait meanwhile."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

from .measure import Result
from .requests import rows
from .scale import Scale, folder
from .servers import Zkpush

TERMINALS, COMMANDS = 500, 20


def jobs(scale: Scale) -> Iterator[Result]:
    """500 terminals with 20 commands each, as one job, while another terminal uploads."""
    data = folder()
    server = Zkpush(data)
    try:
        serials = [f"J{number}" for number in range(TERMINALS)]
        for sn in serials:
            server.exchange(sn)
        token = (data / "admin.token").read_text().strip()
        waits: list[float] = []
        done = threading.Event()
        uploads = threading.Thread(target=_upload, args=(server, waits, done))
        uploads.start()
        cpu, started = server.cpu(), time.monotonic()
        body = {"commands": _commands(), "devices": serials}
        job = _ask(server, token, "POST", "commands", body)
        while job["state"] == "queueing":
            time.sleep(0.1)
            job = _ask(server, token, "GET", f"jobs/{job['id']}")
        seconds, cpu = time.monotonic() - started, server.cpu() - cpu
        done.set()
        uploads.join()
    finally:
        server.stop()
    assert job["counts"]["queued"] == TERMINALS * COMMANDS
    yield Result(
        f"a job of {TERMINALS} terminals and {COMMANDS} commands",
        "3 s",
        seconds,
        3.0,
        {"cpu_seconds": cpu},
        "s",
    )
    yield Result(
        "longest upload of another terminal beside a job",
        "50 ms",
        1000 * max(waits),
        50.0,
        {"uploads": float(len(waits))},
        "ms",
    )


def _commands() -> list[dict[str, object]]:
    return [
        {"command": "DATA UPDATE USERINFO", "params": {"PIN": str(pin), "Name": f"Person {pin}"}}
        for pin in range(1, COMMANDS + 1)
    ]


def _upload(server: Zkpush, waits: list[float], done: threading.Event) -> None:
    url = f"http://127.0.0.1:{server.port}/iclock/cdata?SN=J0&table=ATTLOG&Stamp=9999"
    for number, row in enumerate(rows(0, 100_000)):
        if done.is_set() and number:
            return
        started = time.monotonic()
        urllib.request.urlopen(urllib.request.Request(url, row)).read()
        waits.append(time.monotonic() - started)


def _ask(server: Zkpush, token: str, method: str, path: str, body: object = None) -> Any:
    request = urllib.request.Request(
        f"{server.manage}/api/v1/{path}",
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)

"""Distribution: many people with templates to a new terminal, as packages and one by one.

Another terminal polls and uploads meanwhile. Beside that, the peak memory of the daemon.
"""

from __future__ import annotations

import itertools
import re
import threading
import time
import urllib.request
from collections.abc import Iterator

from .jobs import ask, person_lines, upload_beside
from .measure import Result
from .scale import Scale, folder
from .servers import Zkpush

PEOPLE = {True: 10_000, False: 1_000}
"""Number of people, in full and short runs."""
ONE_BY_ONE = 1_000
"""Most people that are sent one by one, which takes ten times as long for each."""
AT_ONCE = 250
"""People in one upload."""
LIMIT = 3600.0
"""Seconds after which a run is given up."""
_COMMAND = re.compile(r"C:([^:]+):(.*)")


def distribution(scale: Scale) -> Iterator[Result]:
    """Time, memory and waits of others while a new terminal is filled, both ways."""
    count = PEOPLE[scale.terminals >= 20_000]
    yield from _fill_terminal(count, "as packages", packages=True)
    yield from _fill_terminal(min(count, ONE_BY_ONE), "one by one", packages=False)


def _fill_terminal(count: int, way: str, *, packages: bool) -> Iterator[Result]:
    data = folder()
    config = data / "zkpush.toml"
    config.write_text(f"[areas]\npackages = {str(packages).lower()}\n")
    server = Zkpush(data, "--config", str(config))
    token = (data / "admin.token").read_text().strip()
    base = f"http://127.0.0.1:{server.port}/iclock"
    try:
        for sn in ("J0", "J1"):
            server.exchange(sn)
        ask(server, token, "PATCH", "devices/J1", {"area": "South"})
        ask(server, token, "PATCH", "devices/J0", {"area": "North"})
        for start in range(0, count, AT_ONCE):
            some = range(start, min(start + AT_ONCE, count))
            body = "\n".join(map(person_lines, some)).encode()
            url = f"{base}/cdata?SN=J0&table=OPERLOG&Stamp=9999"
            urllib.request.urlopen(urllib.request.Request(url, body)).read()
        _wait_until_stored(server, token, count)
        server.exchange("J2")
        ask(server, token, "PATCH", "devices/J2", {"area": "North"})
        ask(server, token, "PATCH", "devices/J0", {"area": "South"})
        waits: list[float] = []
        done = threading.Event()
        beside = threading.Thread(target=upload_beside, args=(server, waits, done, "J1"))
        before, cpu, started = server.peak(), server.cpu(), time.monotonic()
        ask(server, token, "PUT", "areas/North", {"distributes": True})
        beside.start()
        lines = _poll_until_filled(server, token, base, started)
        seconds, cpu = time.monotonic() - started, server.cpu() - cpu
        memory = server.peak() - before
        done.set()
        beside.join()
    finally:
        server.stop()
    what = f"{count:,} people with two templates each to a new terminal, {way}"
    figures = {"people_a_second": count / seconds, "lines": float(lines), "cpu_seconds": cpu}
    yield Result(what, "time", seconds, None, figures, "s")
    yield Result(f"memory for {what}", "64 MB", memory / 1e6, 64.0, {}, "MB")
    waits.sort()
    yield Result(
        f"uploads of another terminal beside {what}: longest",
        "50 ms at the 99th percentile",
        1000 * waits[-1],
        None,
        {"p50_ms": 1000 * waits[len(waits) // 2], "p99_ms": 1000 * waits[len(waits) * 99 // 100]},
        "ms",
    )


def _wait_until_stored(server: Zkpush, token: str, count: int) -> None:
    """Wait until all people are stored: most are acknowledged before that."""
    deadline = time.monotonic() + LIMIT
    while any(one["waiting"] for one in ask(server, token, "GET", "plugins")["items"]):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the people are not stored after {LIMIT:.0f} s")
        time.sleep(1)
    stored = ask(server, token, "GET", "areas/North")["users"]
    if stored != count:
        raise RuntimeError(f"the area has {stored} people, and not {count}")


def _poll_until_filled(server: Zkpush, token: str, base: str, started: float) -> int:
    """Poll as a terminal that executes everything; returns the number of executed lines."""
    lines = 0
    for turn in itertools.count():
        reply = urllib.request.urlopen(f"{base}/getrequest?SN=J2").read().decode()
        answers = []
        for command_id, text in _COMMAND.findall(reply):
            code, name = 0, text.split("\t")[0].split(" ")[0]
            if name == "PutFile":
                url = text.split(" ", 1)[1].split("\t")[0]
                code = len(urllib.request.urlopen(f"{base}/{url}").read())
            answers.append(f"ID={command_id}&Return={code}&CMD={name}")
        lines += len(answers)
        if answers:
            body = "\n".join(answers).encode()
            urllib.request.urlopen(f"{base}/devicecmd?SN=J2", body).read()
        else:
            time.sleep(0.1)
        if turn % 10 == 9:
            shown = ask(server, token, "GET", "areas/North/distribution")
            parts = shown["parts"]
            if parts["there"] and not parts["on_its_way"] and shown["seconds_left"] == 0:
                return lines
            if time.monotonic() - started > LIMIT:
                raise RuntimeError(f"the terminal is not filled after {LIMIT:.0f} s: {parts}")
    return lines

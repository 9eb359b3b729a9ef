"""What others do while something is measured, in a process of its own.

`python -m bench.aside strangers PORT CONNECTIONS` polls with a new serial number in each request
until its standard input ends; `python -m bench.aside polls PORT` polls a few hundred times a second
until then, with one known serial number; `python -m bench.aside bodies PORT COUNT BYTES` sends so
many long bodies of one terminal at once. Each prints what came of it as JSON.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator

from .load import HOST, Load, run
from .requests import polls as polls_of
from .requests import rows, stranger_polls, upload_head

TIMEOUT = 600
LINE_BYTES = 38
"""About how long a punch is."""
PAUSE = 0.002
"""Seconds between two polls."""
TERMINAL = "LONG"
"""The terminal that sends long bodies."""


class Aside:
    """The process, seen from the one that measures."""

    def __init__(self, *words: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.aside", *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "begins\n"

    @property
    def runs(self) -> bool:
        """Whether it is still at it."""
        return self._process.poll() is None

    def finish(self) -> dict[str, int]:
        """Ask it to end, wait for that, and return what came of it."""
        output, _ = self._process.communicate(timeout=TIMEOUT)
        found: dict[str, int] = json.loads(output)
        return found


def strangers(port: int, connections: int) -> dict[str, int]:
    """Poll with serial numbers that nobody knows, until standard input ends."""
    ended = _end_of_input()
    polls = stranger_polls()
    count = 0
    while not ended.is_set():
        load = run([port], polls, count=500, connections=connections, keep_alive=False, limit=1)
        count += load.requests
    return {"requests": count}


def polls(port: int) -> dict[str, int]:
    """Poll one at a time until standard input ends; how long that took, in microseconds."""
    ended = _end_of_input()
    requests = polls_of(b"close", ["T1"])
    load = Load()
    while not ended.wait(PAUSE):
        one = run([port], requests, count=1, connections=1, keep_alive=False)
        load.latencies += one.latencies
    shares = {"p50": 0.5, "p99": 0.99, "longest": 1.0}
    return {name: int(load.percentile(share) * 1000) for name, share in shares.items()}


def _end_of_input() -> threading.Event:
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    return ended


def bodies(port: int, count: int, size: int) -> dict[str, int]:
    """Send long bodies of one terminal at once; how many were answered with which status."""
    body = b"".join(_whole_rows(size))
    raw = upload_head(TERMINAL, len(body))
    statuses: Counter[str] = Counter()

    def send() -> None:
        with socket.create_connection((HOST, port), timeout=TIMEOUT) as sock:
            try:
                sock.sendall(raw)
                sock.sendall(body)
            except OSError:
                pass  # it was refused; the reply may be there all the same
            try:
                statuses[sock.recv(65536)[9:12].decode() or "cut"] += 1
            except OSError:
                statuses["cut"] += 1

    threads = [threading.Thread(target=send) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return dict(statuses)


def _whole_rows(size: int) -> Iterator[bytes]:
    yield from rows(0, size // LINE_BYTES)


def main() -> None:
    """Do what the arguments say."""
    what, *numbers = sys.argv[1:]
    print("begins", flush=True)
    done = {"strangers": strangers, "polls": polls, "bodies": bodies}[what](*map(int, numbers))
    print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()

"""Servers to measure, each a process of its own on loopback, and what they use."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence

import psutil

STARTED_WITHIN = 120
RESTS_WITHIN = 120
REST_SECONDS = 2.0
MOST_AT_REST = 0.1
"""Share of a processor that an idle daemon uses at most."""
PROGRAMS = pathlib.Path(sys.executable).parent
LOOPBACK = "tcp:0:interface=127.0.0.1"


class Server:
    """A process that serves on a port."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.ports: tuple[int, ...] = (port,)

    def _family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def cpu(self) -> float:
        """Seconds of processor time so far, user and system, of the process and its children."""
        return sum(_cpu(process) for process in self._family())

    def memory(self) -> int:
        """Resident bytes."""
        return sum(process.memory_info().rss for process in self._family())

    def peak(self) -> int:
        """The most resident bytes there ever were, of each process (Linux only)."""
        status = [
            pathlib.Path(f"/proc/{process.pid}/status").read_text() for process in self._family()
        ]
        return sum(int(text.partition("VmHWM:")[2].split()[0]) * 1024 for text in status)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(60)


def baseline() -> Server:
    """Bare twisted.web."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.baseline"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return Server(process, int(process.stdout.readline()))


class Together(Server):
    """Several servers, each with its share of the connections."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = servers
        self.ports = tuple(server.port for server in servers)

    def _family(self) -> list[psutil.Process]:
        return [process for server in self._servers for process in server._family()]


def _cpu(process: psutil.Process) -> float:
    if sys.platform == "linux":
        # The clock of a process, as clock_getcpuclockid(3) names it: psutil's ticks every 10 ms.
        return time.clock_gettime(~process.pid << 3 | 2)
    times = process.cpu_times()
    return times.user + times.system


class Zkpush(Server):
    """`twistd zkpush` on a data directory."""

    def __init__(self, data: pathlib.Path, *flags: str) -> None:
        (data / "run.json").unlink(missing_ok=True)
        started = time.monotonic()
        process = subprocess.Popen(
            [
                PROGRAMS / "twistd",
                *("--nodaemon", "--pidfile=", f"--logfile={data / 'log'}", "zkpush"),
                *("--data", data, "--admission", "open"),
                *("--listen", LOOPBACK, "--manage", LOOPBACK, *flags),
            ],
            text=True,
            env={**os.environ, "ZKPUSH_KEY_FILE": str(data / "key"), "TZ": "UTC"},
        )
        while not (data / "run.json").exists():
            if process.poll() is not None or time.monotonic() - started > STARTED_WITHIN:
                raise RuntimeError("the daemon did not start; see " + str(data / "log"))
            time.sleep(0.01)
        where = json.loads((data / "run.json").read_text())
        self.manage = where["manage"]
        super().__init__(process, int(where["listen"][0].rsplit(":", 1)[1]))
        while self.metric("zkpush_terminals_loaded") < 1 or not self._answers():
            if time.monotonic() - started > STARTED_WITHIN:
                raise RuntimeError("the daemon does not serve; see " + str(data / "log"))
            time.sleep(0.01)
        self.start_seconds = time.monotonic() - started

    def metric(self, name: str) -> float:
        """The value of a metric."""
        with urllib.request.urlopen(self.manage + "/metrics") as reply:
            for line in reply.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
        return 0.0

    def rest(self) -> None:
        """Wait until work that goes on after the start, such as that of an upgrade, is done."""
        limit = time.monotonic() + RESTS_WITHIN
        before = self.cpu()
        while time.monotonic() < limit:
            time.sleep(REST_SECONDS)
            used = self.cpu() - before
            if used < REST_SECONDS * MOST_AT_REST:
                return
            before += used
        raise RuntimeError("the daemon does not come to rest")

    def _answers(self) -> bool:
        """Whether the terminals' port is served: workers take a moment longer."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/iclock/ping?SN=T1", timeout=5)
        except OSError:
            return False
        return True

    def exchange(self, sn: str) -> None:
        """Make a terminal known."""
        url = f"http://127.0.0.1:{self.port}/iclock/cdata?SN={sn}&options=all&pushver=2.4.1"
        urllib.request.urlopen(url).read()


def start_with_one(data: pathlib.Path) -> Zkpush:
    """Start a daemon, and make the terminal T1 known."""
    server = Zkpush(data)
    server.exchange("T1")
    return server

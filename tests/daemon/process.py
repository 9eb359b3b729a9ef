"""Starting the daemon as a process, and talking to it as terminals and people do."""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from .. import warm

STARTED_WITHIN = 30
STOPPED_WITHIN = 30
SETTLED_WITHIN = 120
PLUGINS = pathlib.Path(__file__).parent / "plugins"
LOOPBACK = "tcp:0:interface=127.0.0.1"


class Daemon:
    """One `twistd zkpush` on loopback ports of its own choice."""

    def __init__(
        self,
        data: pathlib.Path,
        *flags: str,
        env: Mapping[str, str] = {},
        twistd: Sequence[str] = (),
        stdout: int | None = None,
        descriptors: int | None = None,
    ) -> None:
        """`flags` are those of `twistd zkpush`, `twistd` those of twistd itself.

        `stdout` is a descriptor to print to, or `subprocess.PIPE`; a file that is read later, else.
        The daemon may have so many `descriptors`.
        """
        self.data = data
        (data / "run.json").unlink(missing_ok=True)
        arguments = ["--nodaemon", "--pidfile=", *twistd, "zkpush", "--data", data]
        arguments += ["--listen", LOOPBACK, "--manage", LOOPBACK, "--admission", "open", *flags]
        # Not a pipe, which is full when a lot is printed.
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed with it
        printed = self._printed.fileno() if stdout is None else stdout
        self.process = warm.start(
            "twistd",
            arguments,
            env={**os.environ, "PYTHONPATH": str(PLUGINS), "TZ": "UTC", **env},
            stdout=printed,
            stderr=printed if printed >= 0 else subprocess.STDOUT,
            descriptors=descriptors,
        )
        deadline = time.monotonic() + STARTED_WITHIN
        while not (data / "run.json").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"{self.output()}\nexit status {self.process.returncode}")
            time.sleep(0.02)
        where = json.loads((data / "run.json").read_text())
        self.terminals = urllib.parse.urlsplit(where["listen"][0])
        self.manage = urllib.parse.urlsplit(where["manage"])
        self.token = (data / "admin.token").read_text().strip()

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.output()

    def output(self) -> str:
        """Everything it printed, once it has ended."""
        self.process.wait(STOPPED_WITHIN)
        return self.printed()

    def printed(self) -> str:
        """What it has printed so far."""
        file = self._printed.fileno()
        # By place, because the daemon writes where this file is read to.
        return os.pread(file, os.fstat(file).st_size, 0).decode()

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait(STOPPED_WITHIN)

    def terminate(self) -> None:
        """Ask it to stop."""
        self.process.send_signal(signal.SIGTERM)

    def connect(self) -> http.client.HTTPConnection:
        """A connection to the terminals' port."""
        return http.client.HTTPConnection(self.terminals.hostname, self.terminals.port, timeout=30)

    def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """One request of a terminal, on a connection of its own."""
        connection = self.connect()
        try:
            connection.request(method, f"/iclock/{path}", body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def exchange(self, sn: str) -> None:
        """The exchange of a terminal."""
        status, _ = self.request("GET", f"cdata?SN={sn}&options=all&pushver=2.4.1")
        assert status == 200

    def upload(self, sn: str, body: bytes) -> tuple[int, bytes]:
        """An upload of attendance records."""
        return self.request("POST", f"cdata?SN={sn}&table=ATTLOG&Stamp=1", body)

    def api(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """A request to the API."""
        connection = http.client.HTTPConnection(self.manage.hostname, self.manage.port, timeout=30)
        try:
            connection.request(
                method,
                f"/api/v1/{path}",
                None if body is None else json.dumps(body),
                {"Authorization": f"Bearer {self.token}"},
            )
            answer: dict[str, Any] = json.load(connection.getresponse())
            return answer
        finally:
            connection.close()

    def metrics(self) -> str:
        """The figures for monitoring."""
        connection = http.client.HTTPConnection(self.manage.hostname, self.manage.port, timeout=30)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def settle(self, plugin: str) -> None:
        """Wait until nothing waits for a plugin any more."""
        deadline = time.monotonic() + SETTLED_WITHIN
        while self.plugin(plugin)["waiting"]:
            assert time.monotonic() < deadline, self.plugin(plugin)
            time.sleep(0.1)

    def plugin(self, name: str) -> dict[str, Any]:
        """A record handler, as the API shows it."""
        found = [item for item in self.api("GET", "plugins")["items"] if item["name"] == name]
        (plugin,) = [item for item in found if item["kind"] == "record handler"]
        return plugin

    def pins(self) -> list[str]:
        """The users of all records, in the order they were stored."""
        pins, after = [], "0"
        while after is not None:
            listing = self.api("GET", f"attendance?record_type=all&limit=1000&after={after}")
            pins += [item["pin"] for item in listing["items"]]
            after = listing["next"]
        return pins

"""What a user runs, a daemon for it, and terminals that push to that."""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from click.testing import CliRunner

from zkpush.cli import main

from .. import warm
from ..piped import PipedProgram

T = TypeVar("T")
SECONDS = 30
"""How long anything may take, on a busy machine."""
SCRIPTS = pathlib.Path(sys.executable).parent


def eventually(what: str, find: Callable[[], T | None]) -> T:
    """What `find` gives as soon as it is not None."""
    deadline = time.monotonic() + SECONDS
    while (found := find()) is None:
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)
    return found


def environment(**variables: str) -> dict[str, str]:
    """The environment of a user who has set these variables only."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("ZKPUSH_")}
    return {**inherited, **variables}


def start(
    *args: str,
    env: dict[str, str] | None = None,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    **options: object,
) -> PipedProgram | subprocess.Popen[str]:
    """Start `zkpush`, with pipes; from the warm process, unless `options` of `Popen` are given."""
    env = env or environment()
    if warm.is_warm(env) and not options:
        return PipedProgram(args, env=env, stdout=stdout, stderr=stderr)
    command = [SCRIPTS / "zkpush", *args]
    return subprocess.Popen(command, env=env, stdout=stdout, stderr=stderr, text=True, **options)


def zkpush(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `zkpush`; a warning that is for developers must not reach who runs it."""
    done = warm.run("zkpush", args, env=env or environment(), seconds=SECONDS)
    assert "Warning: " not in done.stderr, done.stderr
    return done


def misused(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """What `zkpush` does here and now: only for what fails before it asks anyone."""
    unset = dict.fromkeys(["ZKPUSH_DATA", "ZKPUSH_URL", "ZKPUSH_TOKEN"])
    result = CliRunner().invoke(main, args, env={**unset, **(env or {})}, prog_name="zkpush")
    return subprocess.CompletedProcess(args, result.exit_code, result.stdout, result.stderr)


def said(run: subprocess.CompletedProcess[str], status: int = 0) -> str:
    """What a run printed; its exit status is as expected."""
    assert run.returncode == status, run
    return run.stdout


def failed(run: subprocess.CompletedProcess[str], status: int = 1) -> str:
    """The last line of the message of a run that failed, and printed nothing else."""
    assert run.returncode == status, run
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    return run.stderr.splitlines()[-1]


def cells(text: str) -> list[list[str]]:
    """The words of a table, line by line."""
    return [line.split() for line in text.splitlines()]


class Daemon:
    """A daemon on a data directory of its own; whoever connects first waits for approval."""

    def __init__(self, data: pathlib.Path, port: int = 0) -> None:
        """`port` is the API's, where it has to be there again after a restart."""
        self.data = data
        (data / "run.json").unlink(missing_ok=True)
        anywhere = "tcp:0:interface=127.0.0.1"
        manage = f"tcp:{port}:interface=127.0.0.1"
        # Tests run at night, too.
        settings = data.parent / "settings.toml"
        settings.write_text("[completeness]\nnightly = false\n")
        log = (data.parent / "daemon.log").open("wb")
        self._process = warm.start(
            "twistd",
            [
                *("-n", "--pidfile=", "zkpush", "--data", data),
                *("--admission", "approve", "--listen", anywhere, "--manage", manage),
                *("--config", settings),
            ],
            stdout=log.fileno(),
            stderr=log.fileno(),
            env=environment(TZ="UTC"),
        )
        log.close()
        file = eventually("the start", lambda: self._started(data / "run.json"))
        where = json.loads(file.read_bytes())
        self.terminals: str = where["listen"][0]
        self.url: str = where["manage"]
        self.token = (data / "admin.token").read_text().strip()

    def _started(self, file: pathlib.Path) -> pathlib.Path | None:
        assert self._process.poll() is None, "the daemon did not start"
        return file if file.exists() else None

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(SECONDS)

    def kill(self) -> None:
        """End it without warning."""
        self._process.kill()
        self._process.wait(SECONDS)

    def zkpush(self, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `zkpush` with `ZKPUSH_DATA`."""
        return zkpush(*args, env=environment(ZKPUSH_DATA=str(self.data), **variables))

    def start(self, *args: str, **options: object) -> PipedProgram | subprocess.Popen[str]:
        """Start `zkpush` with `ZKPUSH_DATA`."""
        return start(*args, **{"env": environment(ZKPUSH_DATA=str(self.data)), **options})

    def api(self, method: str, path: str, body: object = None) -> object:
        """A request to the API, without the command line."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=SECONDS)
        connection.request(
            method,
            f"/api/v1/{path}",
            None if body is None else json.dumps(body),
            {"Authorization": f"Bearer {self.token}"},
        )
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status < 300, content
        return json.loads(content) if content else None

    def terminal(self, sn: str, *, approved: bool = True) -> Terminal:
        """A terminal that has made the exchange, if it is approved."""
        terminal = Terminal(self.terminals, sn)
        if approved:
            self.api("PUT", f"devices/{sn}", {"state": "approved"})
        terminal.exchange()
        return terminal


class Terminal:
    """A terminal, request by request."""

    def __init__(self, server: str, sn: str) -> None:
        self._host = server.removeprefix("http://")
        self._sn = sn

    def exchange(self) -> bytes:
        """Make the exchange; what the server says."""
        return self.ask("GET", "cdata", "&options=all&pushver=2.4.1")

    def punch(self, rows: Sequence[str]) -> bytes:
        """Upload attendance records."""
        return self.upload("ATTLOG", "".join(f"{row}\n" for row in rows))

    def upload(self, table: str, body: str) -> bytes:
        """Upload records of any kind."""
        return self.ask("POST", "cdata", f"&table={table}&Stamp=1", body.encode())

    def command(self) -> tuple[str, str]:
        """Poll until there is a command: its CmdID and its text."""

        def poll() -> tuple[str, str] | None:
            reply = self.ask("GET", "getrequest", "").decode()
            _, _, command = reply.partition("C:")
            command_id, _, text = command.rstrip("\n").partition(":")
            return (command_id, text) if command else None

        return eventually("a command", poll)

    def answer(self, body: str) -> bytes:
        """Say what has become of a command."""
        return self.ask("POST", "devicecmd", "", body.encode())

    def ask(self, method: str, path: str, query: str, body: bytes | None = None) -> bytes:
        """Make a request; the body of the reply."""
        connection = http.client.HTTPConnection(self._host, timeout=SECONDS)
        connection.request(method, f"/iclock/{path}?SN={self._sn}{query}", body)
        content = connection.getresponse().read()
        connection.close()
        return content

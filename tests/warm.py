"""Runs of `twistd` and `zkpush` as processes, forked from one that has imported them already.

To start Python and import the server takes most of a second of processor time, and a run of the
tests starts hundreds of daemons. `Program` is used as `subprocess.Popen`. Where something is given
that Python reads at its start (PYTHONHASHSEED, a locale), and in the tests of the start itself, the
script is started anew.

The parent of all (`python -m tests.warm`) runs no thread and no reactor, and opens no file; each
child has the arguments, the environment, the folder and the standard streams that it would have.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import importlib.util
import json
import os
import pathlib
import pkgutil
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any, NoReturn

from twisted.internet.task import Clock

import zkpush.cli
import zkpush.handlers
import zkpush.simulator
from zkpush import config, installed
from zkpush.capability import SERVER_PARTS
from zkpush.datadir import DataDirectory
from zkpush.structs import prepare_structs

from . import passwords, schemas

SCRIPTS = pathlib.Path(sys.executable).parent
ROOT = pathlib.Path(__file__).parents[1]
_read_distributions = metadata.packages_distributions
"""Reads what is installed, which takes a third of the start of a daemon."""
_distributions: dict[str, list[str]] = {}
"""What is installed."""
_MOST_BYTES = 2**17
_READ_AT_START = ("PYTHON", "LC_", "LANG", "COVERAGE")
_READ_LATER = "PYTHONPATH"
TRACED = "COVERAGE_PROCESS_CONFIG"
"""Variable that has processes count coverage."""
_MORE = (
    "alembic.command",
    "alembic.config",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "twisted.internet.posixbase",
    "twisted.scripts.twistd",
    "twisted.plugins.zkpush_parts",
    "unittest",
    "zkpush.maintenance",
    "zkpush.tap",
)
"""Imported where they are used first."""


class Program:
    """A run of `twistd` or `zkpush`."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[object],
        *,
        env: Mapping[str, str],
        stdout: int,
        stderr: int,
        cwd: pathlib.Path | None = None,
        descriptors: int | None = None,
    ) -> None:
        """`stdout` and `stderr` are descriptors. It may have so many `descriptors` itself."""
        asked = {
            "name": name,
            "arguments": [str(argument) for argument in arguments],
            "env": dict(env),
            "cwd": str(cwd or os.getcwd()),
            "descriptors": (descriptors, descriptors) if descriptors else _descriptors(),
            "file_size": resource.getrlimit(resource.RLIMIT_FSIZE),
            "umask": _umask(),
            "schemas": schemas.schemas(),
        }
        self._reports, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            socket.send_fds(
                _parent(), [json.dumps(asked).encode()], [theirs.fileno(), stdout, stderr]
            )
        self.pid = int(self._reports.recv(64))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, as `subprocess` has it, if it has ended."""
        if self.returncode is None and select.select([self._reports], [], [], 0)[0]:
            self._ended()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once it has ended; `TimeoutExpired` if that takes too long."""
        if self.returncode is None:
            if not select.select([self._reports], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("a program", timeout or 0)
            self._ended()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to stop."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it without warning."""
        self.send_signal(signal.SIGKILL)

    def _ended(self) -> None:
        self.returncode = int(self._reports.recv(64))
        self._reports.close()


def is_warm(env: Mapping[str, str]) -> bool:
    """Whether a program with this environment may be forked."""
    names = {*env, *os.environ}
    folders = env.get(_READ_LATER, "").split(os.pathsep)
    if any((pathlib.Path(folder) / "sitecustomize.py").exists() for folder in folders if folder):
        return False
    return all(
        env.get(name) == os.environ.get(name)
        for name in names
        if name.startswith(_READ_AT_START) and name != _READ_LATER
    )


def start(
    name: str,
    arguments: Sequence[object],
    *,
    env: Mapping[str, str],
    stdout: int,
    stderr: int,
    cwd: pathlib.Path | None = None,
    descriptors: int | None = None,
) -> Program | subprocess.Popen[bytes]:
    """Start a program, from the warm process if that makes no difference to it.

    `stdout` may be `subprocess.PIPE`; then it is started anew.
    """
    if is_warm(env) and stdout >= 0:
        return Program(
            name,
            arguments,
            env=env,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            descriptors=descriptors,
        )
    command = [str(SCRIPTS / name), *map(str, arguments)]
    if descriptors is not None:
        command = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh", *command]
    return subprocess.Popen(command, env=env, stdout=stdout, stderr=stderr, cwd=cwd)


def run(
    name: str, arguments: Sequence[object], *, env: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, which comes within so many seconds."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = start(name, arguments, env=env, stdout=out.fileno(), stderr=err.fileno())
        try:
            process.wait(seconds)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        status = process.returncode
        assert status is not None
        return subprocess.CompletedProcess([*arguments], status, out.read(), err.read())


def _descriptors() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_parents: dict[tuple[int, str | None], socket.socket] = {}


def _parent() -> socket.socket:
    """The socket of the warm process of this process of tests.

    A process forked from one that counts coverage counts it as well: there is one that does not,
    for tests with `no_cover`.
    """
    wanted = (os.getpid(), os.environ.get(TRACED))
    if wanted not in _parents:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        _parents[wanted] = ours
    return _parents[wanted]


def _import() -> None:
    """Import what the programs use; nothing of that is freed."""
    gc.disable()
    for name in _MORE:
        importlib.import_module(name)
    for package in (zkpush.cli, zkpush.handlers, zkpush.simulator):
        for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(info.name)
    for noun in pkgutil.iter_modules(zkpush.handlers.__path__, f"{zkpush.handlers.__name__}."):
        for part in SERVER_PARTS if noun.ispkg else ():
            if importlib.util.find_spec(f"{noun.name}.{part}") is not None:
                importlib.import_module(f"{noun.name}.{part}")
    prepare_structs()
    passwords.hash_cheaply()
    _distributions.update(_read_distributions())
    metadata.packages_distributions = lambda: _distributions
    _build()
    assert "twisted.internet.reactor" not in sys.modules  # each child has its own
    gc.freeze()
    gc.enable()


def _build() -> None:
    """Make a daemon that does not start.

    A process keeps what it computes for that once, above all how paths of the API and the console
    are matched: this takes two thirds of the time in which a daemon is made.
    """
    from zkpush import tap

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        values = {"data": folder, "timezone": "UTC"}
        settings = config.load(None, values, lambda text: text, sections=installed.sections())
        tap.build(settings, DataDirectory(folder, "", schemas.KEY), Clock())


def _serve(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Fork a child for each request; returns in each child, and at the end of the tests."""
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        readable, _, _ = select.select([control, *running], [], [])
        for found in readable:
            if found is control:
                message, fds, _, _ = socket.recv_fds(control, _MOST_BYTES, 3)
                if not message:
                    return None
                reports = socket.socket(fileno=fds[0])
                pid = os.fork()
                if pid == 0:
                    return json.loads(message), fds
                for fd in fds[1:]:
                    os.close(fd)
                reports.send(b"%d" % pid)
                running[os.pidfd_open(pid)] = pid, reports
            else:
                pid, reports = running.pop(found)
                os.close(found)
                _, status = os.waitpid(pid, 0)
                with reports, contextlib.suppress(OSError):  # nobody asks for it any more
                    reports.send(b"%d" % os.waitstatus_to_exitcode(status))


def _become(asked: dict[str, Any], fds: list[int]) -> NoReturn:
    """Be the program."""
    for fd, standard in zip(fds[1:], (1, 2), strict=True):
        os.dup2(fd, standard)
    os.closerange(3, 1024)
    os.chdir(asked["cwd"])
    os.umask(asked["umask"])
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    resource.setrlimit(resource.RLIMIT_NOFILE, tuple(asked["descriptors"]))
    resource.setrlimit(resource.RLIMIT_FSIZE, tuple(asked["file_size"]))
    schemas.learn(asked["schemas"])
    folders = [*filter(None, asked["env"].get(_READ_LATER, "").split(os.pathsep))]
    sys.path[:1] = [str(SCRIPTS), *folders]
    if any(metadata.distributions(path=folders)):
        _distributions.clear()
        _distributions.update(_read_distributions())
    # They are looked for in the folders of the path when the package is imported.
    for module in [name for name in sys.modules if name.startswith("twisted.plugins")]:
        del sys.modules[module]
    importlib.import_module("twisted.plugins")
    sys.argv = [str(SCRIPTS / asked["name"]), *asked["arguments"]]
    ended: list[int] = []
    atexit.register(_leave, ended)
    try:
        sys.exit(_run(asked["name"]))
    except SystemExit as status:
        if status.code is None or isinstance(status.code, int):
            ended.append(status.code or 0)
        raise


def _run(name: str) -> object:
    if name == "twistd":
        from twisted.scripts.twistd import run

        return run()
    from zkpush.cli import main

    return main(prog_name=name)  # click would say: python -m tests.warm


def _leave(ended: Sequence[int]) -> None:
    """End the process, as the last of what is done at its exit.

    To free all objects instead would copy most pages of the parent, which takes as long as a run
    of `zkpush` does.
    """
    for status in ended:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            return  # Python has an exit status of its own for that
        os._exit(status & 0xFF)


def _main() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    control = socket.socket(fileno=int(sys.argv[1]))
    _import()
    asked = _serve(control)
    if asked is not None:
        _become(*asked)


if __name__ == "__main__":
    _main()

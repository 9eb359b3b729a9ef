"""Starting daemons that are to be refused."""

from __future__ import annotations

import os
import pathlib
import subprocess
import tempfile
import time
from collections.abc import Mapping

from ..daemon.process import LOOPBACK, STARTED_WITHIN, TWISTD

SERVES = "The API is at"
"""What the log of a daemon says once it has started."""


def refusal(
    data: pathlib.Path,
    *flags: str,
    env: Mapping[str, str] = {},
    cwd: pathlib.Path | None = None,
) -> str:
    """The line with which a daemon does not start; it ends with status 1, without a traceback."""
    command = [TWISTD, "--nodaemon", "--pidfile=", "zkpush", "--data", data]
    command += ["--listen", LOOPBACK, "--manage", LOOPBACK, *flags]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            command, stdout=out, stderr=err, env={**os.environ, **env}, cwd=cwd
        )
        deadline = time.monotonic() + STARTED_WITHIN
        try:
            while process.poll() is None:
                assert SERVES not in _content(out), "the daemon has started"
                assert time.monotonic() < deadline, _content(out) + _content(err)
                time.sleep(0.02)
        finally:
            process.kill()
            process.wait()
        said = _content(err)
    assert process.returncode == 1, said
    assert "Traceback" not in said
    (line,) = said.splitlines()
    assert line.startswith("zkpush: ")
    return line


def _content(file) -> str:
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode()

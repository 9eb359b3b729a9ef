"""Starting daemons that are to be refused."""

from __future__ import annotations

import os
import pathlib
import tempfile
import time
from collections.abc import Mapping

from .. import warm
from ..daemon.process import LOOPBACK, STARTED_WITHIN

SERVES = "The API is at"
"""What the log of a daemon says once it has started."""


def refusal(
    data: pathlib.Path,
    *flags: str,
    env: Mapping[str, str] = {},
    cwd: pathlib.Path | None = None,
) -> str:
    """The line with which a daemon does not start; it ends with status 1, without a traceback."""
    arguments = ["--nodaemon", "--pidfile=", "zkpush", "--data", data]
    arguments += ["--listen", LOOPBACK, "--manage", LOOPBACK, *flags]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = warm.start(
            "twistd",
            arguments,
            stdout=out.fileno(),
            stderr=err.fileno(),
            env={**os.environ, **env},
            cwd=cwd,
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

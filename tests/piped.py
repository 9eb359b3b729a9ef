"""Runs of `zkpush` with pipes, forked as `tests.warm` does; used as `subprocess.Popen`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TimedOut
from typing import TextIO

from . import warm


class PipedProgram(warm.Program):
    """A run of `zkpush` whose standard output and error are read as text.

    `stdout` and `stderr` are descriptors that take the place of the pipes.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> None:
        self.stdout, out = _pipe() if stdout == subprocess.PIPE else (None, os.dup(stdout))
        self.stderr, err = _pipe() if stderr == subprocess.PIPE else (None, os.dup(stderr))
        try:
            super().__init__("zkpush", arguments, env=env, stdout=out, stderr=err)
        finally:
            os.close(out)
            os.close(err)

    def communicate(self, timeout: float | None = None) -> tuple[str | None, str | None]:
        """Wait for the end, and return what it printed; `TimeoutExpired` if that takes too long."""
        streams = self.stdout, self.stderr
        with ThreadPoolExecutor(len(streams)) as pool:
            reading = [pool.submit(stream.read) if stream else None for stream in streams]
            try:
                out, err = [one and one.result(timeout) for one in reading]
            except TimedOut:
                self.kill()  # which ends the reading
                raise subprocess.TimeoutExpired("zkpush", timeout or 0) from None
        for stream in streams:
            if stream is not None:
                stream.close()
        self.wait(timeout)
        return out, err


def _pipe() -> tuple[TextIO, int]:
    """What reads a pipe, and the descriptor of its other end."""
    ours, theirs = os.pipe()
    return os.fdopen(ours, encoding="utf-8"), theirs

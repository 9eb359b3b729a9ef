"""The lock on a data directory: one daemon at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

MOST_BYTES = 4096
"""Upper limit of the text that a holder writes about itself."""


class DirectoryInUse(Exception):
    """Another process holds the lock; the message names that process."""


class DirectoryLock:
    """An exclusive `flock` on `DIR/lock`.

    The kernel releases it when the process ends, so a killed process leaves no stale lock. Workers
    do not inherit it: a new daemon can start while orphaned workers of a killed one still stop.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._handle: int | None = None

    def take(self, holder: Mapping[str, object]) -> None:
        """Take the lock, and record the holder: `pid` and `started_at`.

        `DirectoryInUse` if another process holds it, `OSError` if the file system cannot lock.
        """
        handle = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(handle, 0)
            os.pwrite(handle, msgspec.json.encode(holder), 0)
        except BlockingIOError:
            words = _holder(handle)
            os.close(handle)
            raise DirectoryInUse(
                f"the data directory {self._directory} is in use by {words}; "
                "stop that daemon first, or give this one another --data"
            ) from None
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle

    def release(self) -> None:
        """Release the lock, if it is held."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.ftruncate(handle, 0)
            os.close(handle)


def _holder(handle: int) -> str:
    """Describe the process that holds the lock."""
    try:
        holder = msgspec.json.decode(os.pread(handle, MOST_BYTES, 0), type=dict[str, object])
        return f"process {holder['pid']}, which started at {holder['started_at']}"
    except (msgspec.DecodeError, LookupError, OSError):
        return "another process"


def running_holder(directory: Path) -> int | None:
    """Return the process that has locked a data directory, unless it has ended.

    Without touching the lock, which would keep a daemon from taking it.
    """
    try:
        holder = msgspec.json.decode((directory / "lock").read_bytes(), type=dict[str, object])
        pid = int(str(holder["pid"]))
        os.kill(pid, 0)
    except PermissionError as error:
        return None if error.filename is not None else pid  # another user's process is alive
    except (msgspec.DecodeError, LookupError, ValueError, OSError):
        return None
    return pid

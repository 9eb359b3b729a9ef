"""Non-blocking standard output: a bounded buffer, written by a thread.

Twisted writes each line of the log at once, and a write to a full pipe blocks until its reader
reads. `LogStream` only appends the line to a buffer. A thread writes the buffer to the descriptor.
Lines that do not fit into the buffer are dropped; their number is logged as soon as there is room,
and counted for a metric. The descriptor keeps its flags, as other processes may share it.
"""

from __future__ import annotations

import atexit
import collections
import os
import select
import sys
import threading
import time
from typing import TextIO

from twisted.internet.interfaces import IReactorCore

MOST_BYTES = 256 * 1024
"""Maximum number of buffered bytes."""
FLUSH_SECONDS = 2.0
"""Seconds that the end of the process waits for the last lines to be written."""
_LOST = "zkpush: {count} lines of the log are lost: nothing read them\n"


class LogStream:
    """A text stream for log observers; its methods return at once, from any thread."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, descriptor: int, most_bytes: int = MOST_BYTES) -> None:
        self._descriptor = descriptor
        self._most_bytes = most_bytes
        self._changed = threading.Condition()
        self._lines: collections.deque[bytes] = collections.deque()
        self._bytes = 0
        self._is_writing = False
        self._unsaid = 0
        self._thread: threading.Thread | None = None
        self._end: float | None = None
        self.lost = 0
        """Number of dropped lines."""

    def write(self, text: str) -> int:
        """Append text to the buffer; its lines are dropped if the buffer is full."""
        data = text.encode(self.encoding, self.errors)
        with self._changed:
            if self._unsaid or self._bytes + len(data) > self._most_bytes:
                self._lose(text)
            else:
                self._put(data)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Append lines to the buffer."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Return at once; at the end of the process, wait until the buffer is written."""
        if self._end is not None:
            self.finish(max(0.0, self._end - time.monotonic()))

    def end(self, seconds: float = FLUSH_SECONDS) -> None:
        """Flush; this and later calls of `flush` wait, for up to `seconds` in total."""
        self._end = time.monotonic() + seconds
        self.flush()

    def isatty(self) -> bool:
        """Whether the descriptor is a terminal."""
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor of the stream."""
        return self._descriptor

    def finish(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Wait up to `seconds` for the buffer to be written; return whether it was."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._lines and not self._is_writing, seconds)

    def _put(self, data: bytes) -> None:
        self._lines.append(data)
        self._bytes += len(data)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run_thd, name="zkpush log", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _lose(self, text: str) -> None:
        count = max(1, text.count("\n"))
        self.lost += count
        self._unsaid += count

    def _run_thd(self) -> None:
        while True:
            with self._changed:
                self._is_writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._lines)
                data = b"".join(self._lines)
                self._lines.clear()
                self._bytes = len(data)  # until they are written
                self._is_writing = True
            is_written = self._write_thd(data)
            with self._changed:
                self._bytes -= len(data)
                if not is_written:
                    self.lost += data.count(b"\n")
                if self._unsaid:
                    count, self._unsaid = self._unsaid, 0
                    self._put(_LOST.format(count=count).encode())

    def _write_thd(self, data: bytes) -> bool:
        """Write all data, however long that takes; False if the descriptor cannot be written to."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # another process made the shared descriptor non-blocking
                select.select([], [self._descriptor], [])
            except OSError:
                return False
        return True


def install(reactor: IReactorCore) -> LogStream | None:
    """Replace standard output with a `LogStream`; call this before the log is opened.

    Returns the stream, or None without standard output. Where the log goes to a file or to syslog,
    the stream stays empty.
    """
    if isinstance(sys.stdout, LogStream):
        return sys.stdout
    try:
        sys.stdout.flush()
        stream = LogStream(sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):  # closed, or not a file
        return None
    replacement: TextIO = stream  # type: ignore[assignment]  # no TextIO, but is one
    sys.stdout = replacement
    # twistd ends by the signal that stopped it, without running Python's exit handlers.
    reactor.addSystemEventTrigger("after", "shutdown", stream.end)
    atexit.register(stream.end)
    return stream

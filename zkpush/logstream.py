"""Standard output that never blocks the daemon: a bounded buffer, and a thread that writes it.

Twisted writes each line of the log at once, and a write to a pipe that nobody reads never returns.
Here a line is only put into a buffer. A thread writes it to the descriptor, however long that
takes. Lines that come while the buffer is full are lost; how many is written as soon as there is
room, and counted for a metric. The descriptor stays as it is: other processes may share it.
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
"""Most bytes that wait to be written."""
FLUSH_SECONDS = 2.0
"""How long the end of the process waits for the last lines to be written."""
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
        """Lines that were lost."""

    def write(self, text: str) -> int:
        """Take some lines; they are lost if the buffer is full."""
        data = text.encode(self.encoding, self.errors)
        with self._changed:
            if self._unsaid or self._bytes + len(data) > self._most_bytes:
                self._lose(text)
            else:
                self._put(data)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Take some lines."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Return at once: what is in the buffer is on its way. At the end of the process, wait."""
        if self._end is not None:
            self.finish(max(0.0, self._end - time.monotonic()))

    def end(self, seconds: float = FLUSH_SECONDS) -> None:
        """Write the last lines before their writers go on, for some time altogether."""
        self._end = time.monotonic() + seconds
        self.flush()

    def isatty(self) -> bool:
        """Whether a person is looking."""
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        """The descriptor that is written to."""
        return self._descriptor

    def finish(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Wait for everything to be written, for some time; whether it was."""
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
        """Write everything, however long it takes; False if nobody can ever read it."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # somebody who shares the descriptor has set it so
                select.select([], [self._descriptor], [])
            except OSError:
                return False
        return True


def install(reactor: IReactorCore) -> LogStream | None:
    """Put a `LogStream` in the place of standard output, before the log is opened to it.

    Returns the stream; None if there is no standard output. Where the log goes to a file or to
    syslog, nothing is written to the stream.
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
    # twistd ends with the signal that stopped it, without Python's own end.
    reactor.addSystemEventTrigger("after", "shutdown", stream.end)
    atexit.register(stream.end)
    return stream

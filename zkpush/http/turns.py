"""Turns of processes that share a port: the first accepts, unless it falls behind.

Theory of operation. Workers share the listening socket of a port. If each accepted whatever it
could, every worker would get a part of the connections, and each connection would cost more: fewer
uploads would share a commit, and more threads would compete for the processor caches. So the
workers are ordered by `place`. The first accepts at once. When another worker sees a waiting
connection, it pauses, longer for a higher place, and then accepts only if no worker has found the
queue empty in the meantime. From then on, it accepts at once like the first, until the queue is
empty. So the first worker alone carries any load that it can bear, each of the next ones takes the
excess, and no connection waits long for a worker that hangs or restarts. A worker at its maximum
number of connections leaves new ones to the others, as if it were the last.

The workers share a single fact for each port: the time when one of them last found the queue empty.
It is a number in a memory-mapped file.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import time
from collections.abc import Callable

PATIENCE_SECONDS = 0.010
"""Seconds that the second process leaves connections to the first, the third to the second, and so
on."""
_NUMBER = 8
"""Size in bytes of a number in the file: a double."""


def new_board(ports: int) -> int:
    """Create the shared file for a number of ports; returns its descriptor."""
    with tempfile.TemporaryFile() as file:
        file.truncate(_NUMBER * ports)
        return os.dup(file.fileno())


class Turns:
    """Decides when this process may accept on one port."""

    def __init__(
        self,
        board: int,
        port: int,
        place: int,
        count: int,
        is_full: Callable[[], bool],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`place` is this worker's index of `count` workers, `port` the shared port's index.

        `board` is the descriptor from `new_board`; `now` returns seconds of a clock that all
        workers share; `is_full` tells whether this worker has its maximum of connections.
        """
        self._times = memoryview(mmap.mmap(board, 0)).cast("d")
        self._port = port
        self._place = place
        self._count = count
        self._is_full = is_full
        self._now = now
        self._helps = False

    def wait(self) -> float:
        """Seconds to wait before accepting; 0 to accept now."""
        if self._is_full():
            return self._count * PATIENCE_SECONDS
        return 0 if self._helps else self._place * PATIENCE_SECONDS

    def is_needed(self, waited: float) -> bool:
        """Whether connections may still wait after `waited` seconds; if so, help until none do."""
        self._helps = self._now() - self._times[self._port] >= waited
        return self._helps

    def found_nobody(self) -> None:
        """Record for all workers that the queue is empty."""
        self._times[self._port] = self._now()
        self._helps = False

"""Which of several processes accepts a connection: the first, unless somebody waits for it.

Theory of operation. Workers share the socket of a port. Were each to accept what it can, all would
have a part of the connections, and each of them would cost more: a commit would be shared by fewer
uploads, and twice as many threads would take the caches of the processors from each other. So the
workers have places. The first accepts whatever comes. Each of the others, when it hears that there
is somebody to accept, looks away for a while, which is longer the further behind it is; and then
accepts only if meanwhile none of them has found that nobody waits. Then it goes on to accept as the
first one does, until there is nobody left. So a load that the first can bear is borne by it alone,
of more than that each of the next takes what is left, and nobody waits long for a process that
hangs or is being started again. A process that has as many connections as it may have leaves the
next ones to the others, as if it were the last.

What the processes know of each other is when one of them last found nobody: a number for each port,
in a file in memory that all of them share.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import time
from collections.abc import Callable

PATIENCE_SECONDS = 0.010
"""How long the second process leaves who waits to the first, the third to the second, and so on."""
_NUMBER = 8
"""Bytes of a number in the file: a double."""


def new_board(ports: int) -> int:
    """The descriptor of a file for the processes that share so many ports."""
    with tempfile.TemporaryFile() as file:
        file.truncate(_NUMBER * ports)
        return os.dup(file.fileno())


class Turns:
    """When this process may accept, on one port."""

    def __init__(
        self,
        board: int,
        port: int,
        place: int,
        count: int,
        is_full: Callable[[], bool],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """This process has a place among so many, from 0; so has the port among those they share.

        `board` is the descriptor of `new_board`; `now` is the same clock in all of them, in
        seconds.
        """
        self._times = memoryview(mmap.mmap(board, 0)).cast("d")
        self._port = port
        self._place = place
        self._count = count
        self._is_full = is_full
        self._now = now
        self._helps = False

    def wait(self) -> float:
        """For how many seconds whoever waits is to be left to the others; 0 if they are not."""
        if self._is_full():
            return self._count * PATIENCE_SECONDS
        return 0 if self._helps else self._place * PATIENCE_SECONDS

    def is_needed(self, waited: float) -> bool:
        """Whether, so many seconds later, somebody may still wait: then accepting is for all."""
        self._helps = self._now() - self._times[self._port] >= waited
        return self._helps

    def found_nobody(self) -> None:
        """Tell all that nobody waits."""
        self._times[self._port] = self._now()
        self._helps = False

"""Bodies and their decoding have one memory budget, so the daemon's memory is bounded."""

from __future__ import annotations

import contextlib
import http.client
import pathlib
import threading

import pytest

from ..daemon.process import Daemon
from ..daemon.test_process import wait_until

MIB = 2**20
LENGTH, AT_ONCE = 16 * MIB, 12
ENOUGH = 3
"""Uploads to wait for: all have come then, and would be decoded at once if they could."""
MOST = 250 * MIB
"""What they may add to the memory; without a budget they add 650 MiB."""


def most_resident(daemon: Daemon) -> int:
    """The most memory that the daemon has used so far, in bytes."""
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.mark.long
def test_long_bodies_at_once_take_a_bounded_amount_of_memory(tmp_path: pathlib.Path) -> None:
    """Of a dozen bodies of 16 MiB of one terminal, some are stored in turn, the others refused."""
    row = b"%d\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n"
    count = LENGTH // len(row % 1_000_000)
    body = b"".join(row % (1_000_000 + number) for number in range(count))
    replies: list[tuple[int, bytes]] = []

    def send(daemon: Daemon) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):  # refused, or killed
            replies.append(daemon.upload("T1", body))

    with Daemon(tmp_path) as daemon:
        daemon.exchange("T1")
        before = most_resident(daemon)
        senders = [threading.Thread(target=send, args=[daemon]) for _ in range(AT_ONCE)]
        for sender in senders:
            sender.start()
        wait_until(lambda: replies.count((200, b"OK: %d" % count)) >= ENOUGH)
        grown = most_resident(daemon) - before
        assert daemon.upload("T1", b"7\t2026-01-05 08:00:00\t0\t1\n") == (200, b"OK: 1")
        daemon.kill()
    for sender in senders:
        sender.join()
    assert {status for status, _ in replies} <= {200, 503}
    assert grown < MOST

"""A queue of hundreds of commands."""

from __future__ import annotations

import contextlib
import gc
import itertools
import re
import sys
import tracemalloc
from collections.abc import Iterator

import pytest
import pytest_twisted

from zkpush.persist.commands import CommandStore
from zkpush.persist.devices import DeviceStore
from zkpush.values.commands import NewCommand

TOTAL = 300
BATCH = 15
MOST_LEFT = 4
"""Blocks of memory that each command may leave: caches and chance."""
MOST_AT_ONCE = 3
"""How much more memory one poll may take than another."""
MEASURED = {1, TOTAL // BATCH - 1}
"""Polls whose memory is traced, which makes them slow: the last one, and one of the longest queue
that finds its caches filled."""


@contextlib.contextmanager
def peak(peaks: list[int]) -> Iterator[None]:
    """Add the most memory, in bytes, that was allocated at once."""
    tracemalloc.start()
    try:
        yield
        peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
@pytest_twisted.ensureDeferred
async def test_a_long_queue_drains_in_order_in_constant_memory(make_rig) -> None:
    """A long queue goes out in batches, in the order it was queued, each command once.

    A poll takes as much memory while the queue is long as while it is short, and leaves none.
    """
    rig = await make_rig(commands={"batch_count": BATCH, "batch_bytes": 65536})
    await rig.exchange()

    def fill(tx) -> None:
        device = tx[DeviceStore].find("T1")
        for number in range(TOTAL):
            pin = {"PIN": str(number)}
            text = f"DATA DELETE USERINFO PIN={number}"
            command = NewCommand(
                id=f"c{number}", command="DATA DELETE USERINFO", params=pin, asked=pin, text=text
            )
            tx[CommandStore].add(device.id, command, rig.registry.now())

    await rig.store.write(fill)
    rig.registry.known("T1").next_due = 0
    drained: list[int] = []
    peaks: list[int] = []
    left: list[int] = []
    for number in itertools.count():
        with peak(peaks) if number in MEASURED else contextlib.nullcontext():
            body = (await rig.get("getrequest?SN=T1")).body
        if body == b"OK":
            break
        assert len(body) <= 65536
        found = re.findall(rb"C:c(\d+):DATA DELETE USERINFO PIN=(\d+)\n", body)
        assert len(found) == body.count(b"\n") <= BATCH
        assert [command_id for command_id, _ in found] == [pin for _, pin in found]
        drained += [int(command_id) for command_id, _ in found]
        replies = "\n".join(f"ID=c{int(one)}&Return=0&CMD=DATA" for one, _ in found)
        assert (await rig.post("devicecmd?SN=T1", replies.encode())).body == b"OK"
        gc.collect()
        left.append(sys.getallocatedblocks())
    assert drained == list(range(TOTAL))
    assert len(peaks) == len(MEASURED)
    assert max(peaks) < MOST_AT_ONCE * min(peaks)
    assert left[-1] - left[0] < MOST_LEFT * TOTAL

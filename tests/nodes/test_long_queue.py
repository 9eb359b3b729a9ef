"""A queue of a thousand commands."""

from __future__ import annotations

import gc
import re
import tracemalloc

import pytest
import pytest_twisted

from zkpush.persist.commands import CommandStore
from zkpush.persist.devices import DeviceStore
from zkpush.values.commands import NewCommand

TOTAL = 1000
BATCH = 50
MOST_LEFT = 200
"""Bytes that each command may leave in memory: caches and chance."""
MOST_AT_ONCE = 3
"""How much more memory one poll may take than another; the first fills caches."""


@pytest.mark.usefixtures("no_cover")
@pytest_twisted.ensureDeferred
async def test_a_thousand_commands_drain_in_order_in_constant_memory(make_rig) -> None:
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
    sizes: list[int] = []
    tracemalloc.start()
    try:
        while True:
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            body = (await rig.get("getrequest?SN=T1")).body
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
            if body == b"OK":
                break
            assert len(body) <= 65536
            found = re.findall(rb"C:c(\d+):DATA DELETE USERINFO PIN=(\d+)\n", body)
            assert len(found) == body.count(b"\n") <= BATCH
            assert [command_id for command_id, _ in found] == [pin for _, pin in found]
            drained += [int(number) for number, _ in found]
            replies = "\n".join(f"ID=c{int(number)}&Return=0&CMD=DATA" for number, _ in found)
            assert (await rig.post("devicecmd?SN=T1", replies.encode())).body == b"OK"
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert drained == list(range(TOTAL))
    assert max(peaks) < MOST_AT_ONCE * min(peaks[:-1])
    assert sizes[-1] - sizes[0] < MOST_LEFT * TOTAL

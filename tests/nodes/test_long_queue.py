"""A queue of ten thousand commands."""

from __future__ import annotations

import os
import re

import psutil
import pytest
import pytest_twisted

from zkpush.persist.commands import CommandStore
from zkpush.persist.devices import DeviceStore
from zkpush.values.commands import NewCommand

TOTAL = 10_000
BATCH = 500
ROOM = 16 * 1024 * 1024
"""Bytes by which the process may grow after the first tenth: caches and chance."""


@pytest.mark.usefixtures("no_cover")
@pytest_twisted.ensureDeferred
async def test_ten_thousand_commands_drain_in_order_in_constant_memory(make_rig) -> None:
    """A long queue goes out in batches, in the order it was queued, each command once."""
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
    sizes: list[int] = []
    while (body := (await rig.get("getrequest?SN=T1")).body) != b"OK":
        assert len(body) <= 65536
        found = re.findall(rb"C:c(\d+):DATA DELETE USERINFO PIN=(\d+)\n", body)
        assert len(found) == body.count(b"\n") <= BATCH
        assert [command_id for command_id, _ in found] == [pin for _, pin in found]
        drained += [int(number) for number, _ in found]
        replies = "\n".join(f"ID=c{int(number)}&Return=0&CMD=DATA" for number, _ in found)
        assert (await rig.post("devicecmd?SN=T1", replies.encode())).body == b"OK"
        sizes.append(psutil.Process(os.getpid()).memory_info().rss)
    assert drained == list(range(TOTAL))
    assert max(sizes) - max(sizes[: len(sizes) // 10]) < ROOM

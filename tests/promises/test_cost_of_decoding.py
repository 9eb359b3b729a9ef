"""The cost of what terminals send: time in proportion to the bytes, whatever they are."""

from __future__ import annotations

import time

import pytest
import pytest_twisted

from ..rig import Rig

NOISE_SECONDS = 0.25
"""Processor time that is not compared."""
MARGIN = 3.0


async def spent(rig: Rig, path: str, body: bytes, expected: bytes) -> float:
    """Processor seconds of all threads for one upload."""
    begun = time.process_time()
    reply = await rig.post(path, body)
    cost = time.process_time() - begun
    assert reply.body.startswith(expected), reply.raw
    return cost


SPACED = {
    "fields split by spaces": (
        "cdata?SN=T1&table=OPERLOG&Stamp=1",
        lambda count: b"USER PIN=1 Name=a" + b" " * count + b"x\n",
        b"OK: 1",
    ),
    "background verification": (
        "cdata?SN=T1&type=PostVerifyData",
        lambda count: b"7" + b" " * count + b"x",
        b"There is no user ID",
    ),
}


@pytest.mark.parametrize("what", SPACED)
@pytest_twisted.ensureDeferred
async def test_a_run_of_spaces_takes_time_in_proportion(rig: Rig, what: str) -> None:
    """A body of spaces that is 16 times as long takes no more than about 16 times as long."""
    path, body, expected = SPACED[what]
    await rig.exchange()
    short = await spent(rig, path, body(500), expected)
    long = await spent(rig, path, body(8000), expected)
    assert long < NOISE_SECONDS or long < short * 16 * MARGIN

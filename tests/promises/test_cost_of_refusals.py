"""A refused request costs no more than a served poll, by the number of calls that it takes."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Awaitable, Callable, Iterable
from itertools import count
from types import FrameType

import pytest
import pytest_twisted

import zkpush
from zkpush.device.refusals import MOST

from ..rig import Rig
from .test_cost_at_the_gate import HOME, MODES, STRANGER, Caller, blocked, head, pending

OURS = str(pathlib.Path(zkpush.__file__).parent)
TESTING = str(pathlib.Path(OURS) / "testing")
PACE = 0.002
"""Seconds from one request to the next: as many as strangers may make in a second."""
ROUNDS = 20
FLOOD = 2 * MOST
"""Refusals before those that are measured: as in a flood, most are not told apart."""
Prepare = Callable[..., Awaitable[Rig]]


class Calls:
    """Calls of functions of zkpush, and by them of functions that are not written in Python."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """Note an event."""
        path = frame.f_code.co_filename
        if event in ("call", "c_call") and path.startswith(OURS) and not path.startswith(TESTING):
            self.number += 1


async def calls_of(rig: Rig, raws: Iterable[bytes], address: str, expected: bytes) -> float:
    """How many calls each of the last requests takes, on connections of their own."""
    counts: list[int] = []
    for raw in raws:
        rig.clock.advance(PACE)
        before, calls = sys.getprofile(), Calls()
        sys.setprofile(calls)
        try:
            caller = Caller(rig, raw, address)
            is_answered = bool(caller.reply)
        finally:
            sys.setprofile(before)
        assert expected in await caller.replied()
        caller.leave()
        counts.append(calls.number if is_answered else 0)
    assert all(counts[-ROUNDS:])  # answered at once, from memory
    return sum(counts[-ROUNDS:]) / ROUNDS


def flooded(mode: str) -> Prepare:
    """A daemon at which more unknown terminals come than it looks up."""

    async def prepare(make_rig: Prepare) -> Rig:
        rig = await make_rig(admission=mode, limits={"unknown_per_minute": 1})
        await rig.get("ping?SN=Y0", address=STRANGER)
        return rig

    return prepare


CASES = {
    **{f"unknown, {mode}": (flooded(mode), "getrequest?SN=Y%d", b"429") for mode in MODES},
    "pending": (pending, "getrequest?SN=X1", b"403"),
    "blocked": (blocked, "getrequest?SN=X1", b"403"),
}


@pytest.mark.parametrize("case", CASES)
@pytest_twisted.ensureDeferred
async def test_a_refusal_takes_fewer_calls_than_a_poll(make_rig, case: str) -> None:
    """Of functions in zkpush, and of others that these call."""
    prepare, path, status = CASES[case]
    rig = await prepare(make_rig)
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    await rig.exchange("T1")
    numbers = count(1)
    refused = [head(path.replace("%d", str(next(numbers)))) for _ in range(FLOOD)]
    poll = await calls_of(rig, [head("getrequest?SN=T1")] * FLOOD, HOME, b"OK")
    refusal = await calls_of(rig, refused, STRANGER, status)
    assert refusal < poll

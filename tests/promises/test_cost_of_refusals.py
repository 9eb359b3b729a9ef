"""A refused request costs no more than a served poll, by the number of calls and instructions."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Awaitable, Callable, Iterable
from itertools import count
from types import FrameType
from typing import Self

import pytest
import pytest_twisted

import zkpush
from zkpush.device.refusals import MOST

from ..rig import Rig
from .callers import HOME, MODES, STRANGER, Caller, blocked, head, pending

OURS = str(pathlib.Path(zkpush.__file__).parent)
TESTING = str(pathlib.Path(OURS) / "testing")
PACE = 0.002
"""Seconds from one request to the next: as many as strangers may make in a second."""
ROUNDS = 20
FLOOD = 2 * MOST
"""Refusals before those that are measured: as in a flood, most are not told apart."""
Prepare = Callable[..., Awaitable[Rig]]


def is_counted(frame: FrameType) -> bool:
    """Whether a function is one of zkpush."""
    path = frame.f_code.co_filename
    return path.startswith(OURS) and not path.startswith(TESTING)


class Calls:
    """Calls of functions of zkpush, and by them of functions that are not written in Python."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """Note an event."""
        if event in ("call", "c_call") and is_counted(frame):
            self.number += 1

    def __enter__(self) -> Self:
        self._before = sys.getprofile()
        sys.setprofile(self)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)


class Instructions:
    """Instructions of the interpreter in functions of zkpush."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> Instructions | None:
        """Note an event."""
        if event == "opcode":
            self.number += 1
        elif event == "call" and is_counted(frame):
            frame.f_trace_lines, frame.f_trace_opcodes = False, True
        elif event == "call":
            return None
        return self

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)


Measure = type[Calls] | type[Instructions]


async def cost_of(
    measure: Measure, rig: Rig, raws: Iterable[bytes], address: str, expected: bytes
) -> float:
    """What each of the last requests takes, on connections of their own."""
    counts: list[int] = []
    for raw in raws:
        rig.clock.advance(PACE)
        with measure() as cost:
            caller = Caller(rig, raw, address)
            is_answered = bool(caller.reply)
        assert expected in await caller.replied()
        caller.leave()
        counts.append(cost.number if is_answered else 0)
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


@pytest.mark.parametrize("measure", [Calls, Instructions])
@pytest.mark.parametrize("case", CASES)
@pytest_twisted.ensureDeferred
async def test_a_refusal_takes_less_than_a_poll(make_rig, case: str, measure: Measure) -> None:
    """Fewer calls of functions in zkpush and of others that these call, and fewer instructions."""
    await compare(make_rig, CASES[case], measure)


@pytest_twisted.ensureDeferred
async def test_an_unknown_path_takes_less_than_a_poll(make_rig) -> None:
    """Fewer instructions, although the path and the serial number are recorded."""
    await compare(make_rig, (flooded("approve"), "nothing?SN=Y%d", b"404"), Instructions)


async def compare(make_rig: Prepare, case: tuple[Prepare, str, bytes], measure: Measure) -> None:
    """Compare the cost of a refused request with that of a poll."""
    prepare, path, status = case
    rig = await prepare(make_rig)
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    await rig.exchange("T1")
    numbers = count(1)
    refused = [head(path.replace("%d", str(next(numbers)))) for _ in range(FLOOD)]
    poll = await cost_of(measure, rig, [head("getrequest?SN=T1")] * FLOOD, HOME, b"OK")
    refusal = await cost_of(measure, rig, refused, STRANGER, status)
    assert refusal < poll


@pytest_twisted.ensureDeferred
async def test_a_refusal_follows_the_state_of_the_terminal(make_rig) -> None:
    """The next request after a change is answered by the new state."""
    rig = await pending(make_rig)
    path = "getrequest?SN=X1"
    for state, status, words in (
        (None, 403, b"waits"),
        ("blocked", 403, b"blocked"),
        ("approved", 200, b""),
        ("blocked", 403, b"blocked"),
    ):
        if state is not None:
            await rig.api("PATCH", "/devices/X1", {"state": state})
        for _ in range(2):
            reply = await rig.get(path)
            assert (reply.status, words in reply.body) == (status, True)

"""What is fuzzed takes time and memory in proportion to its input, on inputs that are fixed."""

from __future__ import annotations

import random

import pytest

from fuzz.targets import TARGETS, Target

from . import cost

PIECES = (b" ", b"\t", b"\n", b"=", b"&", b",", b"\xff", b"\0", b"a\n", b"a=", b"ID=1&Return=0\n")
CASES = [
    pytest.param(target, seed, id=f"{name}-{number}")
    for name, target in TARGETS.items()
    if target.is_measured
    for number, seed in enumerate(target.seeds)
]


@pytest.mark.parametrize(("target", "seed"), CASES)
def test_a_target_is_linear_in_what_it_reads(target: Target, seed: bytes) -> None:
    """A piece that is repeated within an input takes time and memory in proportion."""
    chosen = random.Random(len(seed))
    for piece in PIECES:
        cost.check_pumped(target.run, seed, chosen.randrange(2, len(seed) + 1), piece)
    for _ in range(3):
        start = chosen.randrange(2, len(seed))
        piece = seed[start : start + chosen.randrange(1, 20)]
        cost.check_pumped(target.run, seed, start, piece)


def quadratic(data: bytes) -> int:
    """Read everything once for every twenty bytes."""
    return sum(sum(data) for _ in range(len(data) // 20))


def hoarding(data: bytes) -> bytes:
    """Keep thousands of bytes for each byte, at the cost of one call."""
    return bytes(4000 * len(data))


def test_a_target_that_grows_too_fast_is_found() -> None:
    """What is quadratic in time, or holds much memory, is told from what is not."""
    seed = b"USER PIN=1\tName=Ann"
    with pytest.raises(cost.Growth, match="are linear"):
        cost.check_pumped(quadratic, seed, 4, b"x")
    with pytest.raises(cost.Growth, match="of memory"):
        Target(hoarding, (seed,)).check(seed)
    Target(len, (seed,)).check(seed)

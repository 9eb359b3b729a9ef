"""What an input costs: processor time and memory against its length, with wide margins.

Used by the tests of decoders and by the fuzz targets. Time is that of the calling thread, so that
other processes of the machine do not count; of several runs, the cheapest counts.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import attrs

T = TypeVar("T")
LENGTHS = (1_000, 4_000, 16_000)
"""Lengths to compare: 16 times from the first to the last."""
NOISE_SECONDS = 0.02
"""What takes less is not compared: something quadratic takes more at the longest length."""
MARGIN = 6.0
"""How much faster than its length the cost of an input may grow: quadratic is 16."""
RUNS = 3


class Growth(AssertionError):
    """A cost that grows faster than the length of the input."""


@attrs.frozen(kw_only=True)
class Budget:
    """What an input may cost: so much, and so much more for each byte.

    Generous: it is to find growth, and not slowness, on a machine that is shared.
    """

    seconds: float = 0.2
    seconds_per_byte: float = 50e-6
    peak: int = 2 * 1024 * 1024
    """Bytes of memory."""
    peak_per_byte: int = 1000

    def check(self, run: Callable[[], object], length: int) -> None:
        """Run something that reads so many bytes; `Growth` if it costs more than it may."""
        most = self.seconds + self.seconds_per_byte * length
        spent = min(_until(most, run))
        if spent > most:
            raise Growth(f"{length} bytes take {spent:.3f} s; {most:.3f} s are allowed")
        held = peak(run)
        if held > self.peak + self.peak_per_byte * length:
            raise Growth(f"{length} bytes take {held} bytes of memory")


def _until(enough: float, run: Callable[[], object]) -> Iterator[float]:
    """The seconds of some runs, up to the first that takes no longer than that."""
    for _ in range(RUNS):
        spent = seconds(run)
        yield spent
        if spent <= enough:
            return


def pumped(data: bytes, start: int, piece: bytes, length: int) -> bytes:
    """The data with a piece repeated at a place, so that it has about so many bytes."""
    times = max(0, length - len(data)) // len(piece)
    return data[:start] + piece * times + data[start:]


def check_pumped(
    run: Callable[[bytes], object],
    data: bytes,
    start: int,
    piece: bytes,
    budget: Budget = Budget(),
    lengths: Sequence[int] = LENGTHS,
) -> None:
    """Repeat a piece of some data; `Growth` if that costs more than in proportion."""
    check_linear(lambda length: pumped(data, start, piece, length), run, lengths)
    longest = pumped(data, start, piece, lengths[-1])
    budget.check(lambda: run(longest), len(longest))


def seconds(run: Callable[[], object]) -> float:
    """Processor seconds of one run, in this thread."""
    begun = time.thread_time()
    run()
    return time.thread_time() - begun


def peak(run: Callable[[], object]) -> int:
    """The most bytes that one run has allocated at a time."""
    traced = tracemalloc.is_tracing()
    if not traced:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not traced:
            tracemalloc.stop()


def check_linear(
    make: Callable[[int], T],
    run: Callable[[T], object],
    lengths: Sequence[int] = LENGTHS,
) -> None:
    """Run on inputs of growing length; `Growth` if the time grows faster than the length.

    The longest is tried first: what is fast there needs no comparison.
    """
    longest = make(lengths[-1])
    if seconds(lambda: run(longest)) < NOISE_SECONDS:
        return
    inputs = [make(length) for length in lengths[:-1]] + [longest]
    costs = [min(seconds(lambda: run(one)) for _ in range(RUNS)) for one in inputs]  # noqa: B023
    if costs[-1] < NOISE_SECONDS:
        return
    most = lengths[-1] / lengths[0] * MARGIN
    ratio = costs[-1] / max(costs[0], 1e-6)
    if ratio > most:
        figures = ", ".join(f"{cost * 1000:.2f} ms" for cost in costs)
        raise Growth(f"{lengths} take {figures}: {ratio:.0f} times, of which {most:.0f} are linear")

"""Side by side: the same load on both servers in turn, and the middle of the ratios."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

import attrs

from .load import Load, run
from .servers import Server

ROUNDS = 20
"""Short ones: what a shared machine does changes within seconds, and both shall have the same."""


@attrs.frozen
class Result:
    """One line of the table."""

    work: str
    against: str
    ratio: float | None
    goal: float | None
    figures: dict[str, float]
    unit: str = "x"
    is_least: bool = False
    """Whether the goal is the least that the ratio may be, and not the most."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None or self.ratio is None:
            return None
        return self.ratio >= self.goal if self.is_least else self.ratio <= self.goal


def side_by_side(
    work: str,
    goal: float | None,
    ours: Server,
    theirs: Server,
    requests: Callable[[], Iterator[bytes]],
    *,
    count: int,
    connections: int,
    keep_alive: bool = False,
    rounds: int = ROUNDS,
) -> Result:
    """CPU microseconds a request of ours, divided by theirs: the median of rounds A B A B."""
    ratios, mine, other = [], [], []
    loads: tuple[list[Load], list[Load]] = ([], [])
    for turn in range(rounds + 1):
        costs = []
        for server, done in zip((ours, theirs), loads, strict=True):
            before = server.cpu()
            load = run(
                server.ports,
                requests(),
                count=count,
                connections=connections,
                keep_alive=keep_alive,
            )
            assert load.wrong == 0, f"{load.wrong} replies of {work} were wrong"
            costs.append((server.cpu() - before) / load.requests * 1e6)
            if turn:
                done.append(load)
        if turn:  # the first round warms up
            mine.append(costs[0])
            other.append(costs[1])
            ratios.append(costs[0] / costs[1])
    return Result(
        work,
        "bare twisted.web",
        statistics.median(ratios),
        goal,
        {
            "cpu_us": statistics.median(mine),
            "limit_cpu_us": statistics.median(other),
            "lowest_ratio": min(ratios),
            "highest_ratio": max(ratios),
            "memory_mib": ours.memory() / 2**20,
            **_speed(loads[0]),
            "limit_requests_a_second": _speed(loads[1])["requests_a_second"],
        },
    )


def _speed(loads: list[Load]) -> dict[str, float]:
    whole = Load(sum(load.requests for load in loads), 0, sum(load.seconds for load in loads))
    whole.latencies = [latency for load in loads for latency in load.latencies]
    return {
        "requests_a_second": whole.requests / whole.seconds,
        "p50_ms": whole.percentile(0.5),
        "p99_ms": whole.percentile(0.99),
    }

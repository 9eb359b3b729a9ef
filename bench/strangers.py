"""What strangers, long bodies and bombs cost those who are served meanwhile."""

from __future__ import annotations

import functools
import gzip
import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator

from zkpush.device.pacer import REFUSALS
from zkpush.device.refusals import EVERY

from .aside import TERMINAL, Aside
from .load import Load, run
from .measure import Result
from .requests import polls, stranger_polls, upload
from .scale import Scale, folder
from .servers import Zkpush

KNOWN, STRANGERS = 16, 48
MODES = ("approve", "open", "closed")
LONG_BODIES = 20
STEP = int(REFUSALS.per_second * REFUSALS.step)
"""Refusals of one step of their pace."""
ROUNDS = 5
"""Most rounds in which refusals are compared with polls. Each takes twice `EVERY` seconds, so that
periodic writes of the daemon count in all of them alike."""
BOMB_BYTES = 1024 * 1024
"""What a bomb of about 1 KB expands to."""


def strangers(scale: Scale) -> Iterator[Result]:
    """Known terminals beside strangers, each with a new serial number in each request."""
    known = [f"T{number}" for number in range(200)]
    for mode in MODES:
        data = folder()
        server = Zkpush(data)
        for sn in known:
            server.exchange(sn)
        server.stop()
        server = Zkpush(data, "--admission", mode)
        try:
            yield _beside_strangers(scale, server, known, mode)
        finally:
            server.stop()
        (data / "none.toml").write_text("[limits]\nunknown_per_minute = 1\n")
        server = Zkpush(data, "--admission", mode, "--config", str(data / "none.toml"))
        try:
            yield _refusals(scale, server, known, mode)
        finally:
            server.stop()


def _beside_strangers(scale: Scale, server: Zkpush, known: list[str], mode: str) -> Result:
    """The rate of known terminals; the first strangers are recorded, where that is the mode."""

    def serve() -> float:
        load = run(
            server.ports,
            polls(b"close", known),
            count=scale.count * 3,
            connections=KNOWN,
            keep_alive=False,
        )
        assert load.wrong == 0
        return load.requests / load.seconds

    serve()  # warms up
    rates = []
    for _ in range(scale.rounds):
        alone = serve()
        aside = Aside("strangers", server.port, STRANGERS)
        time.sleep(0.2)
        beside = serve()
        aside.finish()
        rates.append((beside / alone, alone, beside))
    ratios, alone_rates, beside_rates = zip(*rates, strict=True)
    return Result(
        f"{KNOWN} terminals beside {STRANGERS} strangers, {mode}",
        "their rate alone",
        statistics.median(ratios),
        0.4,
        {
            "requests_a_second": statistics.median(beside_rates),
            "limit_requests_a_second": statistics.median(alone_rates),
            "lowest_ratio": min(ratios),
            "highest_ratio": max(ratios),
        },
        is_least=True,
    )


def _refusals(scale: Scale, server: Zkpush, known: list[str], mode: str) -> Result:
    """The CPU of a refusal beyond the limit of unknown terminals, and of a poll at that pace."""
    costs = []
    new = stranger_polls(1_000_000)  # none of those that were recorded
    count = int(REFUSALS.per_second * EVERY)
    for _ in range(min(scale.rounds, ROUNDS) + 1):
        refused = _cost(server, new, count)
        costs.append((refused, _cost(server, polls(b"close", known), count)))
    del costs[0]  # it warms up, and some are saved that need not wait
    return Result(
        f"a refused request, {mode}",
        "a served poll at the same pace",
        statistics.median(refused / served for refused, served in costs),
        1.0,
        {
            "cpu_us": statistics.median(refused for refused, _ in costs) * 1e6,
            "limit_cpu_us": statistics.median(served for _, served in costs) * 1e6,
        },
    )


def _cost(server: Zkpush, requests: Iterator[bytes], count: int) -> float:
    """CPU seconds of one request, at the pace of refusals."""
    before, done = server.cpu(), 0
    while done < count:
        begun = time.monotonic()
        load = run(server.ports, requests, count=STEP, connections=STEP, keep_alive=False)
        done += load.requests
        time.sleep(max(0.0, begun + REFUSALS.step - time.monotonic()))
    return (server.cpu() - before) / done


def long_bodies(scale: Scale) -> Iterator[Result]:
    """Polls of others while long bodies of one terminal, or bombs, arrive; and the memory then."""
    for what, arrive in (
        (f"{LONG_BODIES} bodies of {scale.long_bytes // 1_000_000} MB arrive", _send_bodies),
        ("a 1 KB gzip bomb arrives", _send_bombs),
    ):
        server = Zkpush(folder())
        here = [f"T{number}" for number in range(50)]
        for sn in (*here, TERMINAL):
            server.exchange(sn)
        try:
            load, figures = _polls_while(server, here, functools.partial(arrive, server, scale))
            yield Result(
                f"polls of others while {what}, p99",
                "50 ms",
                load.percentile(0.99),
                50.0,
                {"polls": load.requests, "p50_ms": load.percentile(0.5), **figures},
                "ms",
            )
            yield Result(
                f"peak memory while {what}",
                "400 MiB",
                server.peak() / 2**20,
                400.0,
                {},
                "MiB",
            )
        finally:
            server.stop()


def _polls_while(
    server: Zkpush, here: list[str], arrive: Callable[[], dict[str, float]]
) -> tuple[Load, dict[str, float]]:
    """The polls of other terminals, one after the other, as long as something arrives."""
    figures: dict[str, float] = {}
    arriving = threading.Thread(target=lambda: figures.update(arrive()))
    whole = Load()
    requests = polls(b"close", here)
    arriving.start()
    while arriving.is_alive():
        load = run(server.ports, requests, count=20, connections=1, keep_alive=False)
        whole.requests += load.requests
        whole.wrong += load.wrong
        whole.latencies += load.latencies
        time.sleep(0.01)
    assert whole.wrong == 0
    return whole, figures


def _send_bodies(server: Zkpush, scale: Scale) -> dict[str, float]:
    aside = Aside("bodies", server.port, LONG_BODIES, scale.long_bytes)
    answered = aside.finish()
    assert set(answered) <= {"200", "503", "cut"}, answered
    return {f"answered_{status}": count for status, count in answered.items()}


def _send_bombs(server: Zkpush, scale: Scale) -> dict[str, float]:
    bomb = gzip.compress(b"a\n" * (BOMB_BYTES // 2), mtime=0)
    bombs = itertools.repeat(upload(TERMINAL, bomb, query="table=OPERLOG&ContentType=tgz"))
    load = run(server.ports, bombs, count=scale.rounds, connections=1, keep_alive=False)
    return {"bomb_ms": load.percentile(0.5)}

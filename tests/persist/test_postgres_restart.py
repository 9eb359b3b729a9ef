"""A PostgreSQL that restarts under the daemon costs refused uploads, never lost ones."""

from __future__ import annotations

import itertools

import pytest_twisted
from twisted.internet import threads
from twisted.internet.defer import Deferred, gatherResults

from zkpush.manage.health import FRESH_SECONDS

from ..postgres import OwnServer
from ..rig import Rig


async def upload(rig: Rig, pin: int) -> bool:
    """Send one punch; whether it was acknowledged. What is not is refused as terminals need it."""
    line = b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin
    response = await rig.post(f"cdata?SN=T1&table=ATTLOG&Stamp={pin}", line)
    if response.status == 200:
        assert response.body == b"OK: 1"
        return True
    assert response.status == 503
    assert b"OK" not in response.body
    return False


async def stored(rig: Rig) -> list[int]:
    """The users of all records."""
    found: list[int] = []
    after = "0"
    while after is not None:
        response = await rig.api("GET", f"/attendance?limit=1000&after={after}")
        found += [int(item["pin"]) for item in response.json["items"]]
        after = response.json["next"]
    return found


@pytest_twisted.ensureDeferred
async def test_uploads_are_refused_while_the_server_is_down(
    make_rig, own_postgres: OwnServer
) -> None:
    """The first one after it is back is stored, without a restart of the daemon."""
    rig: Rig = await make_rig(database=own_postgres.url)
    await rig.exchange()
    assert await upload(rig, 1)
    own_postgres.stop()
    refused = [Deferred.fromCoroutine(upload(rig, pin)) for pin in range(2, 10)]
    assert await gatherResults(refused) == [False] * 8
    assert (await rig.api("GET", "/attendance")).status == 503
    assert (await rig.get("getrequest?SN=T1")).body == b"OK"  # a poll needs no database
    assert (await rig.api("GET", "/health", prefix="")).status == 503
    own_postgres.start()
    assert await upload(rig, 10)
    rig.clock.advance(FRESH_SECONDS)
    assert (await rig.api("GET", "/health", prefix="")).status == 200
    assert await stored(rig) == [1, 10]


@pytest_twisted.ensureDeferred
async def test_what_was_acknowledged_is_there_after_every_crash(
    make_rig, own_postgres: OwnServer
) -> None:
    """Under load, with the server going down in the middle: nothing is lost, or there twice."""
    rig: Rig = await make_rig(database=own_postgres.url)
    await rig.exchange()
    pins = itertools.count(1)
    acknowledged: list[int] = []
    enough: Deferred[None] = Deferred()
    wanted = 50

    async def push() -> None:
        while wanted:
            pin = next(pins)
            if await upload(rig, pin):
                acknowledged.append(pin)
            if len(acknowledged) == wanted:
                enough.callback(None)

    pushing = [Deferred.fromCoroutine(push()) for _ in range(8)]
    for _ in range(2):
        await enough
        await threads.deferToThread(own_postgres.stop)
        await threads.deferToThread(own_postgres.start)
        wanted, enough = len(acknowledged) + 50, Deferred()
    await enough
    wanted = 0
    await gatherResults(pushing)
    found = await stored(rig)
    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found))

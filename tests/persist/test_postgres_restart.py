"""A PostgreSQL that restarts under the daemon costs refused uploads, never lost ones."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from zkpush.manage.health import FRESH_SECONDS

from ..daemon.misbehaving import (
    APART,
    ENDING,
    Load,
    behave,
    check_load,
    end_pauses,
    environment,
    inline,
    naming,
    rejects_lines,
)
from ..daemon.process import Daemon
from ..daemon.test_process import wait_until
from ..postgres import Databases, OwnServer
from ..rig import Rig

pytestmark = pytest.mark.long


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


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    """A server with the settings that servers have, to be stopped by several tests."""
    server = OwnServer()
    yield server
    server.close()


@pytest.fixture
def url(server: OwnServer) -> Iterator[str]:
    """A fresh database on it."""
    databases = Databases(server.url)
    yield databases.url(databases.make())
    databases.close()


@pytest.mark.usefixtures("no_cover")
@pytest.mark.parametrize(("ways", "is_inline"), [APART, ENDING])
def test_what_was_acknowledged_is_there_after_every_crash(
    tmp_path: pathlib.Path, server: OwnServer, url: str, ways: tuple[str, ...], is_inline: bool
) -> None:
    """Under load, with the server going down in the middle: nothing is lost, or there twice.

    It goes down twice in the first life of the daemon, which then has connections to both.
    """
    flags = ("--database", url, *(inline(tmp_path) if is_inline else ()))
    env = environment(tmp_path)
    behave(tmp_path)
    load: Load | None = None
    for way in (*ways, None):
        with naming(way), Daemon(tmp_path, *flags, env=env) as daemon:
            if load is not None:
                check_load(daemon, load, tmp_path, url)
            if way is None:
                return
            behave(tmp_path, way)
            with Load(daemon) as load:
                wanted = 20
                for _ in range(2 if way == ways[0] else 1):
                    wait_until(lambda wanted=wanted, load=load: load.acknowledged >= wanted)
                    server.stop()
                    server.start()
                    wanted = load.acknowledged + 20
                wait_until(lambda wanted=wanted, load=load: load.acknowledged >= wanted)
                load.end()
                daemon.kill()
            assert {status for status, _ in load.refusals} <= {503}
            assert not any(b"OK" in reply for _, reply in load.refusals)
            assert bool(load.rejected) == rejects_lines(way, is_inline)
        behave(tmp_path)
        end_pauses(tmp_path, url)

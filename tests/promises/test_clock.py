"""A clock that is set back or ahead stops nothing, and is a problem that people see."""

from __future__ import annotations

import pathlib
import re
import socket

import pytest
import pytest_twisted
from twisted.internet import reactor as real_reactor
from twisted.internet.task import Clock

import zkpush
from zkpush.clock import use_monotonic_time, wall_clock
from zkpush.clockwatch import JUMP_SECONDS, LOOK_EVERY, ClockWatch
from zkpush.device.registry import SEEN_EVERY
from zkpush.model import Page
from zkpush.persist.commands import CommandStore
from zkpush.persist.commandschedule import CommandSchedule
from zkpush.persist.devices import DeviceStore
from zkpush.persist.leases import LeaseStore

from ..cli.program import eventually
from ..daemon.process import Daemon
from ..keys import KEY
from ..persist.conftest import opened
from ..persist.contract import add_terminal, command
from ..rig import NOON, Rig, TurnedReactor, Wire
from ..server.files import order

HOUR = 3600.0
MS = 1000
JUMPS = [-HOUR, HOUR]


def jump(rig: Rig, seconds: float) -> None:
    """Set the clock of the machine, and let the daemon notice."""
    rig.clock.jumped += seconds
    rig.clock.advance(LOOK_EVERY)


@pytest_twisted.async_yield_fixture
async def rig(make_rig):
    """A daemon that watches its clock."""
    rig = await make_rig()
    rig.daemon.clock_watch.startService()
    yield rig
    await rig.daemon.clock_watch.stopService()


@pytest.mark.parametrize(("seconds", "way"), [(-HOUR, "back"), (HOUR, "ahead")])
@pytest_twisted.ensureDeferred
async def test_a_jump_is_a_problem(rig: Rig, seconds: float, way: str) -> None:
    """With the way and the length, for a day."""
    assert await rig.items("/problems") == []
    jump(rig, seconds)
    (problem,) = await rig.items("/problems")
    assert (problem["code"], problem["subject"]) == ("clock jumped", "clock")
    assert f"set {way} by 3600 seconds" in problem["detail"]
    rig.clock.advance(25 * HOUR)
    assert await rig.items("/problems") == []


@pytest_twisted.ensureDeferred
async def test_a_small_step_is_no_problem(rig: Rig) -> None:
    """Time servers make such."""
    for _ in range(20):
        jump(rig, JUMP_SECONDS / 2)
    assert await rig.items("/problems") == []


@pytest.mark.parametrize("seconds", JUMPS)
@pytest_twisted.ensureDeferred
async def test_a_command_is_sent_again_after_its_lease(rig: Rig, seconds: float) -> None:
    """A lease is never longer than it was made, whatever happens to the clock."""
    await rig.exchange()
    await order(rig, "INFO")
    assert b"INFO" in (await rig.get("getrequest?SN=T1")).body
    jump(rig, seconds)
    await rig.store.write(lambda tx: None)
    await rig.registry.follow()
    lease = rig.config.commands.lease_seconds
    rig.clock.advance(lease + 1)
    assert b"INFO" in (await rig.get("getrequest?SN=T1")).body


@pytest.mark.parametrize("seconds", JUMPS)
@pytest_twisted.ensureDeferred
async def test_idle_connections_are_ended(rig: Rig, seconds: float) -> None:
    """After the time that they have, and not before."""
    rig.terminals.ticking.startService()
    wire = Wire("192.0.2.7")
    channel = rig.terminals.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    channel.dataReceived(b"GET /iclock/ping")
    limit = rig.config.limits.idle_seconds
    for second in range(limit - 2):
        if second == limit // 2:
            rig.clock.jumped += seconds
        rig.clock.advance(1)
    assert not wire.closed
    for _ in range(6):
        rig.clock.advance(1)
    assert wire.closed or wire.disconnecting


@pytest.mark.parametrize("seconds", JUMPS)
@pytest_twisted.ensureDeferred
async def test_what_is_stored_has_the_time_of_day(rig: Rig, seconds: float) -> None:
    """Records, the audit log and the `Date` of replies follow the clock; so does last-seen."""
    await rig.exchange()
    jump(rig, seconds)
    now = NOON + LOOK_EVERY + seconds
    reply = await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"7\t2026-03-01 08:00:00\t0\t1\n")
    hour = "11:00:05" if seconds < 0 else "13:00:05"
    assert hour.encode() in reply.header(b"Date")
    (record,) = await rig.items("/attendance")
    assert hour in record["received_at"]
    await rig.api("PATCH", "/devices/T1", {"alias": "x"})
    assert hour in (await rig.items("/audit"))[-1]["recorded_at"]
    rig.clock.advance(SEEN_EVERY)
    await rig.store.write(lambda tx: None)
    (device,) = await rig.store.read(lambda tx: tx[DeviceStore].page(Page(10)))
    assert device.last_seen_at == now * MS


@pytest.mark.parametrize("seconds", JUMPS)
@pytest_twisted.ensureDeferred
async def test_allowances_and_refusals_go_on(make_rig, seconds: float) -> None:
    """A spent allowance is renewed in a minute; the refusals are in the audit log."""
    rig: Rig = await make_rig(limits={"requests_per_minute": 3})
    await rig.exchange()
    answers = [(await rig.get("getrequest?SN=T1")).status for _ in range(4)]
    assert answers == [200, 200, 429, 429]
    rig.clock.jumped += seconds
    rig.clock.advance(60)
    assert (await rig.get("getrequest?SN=T1")).status == 200
    await rig.store.write(lambda tx: None)
    refused = [item for item in await rig.items("/audit") if item["action"] == "refused"]
    assert [item["subject"] for item in refused] == ["limits.requests_per_minute"]


@pytest.mark.parametrize("ahead", [3, 3600, 10**7])
@pytest_twisted.ensureDeferred
async def test_a_lock_of_the_future_is_cut_to_its_length(url: str, ahead: int) -> None:
    """It stays its owner's for as long as a lock may last, and then is anybody's."""
    store = opened(url, KEY)
    length, now = 60 * MS, NOON * MS

    def hold(owner: str, at: int):
        return store.write(lambda tx: tx[LeaseStore].hold("job", owner, at + length, at))

    assert await hold("node-1", now + ahead * MS)
    assert not await hold("node-2", now)
    assert not await hold("node-2", now + length - 1)
    assert await hold("node-2", now + 2 * length + 5 * MS)
    assert not await hold("node-1", now + 2 * length + 6 * MS)
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_leases_of_the_future_are_cut_in_the_store(url: str) -> None:
    """Of open commands only, and only those that are longer than any."""
    store = opened(url, KEY)
    device = await add_terminal(store, "T1")
    now = NOON * MS
    for number, until in enumerate((now + 10, now + HOUR * MS)):
        name = f"c{number}"

        def unit(tx, name=name, until=int(until)) -> None:
            tx[CommandStore].lease(
                [tx[CommandStore].add(device.id, command(name, "INFO"), now)], until, now
            )

        await store.write(unit)
    await store.write(lambda tx: tx[CommandSchedule].cut_leases(now, 300 * MS, {}))
    due = await store.write(
        lambda tx: [
            len(tx[CommandSchedule].due(device.id, now + seconds * MS, 10))
            for seconds in (0, 1, 299, 300)
        ]
    )
    assert due == [0, 1, 1, 2]
    await store.stop()


def test_the_reactor_of_the_daemon_runs_by_a_clock_that_nobody_sets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A timer does not move when the time of day does."""
    monkeypatch.setattr(real_reactor, "seconds", real_reactor.seconds)
    use_monotonic_time(real_reactor)
    wall = [1e9]
    monkeypatch.setattr("time.time", lambda: wall[0])
    later = real_reactor.callLater(100, lambda: None)
    before = later.getTime() - real_reactor.seconds()
    wall[0] -= HOUR
    after = later.getTime() - real_reactor.seconds()
    later.cancel()
    assert abs(before - after) < HOUR / 2
    assert wall_clock(real_reactor)() == wall[0]


def test_one_that_fails_does_not_keep_others_from_a_jump() -> None:
    """All are told, and the next comparison starts from the new time."""
    clock = TurnedReactor()
    watch = ClockWatch(clock)
    told: list[str] = []

    def fail() -> None:
        raise RuntimeError

    watch.add(fail)
    watch.add(lambda: told.append("other"))
    for _ in range(2):
        clock.jumped -= HOUR
        watch.look()
        watch.look()
    assert told == ["other"] * 2
    assert [problem.subject for problem in watch.problems()] == ["clock"]


def test_a_clock_that_goes_on_is_none(tmp_path: pathlib.Path) -> None:
    """However long nobody looks."""
    clock = TurnedReactor()
    watch = ClockWatch(clock)
    Clock.advance(clock, 10 * HOUR)
    watch.look()
    assert [*watch.problems()] == []


SET = '''\
"""A clock that is set by a file: what Python's programs take for the time of day."""

import pathlib
import time

real, file = time.time, pathlib.Path({file!r})
time.time = lambda: real() + float(file.read_text())
'''


@pytest.mark.long
@pytest.mark.parametrize("seconds", JUMPS)
def test_a_daemon_whose_clock_is_set_goes_on(tmp_path: pathlib.Path, seconds: float) -> None:
    """Listeners hear of records that come afterwards, and people of the jump."""
    file = tmp_path / "offset"
    file.write_text("0")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SET.format(file=str(file)))
    data = tmp_path / "data"
    data.mkdir()
    with Daemon(data, env={"PYTHONPATH": str(tmp_path / "site")}) as daemon:
        daemon.exchange("T1")
        listener = socket.create_connection((daemon.manage.hostname, daemon.manage.port), 30)
        head = f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {daemon.token}"
        listener.sendall(f"{head}\r\n\r\n".encode())
        heard = listener.recv(65536)
        (tmp_path / "new").write_text(str(seconds))
        (tmp_path / "new").replace(file)
        assert daemon.upload("T1", b"7\t2026-03-01 08:00:00\t0\t1\n")[0] == 200
        while b"event: attendance" not in heard:
            heard += listener.recv(65536)
        listener.close()

        def jumped() -> str | None:
            found = daemon.api("GET", "problems")["items"]
            return next((one["detail"] for one in found if one["code"] == "clock jumped"), None)

        assert "by 3600 seconds" in eventually("a problem", jumped)


OF_DURATIONS = re.compile(
    r"seconds\(\)\s*\*\s*1000|1000\s*\*\s*[\w.]*seconds\(\)"
    r"|(?:fromtimestamp|datetimeToString|refusal)\([^()]*seconds\(\)"
)
"""The clock of durations where a time of day is wanted: in milliseconds, or shown to people."""


def test_no_time_of_day_comes_from_the_clock_of_durations() -> None:
    """What is stored or shown is of `wall_clock`, in every module of the server."""
    assert OF_DURATIONS.search("int(self._clock.seconds() * 1000)")
    package = pathlib.Path(zkpush.__file__).parent
    found = [
        f"{file.relative_to(package)}: {match[0]}"
        for file in sorted(package.rglob("*.py"))
        if not {"simulator", "cli"} & {*file.relative_to(package).parts}
        for match in OF_DURATIONS.finditer(file.read_text())
    ]
    assert found == []

"""`GET /health` says 503 and why whenever an upload cannot be stored, and 200 again afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest
import pytest_twisted
from twisted.internet import reactor, task
from twisted.internet.defer import Deferred, gatherResults

from zkpush.manage.health import EVERY_SECONDS, FRESH_SECONDS, PARTS, HealthCheck
from zkpush.problems import ProblemCode
from zkpush.settings.features import Health
from zkpush.storage import Inspection, Space, inspect_thd
from zkpush.values.storage import StoragePlace

from ..daemon.process import Daemon
from ..daemon.test_process import wait_until
from ..rig import Rig, TurnedReactor

GIB = 2**30
JPEG = b"\xff\xd8" + b"picture" * 2000
CONFIG = "[health]\nleast_free_bytes = {least}\nlow_free_bytes = {low}\nlow_free_days = 0\n"


def health(daemon: Daemon) -> tuple[int, dict[str, object]]:
    """The status of the health check, and what it says."""
    url = f"http://{daemon.manage.hostname}:{daemon.manage.port}/health"
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def metrics(daemon: Daemon) -> dict[str, float]:
    """The figures."""
    url = f"http://{daemon.manage.hostname}:{daemon.manage.port}/metrics"
    with urllib.request.urlopen(url, timeout=30) as reply:
        lines = reply.read().decode().splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")
    }


def photo(daemon: Daemon, number: int) -> int:
    """Upload an attendance photo; the status of the reply."""
    name = f"20260105080000-{number}.jpg"
    body = f"PIN={name}\nSN=T1\nsize={len(JPEG)}\nCMD=uploadphoto\0".encode() + JPEG
    status, _ = daemon.request("POST", "cdata?SN=T1&table=ATTPHOTO&Stamp=1", body)
    return status


def punch(daemon: Daemon, pin: int) -> int:
    """Upload a record; the status of the reply."""
    return daemon.upload("T1", b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin)[0]


def failing(daemon: Daemon) -> str:
    """Wait until the daemon says that it fails; the reason."""
    wait_until(lambda: health(daemon)[0] == 503)
    content = health(daemon)[1]
    assert content["status"] == "failing"
    assert content["reason"] == "; ".join(content["reasons"])
    return content["reason"]


@contextlib.contextmanager
def small_disk(folder: pathlib.Path, mebibytes: int) -> Iterator[None]:
    """A file system of so many MiB at a folder."""
    folder.mkdir()
    options = f"size={mebibytes}m,mode=0700"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=False, stderr=subprocess.DEVNULL)


@pytest.fixture
def config(tmp_path: pathlib.Path) -> Callable[..., tuple[str, str]]:
    """Make the flags for a configuration with other limits of space."""

    def make(least: int, low: int) -> tuple[str, str]:
        file = tmp_path / "zkpush.toml"
        file.write_text(CONFIG.format(least=least, low=low))
        return "--config", str(file)

    return make


@pytest.mark.long
def test_a_full_disk(tmp_path: pathlib.Path, config) -> None:
    """Uploads get 503 and health says so; with space, both recover, and nothing is lost."""
    disk = tmp_path / "disk"
    with small_disk(disk, 24), Daemon(disk / "data", *config(2**20, 2**20)) as daemon:
        daemon.exchange("T1")
        assert (punch(daemon, 1), photo(daemon, 1)) == (200, 200)
        assert health(daemon) == (200, {"status": "ok"})
        with (disk / "filler").open("wb") as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(2**20))
        assert photo(daemon, 2) == 503
        assert "No space left on device" in (reason := failing(daemon))
        assert "database: 0 MiB are free" in reason
        assert metrics(daemon)["zkpush_healthy"] == 0
        (problem,) = [
            one
            for one in daemon.api("GET", "problems")["items"]
            if one["code"] == "cannot store" and "MiB" in one["detail"]
        ]
        assert problem["advice"]
        (disk / "filler").unlink()
        wait_until(lambda: health(daemon)[0] == 200)
        assert (punch(daemon, 3), photo(daemon, 2)) == (200, 200)
        figures = metrics(daemon)
        assert figures["zkpush_healthy"] == 1
        assert 0 < figures['zkpush_free_bytes{place="database"}'] < 24 * 2**20
        assert daemon.pins() == ["1", "3"]
        daemon.kill()


def test_little_space_is_a_warning(tmp_path: pathlib.Path, config) -> None:
    """Health is 200 with a warning, and there is a problem, while uploads are still stored."""
    disk = tmp_path / "disk"
    with small_disk(disk, 24), Daemon(disk / "data", *config(0, 100 * 2**20)) as daemon:
        daemon.exchange("T1")
        status, content = health(daemon)
        assert (status, content["status"]) == (200, "ok")
        assert any("MiB are free" in warning for warning in content["warnings"])
        codes = [one["code"] for one in daemon.api("GET", "problems")["items"]]
        assert "space low" in codes
        assert punch(daemon, 1) == 200
        daemon.kill()


def test_an_unmounted_volume(tmp_path: pathlib.Path) -> None:
    """With the volume of the database gone from its place, nothing is acknowledged."""
    disk, data = tmp_path / "disk", tmp_path / "data"
    with contextlib.ExitStack() as mounted:
        mounted.enter_context(small_disk(disk, 24))
        flags = ("--database", f"sqlite:///{disk / 'z.sqlite'}")
        daemon = mounted.enter_context(Daemon(data, *flags))
        daemon.exchange("T1")
        assert punch(daemon, 1) == 200
        subprocess.run(["umount", "-l", disk], check=True)
        assert punch(daemon, 2) == 503
        assert "unmounted under the daemon" in failing(daemon)
        daemon.kill()


@pytest.mark.parametrize("fault", ["removed", "replaced", "a file"])
def test_a_missing_folder_of_pictures(tmp_path: pathlib.Path, fault: str) -> None:
    """Pictures are refused and health says why; when the folder is back, they are stored."""
    data = tmp_path / "data"
    folder = data / "zkpush.sqlite-pictures"
    with Daemon(data) as daemon:
        daemon.exchange("T1")
        assert photo(daemon, 1) == 200
        folder.rename(tmp_path / "away")
        if fault == "replaced":
            folder.mkdir()
        elif fault == "a file":
            folder.touch()
        assert photo(daemon, 2) == 503
        assert punch(daemon, 1) == 200
        assert str(folder) in failing(daemon)
        if fault == "replaced":
            folder.rmdir()
        elif fault == "a file":
            folder.unlink()
        (tmp_path / "away").rename(folder)
        assert photo(daemon, 2) == 200
        wait_until(lambda: health(daemon)[0] == 200)
        daemon.kill()


@pytest.mark.long
@pytest.mark.parametrize("change", ["removed", "replaced"])
def test_a_lost_key(tmp_path: pathlib.Path, change: str) -> None:
    """A key that the next start would not find is said now."""
    data = tmp_path / "data"
    with Daemon(data) as daemon:
        key = (data / "key").read_text()
        assert health(daemon)[0] == 200
        if change == "removed":
            (data / "key").unlink()
        else:
            (data / "key").write_text("00" * 32)
        reason = failing(daemon)
        assert str(data / "key") in reason
        assert key.strip() not in reason
        daemon.kill()


@pytest.mark.long
def test_a_file_size_limit(tmp_path: pathlib.Path, config) -> None:
    """`ulimit -f` does not end the daemon: uploads get 503, health says why, polls go on."""
    limit = 3 * 2**20
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    data = tmp_path / "data"
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        daemon = Daemon(data, *config(2**20, 2**20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with daemon:
        daemon.exchange("T1")
        assert health(daemon) == (200, {"status": "ok"})
        stored = 0
        for part in range(300):
            body = b"".join(
                b"%d\t2026-01-05 08:%02d:%02d\t0\t1\n"
                % (part * 2000 + row, row // 60 % 60, row % 60)
                for row in range(2000)
            )
            status, _ = daemon.upload("T1", body)
            if status != 200:
                break
            stored += 2000
        assert status == 503
        assert "file size limit of the process (ulimit -f)" in failing(daemon)
        assert daemon.process.poll() is None
        assert daemon.request("GET", "getrequest?SN=T1") == (200, b"OK")
        assert len(daemon.pins()) >= stored
        daemon.kill()


@pytest_twisted.ensureDeferred
async def test_a_check_writes_once_in_some_seconds(make_rig) -> None:
    """However many ask, the database is written to once; and it really is."""
    rig: Rig = await make_rig()
    written: list[object] = []
    write = rig.store.write

    def counted(unit, **more):
        written.append(unit)
        return write(unit, **more)

    rig.store.write = counted
    asked = [
        Deferred.fromCoroutine(rig.api("GET", "/health", headers=(), prefix="")) for _ in range(20)
    ]
    assert {response.status for response in await gatherResults(asked)} == {200}
    assert (await rig.api("GET", "/health", headers=(), prefix="")).json == {"status": "ok"}
    assert len(written) == 1
    rig.clock.advance(FRESH_SECONDS)
    await rig.api("GET", "/health", headers=(), prefix="")
    assert sum("HealthCheck" in unit.__qualname__ for unit in written) == 2

    def rows(tx):
        query = "SELECT name, until FROM leases WHERE name LIKE 'health %'"
        return tx.connection.exec_driver_sql(query).fetchall()

    ((_, until),) = await rig.store.read(rows)
    assert until == int(rig.clock.seconds() * 1000)


@pytest_twisted.ensureDeferred
async def test_an_upload_that_fails_ends_a_result(make_rig, tmp_path: pathlib.Path) -> None:
    """No time passes: health says what the last upload was told, and so when that succeeds."""
    database = tmp_path / "z.sqlite"
    rig: Rig = await make_rig(database=f"sqlite:///{database}")
    await rig.exchange()

    async def told() -> tuple[int, int]:
        line = b"1\t2026-01-05 08:00:00\t0\t1\n"
        uploaded = await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", line)
        asked = await rig.api("GET", "/health", headers=(), prefix="")
        return uploaded.status, asked.status

    assert await told() == (200, 200)
    for _ in range(2):
        database.rename(tmp_path / "away")
        assert await told() == (503, 503)
        (tmp_path / "away").rename(database)
        assert await told() == (200, 200)


class Disk:
    """A disk that a test fills."""

    def __init__(self) -> None:
        self.free = 100 * GIB
        self.temporary = 100 * GIB

    def inspect(self, places) -> Inspection:
        return Inspection(
            [],
            [
                Space("database", self.free, 1),
                Space("pictures", self.free, 1),
                Space("temporary files", self.temporary, 2, is_temporary=True),
            ],
        )


async def watched(make_rig, minutes: int, used: Callable[[int], int]):
    """The warnings of each minute, while so many bytes are used in each; and the check.

    The check has a clock of its own, so that the rest of the daemon does not work for hours.
    """
    rig: Rig = await make_rig()
    clock = TurnedReactor()
    disk = Disk()
    check = HealthCheck(rig.store, Health(), [], lambda: None, clock, "t", disk.inspect)
    said = []
    for minute in range(minutes + 1):
        said.append((await check.state()).warnings)
        clock.advance(EVERY_SECONDS)
        disk.free -= used(minute)
    return said, check, disk


@pytest_twisted.ensureDeferred
async def test_how_long_space_lasts(make_rig) -> None:
    """What shrinks by 1 GiB an hour is said to last for so many days, once for each disk."""
    said, check, disk = await watched(make_rig, 6 * 60, lambda minute: GIB // 60)
    assert not any(said[: 4 * 60])
    assert said[-1] == [
        "database: 96256 MiB are free, which lasts for about 4 days at the present rate"
    ]
    (problem,) = check.problems()
    assert (problem.code, problem.detail) == (ProblemCode.SPACE_LOW, said[-1][0])
    disk.free = 500 * GIB
    assert (await check.state()).warnings == []
    assert [*check.problems()] == []


@pytest.mark.parametrize("fast", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_disk_that_fills_up_soon_is_said_soon(make_rig, fast: bool) -> None:
    """50 GiB an hour are, within a quarter of an hour; 500 MiB an hour are not within an hour."""
    rate = 50 * GIB if fast else GIB // 2
    said, _, _ = await watched(make_rig, 15 if fast else 60, lambda minute: rate // 60)
    assert any(said) is fast


@pytest.mark.parametrize(("begin", "lasts"), [(3, 1), (30, 10), (400, 1)])
@pytest_twisted.ensureDeferred
async def test_what_is_used_once_is_no_rate(make_rig, begin: int, lasts: int) -> None:
    """A copy of 30 GiB, made at once or within minutes, does not let a disk fill up."""

    def used(minute: int) -> int:
        return 30 * GIB // lasts if begin <= minute < begin + lasts else 0

    after = begin + PARTS * lasts
    said, _, _ = await watched(make_rig, after + 120, used)
    assert not any(said[after:])


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_disk_that_shrinks_at_work_is_noticed(make_rig) -> None:
    """10 GiB an hour in a working day, and nothing in the night."""

    def used(minute: int) -> int:
        return GIB // 6 if 8 <= minute // 60 % 24 < 12 else 0

    said, _, _ = await watched(make_rig, 24 * 60, used)
    assert "which lasts for about" in said[-1][0]


@pytest_twisted.ensureDeferred
async def test_temporary_files_may_have_little_space(make_rig) -> None:
    """A small `/tmp` is no warning; a full one is a failure."""
    rig: Rig = await make_rig()
    disk = Disk()
    check = HealthCheck(rig.store, Health(), [], lambda: None, rig.clock, "t", disk.inspect)
    disk.temporary = Health().low_free_bytes - 1
    assert (await check.state()).warnings == []
    rig.clock.advance(FRESH_SECONDS)
    disk.temporary = Health().least_free_bytes - 1
    assert (await check.state()).reasons == ["temporary files: 31 MiB are free"]


@pytest_twisted.ensureDeferred
async def test_a_disk_that_hangs(make_rig) -> None:
    """The check ends in time, says so, and no second thread waits for the disk."""
    rig: Rig = await make_rig()
    hanging: list[int] = []
    release = threading.Event()

    def hang(places: object) -> Inspection:
        hanging.append(1)
        release.wait(30)
        return Inspection([], [])

    check = HealthCheck(rig.store, Health(), [], lambda: None, rig.clock, "t", hang)
    try:
        for _ in range(2):
            asked = Deferred.fromCoroutine(check.state())
            while not asked.called:
                await task.deferLater(reactor, 0.01, lambda: None)
                rig.clock.advance(1)
            state = await asked
            assert "a disk did not answer" in state.reasons[0]
            rig.clock.advance(FRESH_SECONDS)
        assert hanging == [1]
    finally:
        release.set()


@pytest.mark.parametrize("what", ["missing", "file", "inodes"])
def test_what_an_inspection_finds(tmp_path: pathlib.Path, monkeypatch, what: str) -> None:
    """A place that is gone, no folder, or out of inodes; and it leaves nothing behind."""
    place = StoragePlace("pictures", str(tmp_path / "place"))
    if what == "missing":
        assert inspect_thd([place]).reasons == [f"pictures: {place.path} is missing"]
        return
    if what == "file":
        (tmp_path / "place").touch()
        assert inspect_thd([place]).reasons == [
            f"pictures: cannot write to {place.path}: Not a directory"
        ]
        return
    (tmp_path / "place").mkdir()
    found = inspect_thd([place])
    assert found.reasons == []
    assert found.spaces[0].free > 0
    assert os.listdir(place.path) == []
    real = os.statvfs(place.path)
    monkeypatch.setattr(os, "statvfs", lambda path: FewInodes(real))
    assert inspect_thd([place]).spaces[0].free == 0
    shutil.rmtree(place.path)


class FewInodes:
    """A file system that has space, and no inodes."""

    f_files, f_favail = 1000, 3

    def __init__(self, real: os.statvfs_result) -> None:
        self.f_bavail, self.f_frsize = real.f_bavail, real.f_frsize

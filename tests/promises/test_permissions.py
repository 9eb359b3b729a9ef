"""Files that hold secrets, and the directory they are in, are for their owner only."""

from __future__ import annotations

import pathlib
import stat

import pytest

from ..cli.program import environment, zkpush
from ..daemon.process import Daemon
from ..daemon.test_process import run
from ..keys import KEY


def mode(path: pathlib.Path) -> int:
    """The permissions of a file or a directory."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def data(tmp_path: pathlib.Path) -> pathlib.Path:
    """A data directory whose daemon has stopped."""
    path = tmp_path / "data"
    with Daemon(path) as daemon:
        daemon.terminate()
        daemon.process.wait(30)
    return path


@pytest.mark.parametrize(
    ("name", "wide", "narrow"),
    [("", 0o755, 0o700), ("key", 0o644, 0o600), ("admin.token", 0o640, 0o600)],
)
def test_a_mode_that_is_too_wide_is_narrowed(
    data: pathlib.Path, name: str, wide: int, narrow: int
) -> None:
    """The daemon narrows what it made, logs it with the mode before, once."""
    (data / name).chmod(wide)
    for logged in (1, 0):
        with Daemon(data) as daemon:
            assert mode(data / name) == narrow
            daemon.terminate()
            lines = [line for line in daemon.output().splitlines() if f"mode {wide:04o}" in line]
            assert len(lines) == logged, lines
            assert all(str(data / name) in line for line in lines)


def test_a_start_with_safe_modes_logs_nothing_of_them(data: pathlib.Path) -> None:
    """There is no line about modes where there is nothing to narrow."""
    with Daemon(data) as daemon:
        daemon.terminate()
        assert "had mode" not in daemon.output()


@pytest.mark.parametrize("wide", [0o640, 0o644, 0o604, 0o444, 0o440, 0o660])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: pathlib.Path, wide: int) -> None:
    """One that ZKPUSH_KEY_FILE names is not changed; one line says what to do, exit status 1."""
    key = tmp_path / "site.key"
    key.write_text(KEY.hex())
    key.chmod(wide)
    env = {"ZKPUSH_KEY_FILE": str(key)}
    ended = run("--data", tmp_path / "data", env=env)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("zkpush: ZKPUSH_KEY_FILE: others may ")
    assert f"{key} (mode {wide:04o})" in line
    assert "chmod 0600" in line
    assert mode(key) == wide
    database = zkpush("--data", str(tmp_path), "database", "rotate-key", env=environment(**env))
    assert database.returncode == 1
    assert "ZKPUSH_KEY_FILE: others may " in database.stderr


@pytest.mark.parametrize("wide", [0o444, 0o440])
def test_a_mounted_secret_may_be_wider_where_that_is_said(
    tmp_path: pathlib.Path, wide: int
) -> None:
    """Containers mount secrets as 0444 or 0440: ZKPUSH_KEY_FILE_MODE accepts such a mode."""
    key = tmp_path / "site.key"
    key.write_text(KEY.hex())
    key.chmod(wide)
    env = {"ZKPUSH_KEY_FILE": str(key), "ZKPUSH_KEY_FILE_MODE": f"{wide:04o}"}
    with Daemon(tmp_path / "data", env=env) as daemon:
        assert daemon.api("GET", "devices")["items"] == []
    assert mode(key) == wide


@pytest.mark.parametrize("text", ["0666", "0420", "rw-r-----", "8", "99999"])
def test_a_mode_that_lets_others_write_cannot_be_accepted(
    tmp_path: pathlib.Path, text: str
) -> None:
    """ZKPUSH_KEY_FILE_MODE takes an octal mode in which only the owner may write."""
    key = tmp_path / "site.key"
    key.write_text(KEY.hex())
    key.chmod(0o600)
    env = {"ZKPUSH_KEY_FILE": str(key), "ZKPUSH_KEY_FILE_MODE": text}
    ended = run("--data", tmp_path / "data", env=env)
    assert ended.returncode == 1
    assert f"ZKPUSH_KEY_FILE_MODE: {text!r}" in ended.stderr


def test_a_directory_that_all_users_share_is_refused(tmp_path: pathlib.Path) -> None:
    """The daemon does not take /tmp, or one like it, for itself."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    ended = run("--data", shared)
    assert ended.returncode == 1
    assert "name a directory in it" in ended.stderr
    assert mode(shared) == 0o1777

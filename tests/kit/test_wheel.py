"""A plugin is built, installed into an environment of its own, and found there."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "visitors"
STARTED_WITHIN = 60
TWISTD = "from twisted.scripts.twistd import run; run()"
PROGRAM = "from zkpush.cli import main; main(prog_name='zkpush')"


def run(*command: object, **more: object) -> subprocess.CompletedProcess[str]:
    """Run a command, which succeeds."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command)],
        env={**environment, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **more,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The interpreter of a new environment, with the wheel of the example.

    zkpush and its libraries are those of this environment, by a `.pth` file.
    """
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(EXAMPLE, source)
    pip = (sys.executable, "-m", "pip", "--quiet")
    run(*pip, "wheel", "--no-index", "--no-deps", "--no-build-isolation", "-w", folder, source)
    (wheel,) = folder.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    found = folder / "venv" / "bin" / "python"
    run(*pip, "--python", found, "install", "--no-index", "--no-deps", wheel)
    site = next((folder / "venv").glob("lib/python*/site-packages"))
    here = sysconfig.get_path("purelib")
    (site / "present.pth").write_text(f"{ROOT}\n{here}\n")
    return found


def zkpush(python: pathlib.Path, *arguments: str) -> str:
    """What the command line of the environment prints."""
    return run(python, "-c", PROGRAM, *arguments).stdout


@pytest.mark.long
def test_an_installed_wheel_is_found_and_sound(python: pathlib.Path) -> None:
    """`zkpush plugins check` names what the package brings, and finds no fault."""
    lines = zkpush(python, "plugins", "check", "zkpush-visitors").splitlines()
    assert "ok      capability visitors (zkpush-visitors 2.0)" in lines
    assert "ok      record handler visitors (zkpush-visitors 2.0)" in lines
    assert "ok      word visitors (zkpush-visitors)" in lines


def test_a_word_of_the_wheel_is_on_the_command_line(python: pathlib.Path) -> None:
    """It is listed with its package, and has its help."""
    assert "Provided by zkpush-visitors." in zkpush(python, "--help")
    assert "List visitors of reception terminals." in zkpush(python, "visitors", "--help")


@pytest.fixture
def data(python: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """The data directory of a daemon that runs in the environment."""
    folder, printed = tmp_path / "data", tmp_path / "printed"
    own = "tcp:0:interface=127.0.0.1"
    arguments = ["--nodaemon", "--pidfile=", "zkpush", "--data", folder]
    arguments += ["--listen", own, "--manage", own]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with printed.open("wb") as output:
        daemon = subprocess.Popen(
            [python, "-c", TWISTD, *arguments], env=environment, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + STARTED_WITHIN
        while not (folder / "run.json").exists():
            assert daemon.poll() is None, printed.read_text()
            assert time.monotonic() < deadline, printed.read_text()
            time.sleep(0.05)
        yield folder
    finally:
        daemon.kill()
        daemon.wait()


def test_a_daemon_lists_the_plugin(python: pathlib.Path, data: pathlib.Path) -> None:
    """`zkpush plugins list` shows the capability and the record handler of the wheel."""
    listed = zkpush(python, "--data", str(data), "plugins", "list").splitlines()
    rows = [line.split() for line in listed if line.startswith("visitors")]
    assert [row[: row.index("ok") + 1] for row in rows] == [
        ["visitors", "capability", "zkpush-visitors", "2.0", "ok"],
        ["visitors", "record", "handler", "zkpush-visitors", "2.0", "ok"],
    ]

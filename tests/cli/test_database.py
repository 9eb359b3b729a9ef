"""`zkpush database`: what is done while no daemon runs."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import time

import pytest

from ..daemon.process import Daemon
from .program import SECONDS, environment, start, zkpush

PEOPLE = 1500
SEALED = 3 * PEOPLE + 1
"""The last is what the terminal says of itself."""
PASSWORD = "correct horse"
TEMPLATE = "A" * 400
"""As short as templates are."""


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The data directory of a daemon that knows many people, and has stopped."""
    folder = tmp_path_factory.mktemp("people")
    with Daemon(folder) as daemon:
        daemon.exchange("T1")
        lines = "".join(
            f"USER PIN={pin}\tName=Ann\tPri=0\tPasswd={PASSWORD}\tCard=\tGrp=1\tTZ=1\n"
            f"FP PIN={pin}\tTMP={TEMPLATE}\n"
            for pin in range(PEOPLE)
        )
        status, _ = daemon.request("POST", "cdata?SN=T1&table=OPERLOG", lines.encode())
        assert status == 200
        wait_for_templates(daemon)
        daemon.terminate()
        daemon.process.wait(30)
    return folder


@pytest.fixture
def data(tmp_path: pathlib.Path, stopped: pathlib.Path) -> pathlib.Path:
    """A copy of that data directory."""
    return shutil.copytree(stopped, tmp_path / "data")


def wait_for_templates(daemon: Daemon) -> None:
    """Wait until the pending lines of the upload are stored: users and templates."""
    daemon.settle("people")
    assert daemon.api("GET", f"users/{PEOPLE - 1}").get("templates")


@pytest.mark.long
def test_pending_lines_are_stored_after_a_kill(tmp_path: pathlib.Path) -> None:
    """Lines that were acknowledged and not stored yet are stored by the next daemon."""
    lines = "".join(f"FP PIN={pin}\tTMP=AAAA\n" for pin in range(PEOPLE))
    with Daemon(tmp_path) as daemon:
        daemon.exchange("T1")
        answer = daemon.request("POST", "cdata?SN=T1&table=OPERLOG", lines.encode())
        daemon.process.kill()
        daemon.process.wait(30)
    assert answer == (200, b"OK: %d" % PEOPLE)
    database = sqlite3.connect(tmp_path / "zkpush.sqlite")
    assert database.execute("SELECT count(*) FROM templates").fetchone()[0] < PEOPLE
    database.close()
    with Daemon(tmp_path) as daemon:
        wait_for_templates(daemon)
    database = sqlite3.connect(tmp_path / "zkpush.sqlite")
    assert database.execute("SELECT count(*) FROM templates").fetchone() == (PEOPLE,)
    assert database.execute("SELECT count(*) FROM inbox").fetchone() == (0,)
    database.close()


@pytest.mark.long
def test_templates_that_are_pending_are_forgotten(tmp_path: pathlib.Path) -> None:
    """Keys are rotated and templates forgotten with pending lines: users come, no template does."""
    lines = "".join(f"USER PIN={pin}\tName=Ann\nFP PIN={pin}\tTMP=AAAA\n" for pin in range(PEOPLE))
    with Daemon(tmp_path) as daemon:
        daemon.exchange("T1")
        daemon.request("POST", "cdata?SN=T1&table=OPERLOG", lines.encode())
        daemon.process.kill()
        daemon.process.wait(30)
    for words in (["rotate-key"], ["forget-templates", "--yes"]):
        done = zkpush("--data", str(tmp_path), "database", *words)
        assert done.returncode == 0, done.stderr
    with Daemon(tmp_path) as daemon:
        daemon.settle("people")
        last = daemon.api("GET", f"users/{PEOPLE - 1}")
        assert (last["pin"], last["templates"]) == (str(PEOPLE - 1), {})
    database = sqlite3.connect(tmp_path / "zkpush.sqlite")
    assert database.execute("SELECT count(*) FROM templates").fetchone() == (0,)
    database.close()


def check(data: pathlib.Path) -> None:
    """A daemon starts, and finds every password."""
    with Daemon(data) as daemon:
        assert daemon.api("GET", "users/7")["password"] == PASSWORD
        users = daemon.api("GET", "users?limit=1000&secrets=true")["items"]
        assert {user["password"] for user in users} == {PASSWORD}
        daemon.terminate()
        daemon.process.wait(30)


@pytest.mark.long
def test_keys_are_rotated(data: pathlib.Path) -> None:
    """With a word on what to do then; the old key opens nothing."""
    key = data / "key"
    old = key.read_bytes()
    done = zkpush("--data", str(data), "database", "rotate-key")
    assert done.returncode == 0, done.stderr
    assert str(key) in done.stdout
    assert "Back it up" in done.stdout
    assert "other machine" not in done.stdout
    assert f"{SEALED}/{SEALED}" in done.stderr
    new = key.read_bytes()
    key.write_bytes(old)
    refused = zkpush("--data", str(data), "database", "rotate-key")
    assert refused.returncode == 1
    assert "another key" in refused.stderr
    key.write_bytes(new)
    check(data)


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
@pytest.mark.parametrize("count", [0, 2000])
def test_a_rotation_that_is_killed_goes_on(data: pathlib.Path, count: int) -> None:
    """A daemon does not start until it has been finished."""
    old = (data / "key").read_bytes()
    process = start("--data", str(data), "database", "rotate-key")
    deadline = time.monotonic() + 30
    while not (data / "key.old").exists() or renewed(data) < count:
        assert process.poll() is None
        assert time.monotonic() < deadline
    process.kill()
    process.wait(30)
    assert (data / "key.old").read_bytes() == old
    with pytest.raises(AssertionError, match="rotate-key"):
        Daemon(data)
    done = zkpush("--data", str(data), "database", "rotate-key")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in data.glob("key*")} == {"key"}
    assert (data / "key").read_bytes() != old
    check(data)


def renewed(data: pathlib.Path) -> int:
    """How many values are sealed under the new key."""
    database = sqlite3.connect(data / "zkpush.sqlite", timeout=30)
    try:
        key = database.execute(
            "SELECT id FROM keys WHERE purpose = 'seal' ORDER BY (SELECT count(*) FROM keys AS k "
            "WHERE k.id = keys.id) LIMIT 1"
        ).fetchone()[0]
        mark = bytes.fromhex(key)  # behind one byte, which names the format
        count = 0
        for table, column in (("users", "password"), ("templates", "template")):
            query = f"SELECT count(*) FROM {table} WHERE substr({column}, 2, 8) = ?"  # noqa: S608
            count += database.execute(query, (mark,)).fetchone()[0]
        return count
    finally:
        database.close()


def test_keys_are_not_rotated_under_a_daemon(data: pathlib.Path) -> None:
    """It says what to do."""
    with Daemon(data):
        refused = zkpush("--data", str(data), "database", "rotate-key")
    assert refused.returncode == 1
    assert "a daemon uses the database; stop all that do" in refused.stderr


def test_a_mistake_is_one_line(tmp_path: pathlib.Path) -> None:
    """A directory without a key, a database that is not there, and no directory at all."""
    nothing = zkpush("--data", str(tmp_path), "database", "rotate-key")
    assert nothing.returncode == 1
    assert "cannot read the key" in nothing.stderr
    assert "Traceback" not in nothing.stderr
    key = tmp_path / "elsewhere"
    key.write_text(os.urandom(32).hex())
    key.chmod(0o600)
    env = environment(ZKPUSH_KEY_FILE=str(key))
    missing = zkpush("--data", str(tmp_path), "database", "rotate-key", env=env)
    assert missing.returncode == 1
    assert "there is no database" in missing.stderr
    assert not [*tmp_path.glob("*.sqlite*")]
    assert zkpush("database", "rotate-key").returncode == 2


def test_a_database_elsewhere_is_named(tmp_path: pathlib.Path) -> None:
    """A data directory knows its database, but not the URL: the message says what to give."""
    where = "PostgreSQL db.example.com, database zkpush"
    marker = {"id": "0" * 32, "where": where}
    (tmp_path / "database.json").write_text(json.dumps(marker))
    (tmp_path / "key").write_text(os.urandom(32).hex())
    (tmp_path / "key").chmod(0o600)
    checked = zkpush("--data", str(tmp_path), "database", "check")
    assert checked.returncode == 1
    assert f"{tmp_path} belongs to {where}: give the --database" in checked.stderr


@pytest.mark.long
def test_templates_are_forgotten(data: pathlib.Path) -> None:
    """Not without a yes."""
    doubtful = start("--data", str(data), "database", "forget-templates", stdin=subprocess.PIPE)
    out, _ = doubtful.communicate("n\n", timeout=SECONDS)
    assert doubtful.returncode == 1
    assert "permanently?" in out
    done = zkpush("--data", str(data), "database", "forget-templates", "--yes")
    assert done.returncode == 0, done.stderr
    assert f"comparison photos: {PEOPLE}." in done.stdout
    with Daemon(data) as daemon:
        assert daemon.api("GET", "users/7")["templates"] == {}

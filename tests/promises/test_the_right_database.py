"""The daemon knows which database is its own, and holds its data directory alone."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import sqlite3

import pytest
from sqlalchemy import create_engine, make_url

from zkpush.persist.sqlite import SQLiteStores
from zkpush.persist.sqlite_url import sqlite_path

from ..cli.program import environment, failed, said, zkpush
from ..daemon.process import Daemon
from ..persist.thawing import thaw
from .starting import refusal

LINE = b"%d\t2026-01-05 08:00:00\t0\t1\n"
FROZEN_PINS = ["1452", "1452", "7", "8", "9", "10", "M\ufffdfcller", "3"]
"""The records of the frozen database."""


def used(data: pathlib.Path, *flags: str, pin: int = 7) -> None:
    """Make a data directory and a database with one record, and stop."""
    with Daemon(data, *flags) as daemon:
        daemon.exchange("T1")
        assert daemon.upload("T1", LINE % pin) == (200, b"OK: 1")
        stop(daemon)


def stop(daemon: Daemon) -> str:
    """Stop a daemon; what it has printed."""
    daemon.terminate()
    return daemon.output()


def pins(data: pathlib.Path, *flags: str) -> list[str]:
    """The records that a daemon finds."""
    with Daemon(data, *flags) as daemon:
        found = daemon.pins()
        stop(daemon)
    return found


def tokens(daemon: Daemon) -> set[str]:
    """The names of the tokens of the API."""
    return {token["name"] for token in daemon.api("GET", "tokens")["items"]}


def sqlite_at(path: pathlib.Path) -> tuple[str, str]:
    """The flags for a database."""
    return "--database", f"sqlite:///{path}"


def remove(path: pathlib.Path) -> None:
    """Remove a database and what belongs to it."""
    for file in path.parent.glob(f"{path.name}*"):
        if file.is_file():
            file.unlink()


@pytest.mark.long
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_second_daemon_on_a_data_directory_is_refused(
    tmp_path: pathlib.Path, workers: str
) -> None:
    """It names the process that holds it; the first is not disturbed, and the CLI finds it."""
    data = tmp_path / "data"
    with Daemon(data, "--workers", workers) as daemon:
        run = (data / "run.json").read_bytes()
        line = refusal(data)
        assert f"{data} is in use by process {daemon.process.pid}, which started at 20" in line
        assert (data / "run.json").read_bytes() == run
        said(zkpush("--data", str(data), "devices", "list", env=environment()))
        daemon.exchange("T1")
        stop(daemon)
    assert not (data / "run.json").exists()


@pytest.mark.long
def test_a_killed_daemon_leaves_no_lock(tmp_path: pathlib.Path) -> None:
    """After SIGKILL the next start succeeds at once, also where workers are left."""
    data = tmp_path / "data"
    for _ in range(2):
        with Daemon(data, "--workers", "2") as daemon:
            daemon.exchange("T1")
            daemon.kill()


def test_the_cli_does_not_reach_production_by_a_copy(tmp_path: pathlib.Path) -> None:
    """On a copy of a live data directory it says what it is, and how to reach which daemon."""
    data, copy = tmp_path / "data", tmp_path / "copy"
    with Daemon(data) as daemon:
        shutil.copytree(data, copy)
        for command in (["devices", "list"], ["tokens", "create", "x", "--scope", "read"]):
            message = failed(zkpush("--data", str(copy), *command, env=environment()))
            assert f"{copy} is a copy" in message
            assert f"belongs to the daemon of another directory, {data}" in message
            assert "--url and --token" in message
        run = json.loads((copy / "run.json").read_text())
        reached = zkpush("--data", str(copy), "--url", run["manage"], "devices", "list")
        said(reached)
        stop(daemon)


def test_a_daemon_on_a_copy_works_on_the_copy(tmp_path: pathlib.Path) -> None:
    """A copied directory can be served beside the first; each has its own records."""
    data, copy = tmp_path / "data", tmp_path / "copy"
    used(data)
    with Daemon(data) as first:
        shutil.copytree(data, copy)
        with Daemon(copy) as second:
            assert second.upload("T1", LINE % 8) == (200, b"OK: 1")
            assert (first.pins(), second.pins()) == (["7"], ["7", "8"])
            said(zkpush("--data", str(copy), "devices", "list", env=environment()))
            stop(second)
        stop(first)


def test_a_moved_data_directory_is_the_same(tmp_path: pathlib.Path) -> None:
    """Directory and database may be moved while the daemon is stopped."""
    used(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    assert pins(tmp_path / "new") == ["7"]


SLIPS = [
    ("sqlite://x.db", "did you mean sqlite:///x.db (in {cwd}), or sqlite:////x.db?"),
    ("sqlite://srv/x.db", "did you mean sqlite:////srv/x.db?"),
    ("sqlite:/srv/x.db", "did you mean sqlite:////srv/x.db?"),
    ("sqlite:x.db", "did you mean sqlite:///x.db (in {cwd})"),
    ("sqlite:", "sqlite:////absolute/path"),
    ("sqlite://", "a database in memory, which keeps nothing; for a trial, write memory:"),
    ("sqlite:///", "a database in memory, which keeps nothing"),
    ("sqlite:///:memory:", "a database in memory, which keeps nothing"),
    ("sqlite://:memory:", "a database in memory, which keeps nothing"),
    ("sqlite:///file:x?mode=memory&uri=true", "a database in memory, which keeps nothing"),
    ("sqlite:///x.db?mode=memory", "did you mean sqlite:///x.db?"),
    ("sqlite:///~/x.db", "did you mean sqlite:////"),
    ("sqlite:///x.db ", "spaces around the name"),
    ("sqlite:///x.db\n", "control characters"),
    ("sqlite:///{folder}", "sqlite:///{folder}/zkpush.sqlite?"),
    ("sqlite:///{folder}/", "sqlite:///{folder}/zkpush.sqlite?"),
    ("sqlite:///{relative}/x.db", "did you mean sqlite:///{folder}/x.db, with four slashes?"),
    ("memory:x", "a database in memory is memory:"),
]
REAL = ("sqlite://x.db", "sqlite://", "sqlite:///:memory:", "sqlite:///{relative}/x.db")


@pytest.mark.parametrize("slip", REAL)
def test_a_daemon_starts_on_no_database_by_accident(tmp_path: pathlib.Path, slip: str) -> None:
    """One slash too few, or no path: refused with the URL that was meant, and no file is made."""
    folder, cwd = tmp_path / "folder", tmp_path / "cwd"
    folder.mkdir()
    cwd.mkdir()
    places = {"folder": folder, "relative": str(folder).lstrip("/"), "cwd": cwd}
    line = refusal(tmp_path / "data", "--database", slip.format(**places), cwd=cwd)
    assert dict(SLIPS)[slip].format(**places) in line
    assert [*folder.iterdir(), *cwd.iterdir()] == []


@pytest.mark.parametrize(("slip", "meant"), SLIPS)
def test_a_slip_in_a_url_is_answered_with_what_was_meant(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, slip: str, meant: str
) -> None:
    """The URL that the message names is one that is taken."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir()
    places = {"folder": folder, "relative": str(folder).lstrip("/"), "cwd": tmp_path}
    with pytest.raises(ValueError, match=re.escape(meant.format(**places))) as refused:
        SQLiteStores().open(slip.format(**places), bytes(32), None)
    for url in re.findall(r"(?:mean|or) (sqlite:\S+?)(?=[?,;]|$| \()", str(refused.value)):
        assert sqlite_path(url) is not None


def test_a_relative_path_is_that_of_the_start(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sqlite:///x.db` is taken as before, as a file in the current directory."""
    monkeypatch.chdir(tmp_path)
    assert sqlite_path("sqlite:///x.db") == tmp_path / "x.db"
    assert sqlite_path("sqlite:////srv/x y.db") == pathlib.Path("/srv/x y.db")
    assert sqlite_path("memory:") is None


def test_memory_is_asked_for_by_name(tmp_path: pathlib.Path) -> None:
    """`--database memory:` serves, warns, and leaves the directory without a database."""
    with Daemon(tmp_path / "data", "--database", "memory:") as daemon:
        daemon.exchange("T1")
        assert "all of it is lost when the daemon stops" in stop(daemon)
    assert pins(tmp_path / "data") == []


@pytest.mark.parametrize("fault", ["missing", "empty", "no folder"])
def test_a_lost_database_is_not_begun_anew(tmp_path: pathlib.Path, fault: str) -> None:
    """Missing, empty or on a volume that is not mounted: refused until it is back."""
    data, volume, away = tmp_path / "data", tmp_path / "volume", tmp_path / "away"
    volume.mkdir()
    database = volume / "z.sqlite"
    used(data, *sqlite_at(database))
    volume.rename(away)
    if fault != "no folder":
        volume.mkdir()
    if fault == "empty":
        database.touch()
    before = sorted(volume.glob("*"))
    line = refusal(data, *sqlite_at(database))
    assert f"there is no database at {database}" in line
    assert f"last at {database}" in line
    assert "once with --new" in line
    assert sorted(volume.glob("*")) == before
    shutil.rmtree(volume, ignore_errors=True)
    away.rename(volume)
    assert pins(data, *sqlite_at(database)) == ["7"]


def test_a_lost_database_in_the_data_directory(tmp_path: pathlib.Path) -> None:
    """Beside its key and its token, a missing database is refused; so it is without a marker."""
    data = tmp_path / "data"
    used(data)
    remove(data / "zkpush.sqlite")
    assert "there is no database at" in refusal(data)
    (data / "database.json").unlink(missing_ok=True)
    assert "has had one (it holds a token or a key)" in refusal(data)
    (data / "admin.token").unlink()
    assert "has had one (it holds a token or a key)" in refusal(data)
    assert not (data / "zkpush.sqlite").exists()


def test_new_makes_a_database_once(tmp_path: pathlib.Path) -> None:
    """`--new` begins with an empty database; the next start needs no flag, nor takes it again."""
    data = tmp_path / "data"
    used(data)
    remove(data / "zkpush.sqlite")
    assert pins(data, "--new") == []
    used(data, pin=8)
    assert "start without --new" in refusal(data, "--new")
    assert pins(data) == ["8"]


@pytest.mark.long
def test_new_serves_with_workers(tmp_path: pathlib.Path) -> None:
    """Workers find the database that their parent has made."""
    data = tmp_path / "data"
    with Daemon(data, "--new", "--workers", "2") as daemon:
        daemon.exchange("T1")
        assert daemon.upload("T1", LINE % 7) == (200, b"OK: 1")
        stop(daemon)
    assert pins(data) == ["7"]


@pytest.mark.long
def test_another_database_is_refused(tmp_path: pathlib.Path, monkeypatch) -> None:
    """Of two installations with one key, each keeps to its own database, unless told `--new`."""
    (tmp_path / "key").write_text("07" * 32)
    (tmp_path / "key").chmod(0o600)
    monkeypatch.setenv("ZKPUSH_KEY_FILE", str(tmp_path / "key"))
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    used(ours, pin=7)
    used(theirs, pin=8)
    foreign = sqlite_at(theirs / "zkpush.sqlite")
    identities = [json.loads((one / "database.json").read_text())["id"] for one in (ours, theirs)]
    line = refusal(ours, *foreign)
    assert f"is not the one of {ours}" in line
    assert all(identity in line for identity in identities)
    assert pins(ours, *foreign, "--new") == ["8"]
    assert pins(ours, *foreign) == ["8"]
    assert "is not the one of" in refusal(ours)  # its first one, which is as it was
    assert pins(ours, "--new") == ["7"]


def test_a_replaced_file_of_the_same_name_is_refused(tmp_path: pathlib.Path, monkeypatch) -> None:
    """A database of another installation, put in the place of ours, is not served."""
    (tmp_path / "key").write_text("07" * 32)
    (tmp_path / "key").chmod(0o600)
    monkeypatch.setenv("ZKPUSH_KEY_FILE", str(tmp_path / "key"))
    used(tmp_path / "ours")
    used(tmp_path / "theirs", pin=8)
    ours = tmp_path / "ours" / "zkpush.sqlite"
    before = (tmp_path / "theirs" / "zkpush.sqlite").read_bytes()
    remove(ours)
    ours.write_bytes(before)
    assert "is not the one of" in refusal(tmp_path / "ours")
    assert ours.read_bytes() == before


def test_a_backup_of_the_same_database_is_taken(tmp_path: pathlib.Path) -> None:
    """Restoring an older copy of a database needs no flag: its identity is the same."""
    data = tmp_path / "data"
    used(data)
    database, backup = data / "zkpush.sqlite", tmp_path / "backup.sqlite"
    shutil.copy(database, backup)
    used(data, pin=8)
    remove(database)
    shutil.copy(backup, database)
    assert pins(data) == ["7"]


def test_a_restored_backup_has_the_tokens_of_its_time(tmp_path: pathlib.Path) -> None:
    """A token that was revoked after the backup is valid again: docs/security.md says so."""
    data = tmp_path / "data"
    database, backup = data / "zkpush.sqlite", tmp_path / "backup.sqlite"
    with Daemon(data) as daemon:
        daemon.api("POST", "tokens", {"name": "hr", "scopes": ["read"]})
        stop(daemon)
    shutil.copy(database, backup)
    with Daemon(data) as daemon:
        revoked = zkpush("--data", str(data), "tokens", "revoke", "hr")
        assert revoked.returncode == 0
        assert "hr" not in tokens(daemon)
        stop(daemon)
    remove(database)
    shutil.copy(backup, database)
    with Daemon(data) as daemon:
        assert "hr" in tokens(daemon)


def test_an_installation_of_an_earlier_version_gets_its_identity(tmp_path: pathlib.Path) -> None:
    """At the upgrade the database gets an identity, and the directory remembers it."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    for name, content in (("key", "07" * 32), ("admin.token", "token")):
        (data / name).write_text(content)
        (data / name).chmod(0o600)
    thaw(f"sqlite:///{data / 'zkpush.sqlite'}", "0002")
    assert pins(data) == FROZEN_PINS
    remembered = json.loads((data / "database.json").read_text())["id"]
    database = sqlite3.connect(data / "zkpush.sqlite")
    assert database.execute("SELECT id FROM identity").fetchall() == [(remembered,)]
    database.close()


def test_a_first_start_that_failed_is_tried_again(tmp_path: pathlib.Path) -> None:
    """A directory that never had a database may get one at the next start."""
    data = tmp_path / "data"
    assert "cannot open" in refusal(data, *sqlite_at(tmp_path / "nowhere" / "z.sqlite"))
    assert pins(data) == []


@pytest.mark.long
def test_nodes_join_one_database_on_postgresql(
    tmp_path: pathlib.Path, empty_postgres_url: str, monkeypatch
) -> None:
    """A fresh directory joins, and says so; one that belongs to another database is refused."""
    (tmp_path / "key").write_text("07" * 32)
    (tmp_path / "key").chmod(0o600)
    monkeypatch.setenv("ZKPUSH_KEY_FILE", str(tmp_path / "key"))
    shared = ("--database", empty_postgres_url)
    used(tmp_path / "one", *shared)
    with Daemon(tmp_path / "two", *shared) as joined:
        assert joined.pins() == ["7"]
        assert "two has had no database yet, and joins the one at PostgreSQL" in stop(joined)
    used(tmp_path / "alone")
    line = refusal(tmp_path / "alone", *shared)
    assert "is not the one of" in line
    assert pins(tmp_path / "one", *shared) == ["7"]
    _drop_tables(empty_postgres_url)
    assert "there is no database at PostgreSQL" in refusal(tmp_path / "one", *shared)
    assert pins(tmp_path / "one", *shared, "--new") == []
    # The other node belongs to the lost one still.
    assert "is not the one of" in refusal(tmp_path / "two", *shared)
    assert os.path.exists(tmp_path / "two" / "database.json")


def _drop_tables(url: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()

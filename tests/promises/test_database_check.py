"""`zkpush database check` finds damaged indexes and pages of PostgreSQL, while the daemon runs."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator

import psycopg
import pytest

from ..cli.program import failed, said, zkpush
from ..daemon.process import Daemon
from ..postgres import in_memory

INSTALLED = pathlib.Path("/usr/lib/postgresql")
"""Where distributions install servers; the one of the test extra has no `amcheck`."""
PUNCHES = b"".join(b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin for pin in range(500))


class ServerWithContrib:
    """A server of the distribution, with checksums of pages and the extension `amcheck`."""

    def __init__(self, programs: pathlib.Path) -> None:
        self._programs = programs
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zkpush-contrib-", dir=in_memory()))
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            os.chown(self.folder, pwd.getpwnam(self._user).pw_uid, -1)
        self.url = f"postgresql://postgres@/postgres?host={self.folder}"
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "-k")
        self.start()

    def start(self) -> None:
        """Start it, reachable by a socket only."""
        options = f"-k {self.folder} -c listen_addresses=''"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop it, with all pages written."""
        self._run("pg_ctl", "-w", "-m", "fast", "stop")

    def close(self) -> None:
        """Stop it, and remove what it stored."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self.folder / "data"), *arguments]
        with tempfile.TemporaryFile() as printed:
            subprocess.run(
                command, user=self._user, cwd="/", stdout=printed, stderr=printed, check=True
            )


@pytest.fixture
def server() -> Iterator[ServerWithContrib]:
    """Such a server, for one test."""
    found = [
        path.parents[1] / "bin"
        for path in sorted(INSTALLED.glob("*/lib/amcheck.so"))
        if (path.parents[1] / "bin" / "initdb").exists()
    ]
    if not found:
        pytest.skip("needs a PostgreSQL server with contrib in /usr/lib/postgresql")
    made = ServerWithContrib(found[-1])
    yield made
    made.close()


@pytest.fixture
def daemon(server: ServerWithContrib, tmp_path: pathlib.Path) -> Iterator[Daemon]:
    """A daemon with records in that server, which runs on."""
    with Daemon(tmp_path, "--database", server.url) as daemon:
        daemon.exchange("T1")
        assert daemon.upload("T1", PUNCHES) == (200, b"OK: 500")
        yield daemon


def check(daemon: Daemon, url: str) -> subprocess.CompletedProcess[str]:
    """Run the check beside the daemon."""
    return zkpush("--data", str(daemon.data), "database", "check", "--database", url)


def test_a_damaged_index_of_postgresql_is_found_with_amcheck(
    daemon: Daemon, server: ServerWithContrib
) -> None:
    """Without the extension the check says that it does not look at indexes."""
    assert "CREATE EXTENSION amcheck" in said(check(daemon, server.url))
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION amcheck")
        whole = said(check(daemon, server.url))
        assert "Not checked" not in whole
        assert "no damage" in whole
        # Rows that the index of the primary key does not have.
        ready = "UPDATE pg_index SET indisready = %s WHERE indexrelid = 'attendance_pkey'::regclass"
        connection.execute(ready, (False,))
        with psycopg.connect(server.url) as other:
            other.execute("UPDATE attendance SET id = id + 1000000 WHERE id = 1")
        connection.execute(ready, (True,))
    run = check(daemon, server.url)
    assert "index attendance_pkey" in run.stderr + run.stdout
    assert run.returncode == 1


def test_a_page_with_a_wrong_checksum_is_damage(daemon: Daemon, server: ServerWithContrib) -> None:
    """A page that the server has failed to read is found by the check."""
    query = "SELECT pg_relation_filepath('attendance')"
    with psycopg.connect(server.url) as connection:
        ((name,),) = connection.execute(query)
    server.stop()
    with (server.folder / "data" / name).open("r+b") as file:
        file.seek(4000)
        file.write(b"damage")
    server.start()
    with psycopg.connect(server.url) as connection, pytest.raises(psycopg.errors.DataCorrupted):
        connection.execute("SELECT count(*) FROM attendance")
    run = check(daemon, server.url)
    assert "pages had wrong checksums" in run.stderr + run.stdout
    assert run.returncode == 1


def test_a_running_daemon_is_checked(tmp_path: pathlib.Path) -> None:
    """A database in use is checked without disturbing it; a file of no database is an error."""
    with Daemon(tmp_path) as daemon:
        daemon.exchange("T1")
        found = said(zkpush("--data", str(tmp_path), "database", "check"))
        assert "no damage" in found
        assert "rows verified" in found
        assert daemon.upload("T1", PUNCHES) == (200, b"OK: 500")
    (tmp_path / "none").write_bytes(b"no database")
    failed(
        zkpush(
            *("--data", str(tmp_path), "database", "check"),
            *("--database", f"sqlite:///{tmp_path / 'none'}"),
        )
    )

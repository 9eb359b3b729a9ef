"""What tests of the store share: URLs of databases that processes can share."""

from __future__ import annotations

import pathlib

import pytest
from twisted.internet import reactor

from zkpush.capabilities import load
from zkpush.capability import ICapability
from zkpush.discovery import sound_plugins
from zkpush.persist.databases import Database
from zkpush.persist.postgresql import open_postgresql
from zkpush.persist.sqlite import open_sqlite
from zkpush.persist.store import Store

from ..keys import KEY
from .copied import Copied, CopiedDatabases, CopiedFiles

load(sound_plugins(ICapability))  # the nouns, whose tables are part of the database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """A database without tables, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Copied:
    """Databases of either kind, and copies of them."""
    if request.param == "sqlite":
        return CopiedFiles(tmp_path_factory.mktemp("databases"))
    return CopiedDatabases(request.getfixturevalue("postgres"))


def open_database(url: str, key: bytes = KEY) -> Database:
    """Open a database of either kind."""
    return open_sqlite(url, key) if url.startswith("sqlite") else open_postgresql(url, key)


def opened(url: str, key: bytes) -> Store:
    """A store that runs."""
    store = Store(lambda: open_database(url, key), reactor)
    store.start()
    return store


@pytest.fixture
def url(database: str) -> str:
    """A fresh database of either kind."""
    return database


@pytest.fixture
def data(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The data directory of a daemon that has stopped."""
    monkeypatch.delenv("ZKPUSH_KEY_FILE", raising=False)
    (tmp_path / "key").write_text(KEY.hex())
    return tmp_path

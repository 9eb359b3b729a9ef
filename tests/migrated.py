"""Fixtures of new databases, which are of this version at once (`tests.schemas`)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from alembic import command

from zkpush.persist import sqlite
from zkpush.persist.sqlite import SQLite, open_sqlite

from . import schemas


@pytest.fixture(autouse=True, scope="session")
def new_databases_are_copies() -> Iterator[None]:
    """A new database gets its schema at once; on SQLite with the usual key, it is a copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "upgrade", schemas.upgrade)
        patch.setattr(sqlite, "open_sqlite", _open_copy)
        yield


@pytest.fixture
def real_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every upgrade in this process runs the migrations."""
    monkeypatch.setattr(command, "upgrade", schemas.migrate)


def _open_copy(url: str, key: bytes, **more: bool) -> SQLite:
    database = open_sqlite(url, key, **more)
    if key == schemas.KEY and not any(more.values()):  # maintenance sees a database as it is
        with contextlib.closing(database.engine.raw_connection()) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                schemas.migrated().backup(connection.driver_connection)
    return database

"""What tests of the store share: URLs of databases that processes can share."""

from __future__ import annotations

import pathlib

import pytest

from zkpush.persist.databases import Database
from zkpush.persist.postgresql import open_postgresql
from zkpush.persist.sqlite import open_sqlite

from ..keys import KEY


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """A database without tables, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


def open_database(url: str, key: bytes = KEY) -> Database:
    """Open a database of either kind."""
    return open_sqlite(url, key) if url.startswith("sqlite") else open_postgresql(url, key)

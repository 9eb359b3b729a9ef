"""Databases as older versions left them."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import attrs
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, column, insert, table

import zkpush.persist
from zkpush.persist.databases import Database

from .conftest import open_database

DEVICE = {"state": "approved", "timezone": "UTC", "session": "ready", "created_at": 1}
"""What the row of an approved terminal has, beside its id and serial number."""


@attrs.frozen
class OldDatabase:
    """A database of an older revision, in the transaction in which it is filled."""

    database: Database
    connection: Connection
    config: Config

    def put(self, name: str, row: Mapping[str, object]) -> None:
        """Write a row into a table."""
        self.connection.execute(insert(table(name, *map(column, row))), row)

    def upgrade(self, revision: str) -> None:
        """Bring it to a revision."""
        command.upgrade(self.config, revision)


@contextmanager
def old_database(url: str, revision: str) -> Iterator[OldDatabase]:
    """Make a database of a revision, with a folder for pictures where they are files."""
    config = Config()
    scripts = pathlib.Path(zkpush.persist.__file__).parent / "migrations"
    config.set_main_option("script_location", str(scripts))
    database = open_database(url)
    config.attributes["database"] = database
    with database.migrating() as connection:
        config.attributes["connection"] = connection
        old = OldDatabase(database, connection, config)
        old.upgrade(revision)
        yield old
    if database.pictures is not None:
        database.pictures.mkdir()
    database.close()

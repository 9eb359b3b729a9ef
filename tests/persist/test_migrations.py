"""Migrations bring a database to the schema that the code declares."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from zkpush.interfaces import StoreError
from zkpush.persist.databases import open_sqlite
from zkpush.persist.migrate import migrate_thd
from zkpush.persist.schema import metadata


def test_the_migrations_and_the_schema_agree(tmp_path) -> None:
    """A migrated database has every table, column, index and constraint of the schema."""
    database = open_sqlite(f"sqlite:///{tmp_path / 'new.sqlite'}")
    migrate_thd(database)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    database.close()
    assert differences == []


def test_migrating_again_changes_nothing(tmp_path) -> None:
    """A database of this version is left alone."""
    path = tmp_path / "same.sqlite"
    database = open_sqlite(f"sqlite:///{path}")
    migrate_thd(database)
    database.close()
    before = path.read_bytes()
    database = open_sqlite(f"sqlite:///{path}")
    migrate_thd(database)
    database.close()
    assert path.read_bytes() == before


def test_a_database_of_a_later_version_is_refused(tmp_path) -> None:
    """An older program does not touch what a newer one made."""
    database = open_sqlite(f"sqlite:///{tmp_path / 'later.sqlite'}")
    migrate_thd(database)
    with database.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="later version"):
        migrate_thd(database)
    database.close()

"""The databases that tests begin with are those that the migrations make (`tests.schemas`)."""

from __future__ import annotations

import pathlib

import pytest
from sqlalchemy import Connection, inspect

from zkpush.persist.migrate import migrate_thd

from ..postgres import Databases
from .conftest import open_database

DECLARED = {
    "sqlite": ["SELECT type, name, tbl_name, sql FROM sqlite_master"],
    "postgresql": [
        "SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default, "
        "is_identity FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    ],
}


def declared(connection: Connection) -> list[list[str]]:
    """All that the schema consists of, whatever the order in which it was made."""
    return [
        sorted(repr(tuple(row)) for row in connection.exec_driver_sql(query))
        for query in DECLARED[connection.dialect.name]
    ]


def rows(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()  # noqa: S608 - names from the schema
        for name in inspect(connection).get_table_names()
    }


def migrated(url: str) -> tuple[list[list[str]], dict[str, int], str]:
    """Bring an empty database to this version: what it consists of, its rows, and its revision."""
    database = open_database(url)
    migrate_thd(database)
    with database.engine.connect() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
        found = declared(connection), rows(connection), version.scalar_one()
    database.close()
    return found


@pytest.mark.long
@pytest.mark.parametrize("kind", [*DECLARED])
def test_a_new_database_is_the_one_that_migrations_make(
    request: pytest.FixtureRequest, tmp_path: pathlib.Path, kind: str
) -> None:
    """It has the same tables, columns, indexes, constraints, triggers and first rows."""
    at_once, by_migrations = (f"sqlite:///{tmp_path / name}" for name in ("once", "steps"))
    if kind == "postgresql":
        databases: Databases = request.getfixturevalue("postgres")
        databases.migrated()  # the statements of its schema are known from here on
        at_once, by_migrations = (databases.url(databases.make()) for _ in range(2))
    found = migrated(at_once)
    request.getfixturevalue("real_migrations")
    assert found == migrated(by_migrations)
    assert all(found[0])
    assert found[1]["keys"] == 4

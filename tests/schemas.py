"""New databases get the schema that the migrations end with, without their history.

To run all migrations takes longer than most tests do. So each process of tests runs them once for
each kind of database, keeps the statements of the schema, and executes those wherever a database
without tables is to be upgraded to this version: by a store, by maintenance, and by the daemons of
`tests.warm`. All else about the start of a database stays: what it claims, its identity, its keys.
A database with tables is upgraded by its migrations, and so is any in a test with
`real_migrations`. `tests/persist/test_new_databases.py` holds that the result is the same.

`tests.warm` imports this module: it imports no reactor.
"""

from __future__ import annotations

import contextlib
import functools
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
from alembic import command
from sqlalchemy import Connection, event, insert, inspect

from zkpush.persist.chain import HEAD, Head
from zkpush.persist.keys import SiteKey, ensure_vault
from zkpush.persist.migrate import head_revision, migrate_thd
from zkpush.persist.schema import audit_head
from zkpush.persist.sqlite import open_sqlite

KEY = bytes(range(32))
"""The site key of `migrated`."""
VERSION = "alembic_version"
migrate = command.upgrade
"""What runs the migrations."""
_ALTERS = ("CREATE", "ALTER", "DROP")
_CHAIN = re.compile(rf"\s*CREATE TABLE {audit_head.name}\b")
_schemas: dict[str, list[str]] = {}
"""The statements that make the schema, by the name of the kind of database."""


def schemas() -> Mapping[str, list[str]]:
    """The schemas that this process knows, for `learn` in another one."""
    if "sqlite" not in _schemas:
        query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        _schemas["sqlite"] = [sql for (sql,) in migrated().execute(query)]
    return _schemas


def learn(known: Mapping[str, list[str]]) -> None:
    """Use the schemas that another process knows, from now on."""
    _schemas.update(known)
    command.upgrade = upgrade


def upgrade(config: Any, revision: str) -> None:
    """Do what `alembic.command.upgrade` does; at once where there are no tables yet."""
    connection = config.attributes["connection"]
    kind = connection.dialect.name
    if revision != head_revision() or inspect(connection).get_table_names():
        migrate(config, revision)
    elif kind == "sqlite" or kind in _schemas:
        _build(connection, config.attributes["database"].site, schemas()[kind])
    else:
        with _recorded(connection) as statements:
            migrate(config, revision)
        _schemas[kind] = [one for one in statements if one.lstrip().startswith(_ALTERS)]


@functools.cache
def migrated() -> sqlite3.Connection:
    """A database in memory, of this version by its migrations, with the keys of `KEY`."""
    database = open_sqlite("memory:", KEY)
    replaced, command.upgrade = command.upgrade, migrate
    try:
        migrate_thd(database)
    finally:
        command.upgrade = replaced
    copy = sqlite3.connect(":memory:")
    with contextlib.closing(database.engine.raw_connection()) as connection:
        connection.driver_connection.backup(copy)
    database.close()
    return copy


def _build(connection: Connection, site: SiteKey, statements: Sequence[str]) -> None:
    """Make the schema, and the rows that are there from the beginning."""
    chain = next(number for number, one in enumerate(statements) if _CHAIN.match(one))
    _execute(connection, statements[:chain])
    vault = ensure_vault(connection, site)  # makes the keys of the chain only before that is there
    _execute(connection, statements[chain:])
    head = Head()
    row = {"name": HEAD, "seal": head.seal(vault.audit.chain), **attrs.asdict(head)}
    connection.execute(insert(audit_head).values(row))
    connection.exec_driver_sql(f"INSERT INTO {VERSION} VALUES ('{head_revision()}')")  # noqa: S608 - our own revision


def _execute(connection: Connection, statements: Sequence[str]) -> None:
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        for statement in statements:
            driver.execute(statement)
    else:
        driver.execute(";\n".join(statements).replace("%%", "%"))


@contextlib.contextmanager
def _recorded(connection: Connection) -> Iterator[list[str]]:
    """What is executed on a connection meanwhile."""
    statements: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(connection, "before_cursor_execute", record)
    yield statements
    event.remove(connection, "before_cursor_execute", record)

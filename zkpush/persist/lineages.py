"""Migrations of plugins: a lineage of revisions and a version table for each plugin.

The tables of a plugin are named like the plugin, or begin with its name and an underscore. They can
therefore be recognized after the plugin is uninstalled. The version table is `version_` followed by
the plugin's name.
"""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, MetaData, delete, inspect
from sqlalchemy import Table as SQLTable

from ..interfaces import StoreError
from . import schema
from .transaction import Transaction

VERSION = "version_"
"""Prefix of the version tables of plugins."""
_ENV = Path(__file__).parent / "lineage"
_alembic = threading.Lock()
"""Lock for Alembic, which supports one database at a time per process."""


def migrate_lineage_thd(tx: Transaction, name: str, folder: Path) -> None:
    """Upgrade the tables of a plugin to the last revision in `folder`, in this transaction.

    `name` is the name of the plugin. Raises `StoreError` if the database has a later revision than
    the folder.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(_ENV).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = tx.connection
    config.attributes["version_table"] = f"{VERSION}{name}"
    try:
        with _alembic:
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"the tables of {name} were made by a later version of it ({error}); upgrade it"
        ) from error


def lineages(connection: Connection) -> list[str]:
    """List the plugins that have had migrations in a database."""
    tables = inspect(connection).get_table_names()
    return sorted(name.removeprefix(VERSION) for name in tables if name.startswith(VERSION))


def drop_lineage(connection: Connection, name: str) -> list[str]:
    """Drop the tables and pending lines of a plugin; return the names of the tables.

    Raises `LookupError` if the plugin has had no migrations here.
    """
    known = lineages(connection)
    if name not in known:
        raise LookupError(name)
    found = [
        table
        for table in inspect(connection).get_table_names()
        if table not in schema.metadata.tables and _owner(table, known) == name
    ]
    metadata = MetaData()
    for table in [*found, f"{VERSION}{name}"]:
        SQLTable(table, metadata, autoload_with=connection)
    metadata.drop_all(connection)
    for column in (schema.inbox.c.plugin, schema.picture_plugins.c.name):
        connection.execute(delete(column.table).where(column == name))
    return sorted(found)


def _owner(table: str, names: list[str]) -> str | None:
    """Return the plugin that owns a table: the longest name that the table's name begins with."""
    owners = [name for name in names if table == name or table.startswith(f"{name}_")]
    return max(owners, key=len, default=None)

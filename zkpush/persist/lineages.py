"""Migrations of plugins: a lineage of revisions and a version table for each plugin.

The tables of a plugin are named like the plugin, or begin with its name and an underscore. They can
therefore be recognized after the plugin is uninstalled. The version table is `version_` followed by
the plugin's name.
"""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, MetaData, column, delete, inspect, select, table
from sqlalchemy import Table as SQLTable

from ..interfaces import StoreError
from . import schema
from .transaction import Transaction

VERSION = "version_"
"""Prefix of the version tables of plugins."""
_ENV = Path(__file__).parent / "lineage"
_alembic = threading.Lock()
"""Lock for Alembic, which supports one database at a time per process."""


class BackupNeeded(Exception):
    """The tables of a plugin are behind, and the database was not backed up since it was opened.

    `zkpush.persist.store` makes the backup, and calls the plugin again.
    """

    def __init__(self, name: str, revision: str) -> None:
        super().__init__(f"{name} is to be upgraded to {revision}")
        self.copy_name = f"{name}-{revision}"
        """What the copy is named for."""


def migrate_lineage_thd(tx: Transaction, name: str, folder: Path) -> None:
    """Upgrade the tables of a plugin to the last revision in `folder`, in this transaction.

    `name` is the name of the plugin. Raises `StoreError` if the database has a later revision than
    the folder, and `BackupNeeded`, before it changes anything, if the database is not backed up.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(_ENV).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = tx.connection
    config.attributes["version_table"] = f"{VERSION}{name}"
    try:
        with _alembic:
            if tx.database.needs_backup:
                head = ScriptDirectory.from_config(config).get_current_head()
                if head is not None and _revision(tx.connection, name) not in (None, head):
                    raise BackupNeeded(name, head)
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"the tables of {name} were made by a later version of it ({error}); upgrade it"
        ) from error


def _revision(connection: Connection, name: str) -> str | None:
    """Return the revision of the tables of a plugin; None if it has none."""
    version = table(f"{VERSION}{name}", column("version_num"))
    if not inspect(connection).has_table(version.name):
        return None
    revision: str | None = connection.execute(select(version.c.version_num)).scalar_one_or_none()
    return revision


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
        one
        for one in inspect(connection).get_table_names()
        if one not in schema.metadata.tables and _owner(one, known) == name
    ]
    metadata = MetaData()
    for one in [*found, f"{VERSION}{name}"]:
        SQLTable(one, metadata, autoload_with=connection)
    metadata.drop_all(connection)
    for owner in (schema.inbox.c.plugin, schema.picture_plugins.c.name):
        connection.execute(delete(owner.table).where(owner == name))
    return sorted(found)


def _owner(table: str, names: list[str]) -> str | None:
    """Return the plugin that owns a table: the longest name that the table's name begins with."""
    owners = [name for name in names if table == name or table.startswith(f"{name}_")]
    return max(owners, key=len, default=None)

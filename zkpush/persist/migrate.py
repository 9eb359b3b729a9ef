"""Upgrade of a database to the schema of this version, with Alembic.

Alembic is imported only for an upgrade, because the import takes a fifth of the start-up time.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table
from twisted.logger import Logger

from ..interfaces import StoreError
from ..values.storage import DatabaseClaim
from .databases import Database
from .identity import check_claim, ensure_identity
from .keys import ensure_vault
from .purge import is_noted, purge_thd
from .schema import keys
from .vault import Vault

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

_SCRIPTS = Path(__file__).parent / "migrations"
_VERSION = table("alembic_version", column("version_num"))
_log = Logger()


def migrate_thd(database: Database, claim: DatabaseClaim | None = None) -> Vault:
    """Create or upgrade the schema in one transaction; concurrent processes wait for it.

    Returns the vault of the database. Raises `StoreError`, and changes nothing, if the file is not
    a database, is newer than this program, belongs to another key, cannot be backed up, or does not
    match the claim of the data directory.
    """
    try:
        vault, is_to_purge = _migrate_thd(database, claim)
        if is_to_purge:
            _log.info("What was replaced is purged from the database; that may take a while")
            purge_thd(database, vault)
    except database.errors as error:
        raise StoreError(f"cannot prepare the database: {database.words(error)}") from error
    return vault


def revision_thd(database: Database) -> str | None:
    """Return the revision of a database; None if it has no tables yet."""
    with database.engine.connect() as connection:
        return _revision(connection)


def head_revision() -> str:
    """Return the schema revision of this version: the highest number of a script."""
    return max(path.name.partition("_")[0] for path in (_SCRIPTS / "versions").glob("[0-9]*.py"))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    revision: str | None = connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()
    return revision


def alembic_scripts() -> tuple[Config, ScriptDirectory]:
    """Return the configuration of Alembic and the scripts of all revisions."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config, ScriptDirectory.from_config(config)


def _migrate_thd(database: Database, claim: DatabaseClaim | None) -> tuple[Vault, bool]:
    """Return the vault of the database, and whether a purge is due."""
    with database.migrating() as connection:
        current, head = _revision(connection), head_revision()
        if claim is not None and database.is_kept:
            check_claim(connection, claim, database.where, is_empty=current is None)
        if current != head:
            if inspect(connection).has_table(keys.name):
                ensure_vault(connection, database.site)  # before anything is changed
            _upgrade_thd(database, connection, current, head)
            _log.info("The database is of revision {head} now", head=head)
        ensure_identity(connection)
        return ensure_vault(connection, database.site), is_noted(connection)


def _upgrade_thd(
    database: Database, connection: Connection, current: str | None, head: str
) -> None:
    from alembic import command
    from alembic.util.exc import CommandError

    config, scripts = alembic_scripts()
    # Statements that run once: kept in the cache of the engine, each would keep all tables of its
    # migration in memory.
    config.attributes["connection"] = connection.execution_options(compiled_cache=None)
    config.attributes["database"] = database
    try:
        if current is None:
            command.upgrade(config, head)
            return
        scripts.get_revision(current)  # raises if the revision is unknown
        with database.backed_up(head):
            command.upgrade(config, head)
    except CommandError as error:
        raise StoreError(
            f"the database was made by a later version of zkpush ({error}); upgrade zkpush"
        ) from error

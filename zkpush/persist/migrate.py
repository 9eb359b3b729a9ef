"""Bringing a database to the schema of this version, with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import inspect
from twisted.logger import Logger

from ..interfaces import StoreError
from ..model import DatabaseClaim
from .databases import Database
from .identity import check_claim, ensure_identity
from .keys import ensure_vault
from .purge import is_noted, purge_thd
from .schema import keys
from .vault import Vault

_SCRIPTS = Path(__file__).parent / "migrations"
_log = Logger()


def migrate_thd(database: Database, claim: DatabaseClaim | None = None) -> Vault:
    """Create or upgrade the schema, in one transaction; of several processes, one does it.

    Returns the vault of the database. `StoreError` if the file is not a database, or is of a later
    version than this program, or belongs to another key, or cannot be backed up, or is not the
    database that the data directory claims; nothing is changed then.
    """
    config, scripts = _scripts()
    try:
        vault, is_to_purge = _migrate_thd(database, config, scripts, claim)
        if is_to_purge:
            _log.info("What was replaced is purged from the database; that may take a while")
            purge_thd(database, vault)
    except CommandError as error:
        raise StoreError(
            f"the database was made by a later version of zkpush ({error}); upgrade zkpush"
        ) from error
    except database.errors as error:
        raise StoreError(f"cannot prepare the database: {database.words(error)}") from error
    return vault


def revision_thd(database: Database) -> str | None:
    """The revision of a database; None if it has no tables yet."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str:
    """The revision of the schema that this version works on."""
    return str(_scripts()[1].get_current_head())


def _scripts() -> tuple[Config, ScriptDirectory]:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config, ScriptDirectory.from_config(config)


def _migrate_thd(
    database: Database, config: Config, scripts: ScriptDirectory, claim: DatabaseClaim | None
) -> tuple[Vault, bool]:
    """The vault of the database; and whether something is to be purged now."""
    with database.migrating() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        head = str(scripts.get_current_head())
        if claim is not None and database.is_kept:
            check_claim(connection, claim, database.where, is_empty=current is None)
        if current == head:
            ensure_identity(connection)
            return ensure_vault(connection, database.site), is_noted(connection)
        if inspect(connection).has_table(keys.name):
            ensure_vault(connection, database.site)  # before anything is changed
        config.attributes["connection"] = connection
        config.attributes["database"] = database
        if current is None:
            command.upgrade(config, head)
        else:
            scripts.get_revision(current)  # one that we know, or there is nothing to upgrade
            with database.backed_up(head):
                command.upgrade(config, head)
        ensure_identity(connection)
        _log.info("The database is of revision {head} now", head=head)
        return ensure_vault(connection, database.site), is_noted(connection)

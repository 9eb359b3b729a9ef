"""Bringing a database to the schema of this version, with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.exc import SQLAlchemyError

from ..interfaces import StoreError
from .databases import WRITES, Database

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate_thd(database: Database) -> None:
    """Create or upgrade the schema, in one transaction.

    `StoreError` if the file is not a database, or is of a later version than this program.
    """
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    try:
        with (
            database.engine.connect().execution_options(**{WRITES: True}) as connection,
            connection.begin(),
        ):
            current = MigrationContext.configure(connection).get_current_revision()
            if current == ScriptDirectory.from_config(config).get_current_head():
                return
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"the database was made by a later version of zkpush ({error}); upgrade zkpush"
        ) from error
    except SQLAlchemyError as error:
        raise StoreError(f"cannot prepare the database: {error}") from error

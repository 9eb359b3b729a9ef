"""Purge of replaced values: afterwards no page, file or row of the database contains them.

A purge runs after the commit that replaced the values. It is noted in the database until it is
done, so if the process dies, the next process completes it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import Connection, delete, select
from twisted.logger import Logger

from .databases import Database, insert
from .schema import unfinished
from .vault import Vault

PURGE = "purge"
_log = Logger()


def is_noted(connection: Connection) -> bool:
    """Whether a purge is due."""
    query = select(unfinished.c.name).where(unfinished.c.name == PURGE)
    return connection.execute(query).one_or_none() is not None


def note(connection: Connection) -> None:
    """Note that a purge is due once this transaction is committed."""
    connection.execute(insert(connection, unfinished).values(name=PURGE).on_conflict_do_nothing())


def purge_thd(database: Database, vault: Vault) -> None:
    """Remove unencrypted and replaced data."""
    if database.pictures is not None:
        _remove_plain(database.pictures, vault)
    database.vacuum()
    with database.engine.begin() as connection:
        connection.execute(delete(unfinished).where(unfinished.c.name == PURGE))
    for backup in database.backups():
        _log.warn(
            "The backup {backup} may hold secrets that are not sealed, or sealed under an old key: "
            "remove it as soon as you do not need it",
            backup=str(backup),
        )


def _remove_plain(folder: Path, vault: Vault) -> None:
    """Remove pictures named by their SHA-256, and partial files."""
    for file in folder.glob("??/*"):
        with file.open("rb") as stream:
            begin = stream.read(len(vault.sealing.marks[0]))
        if not begin or begin in vault.sealing.marks:  # being written now, or encrypted
            continue
        if file.suffix == ".part" or hashlib.sha256(file.read_bytes()).hexdigest() == file.name:
            file.unlink(missing_ok=True)

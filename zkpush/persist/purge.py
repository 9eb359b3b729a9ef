"""Purging what was replaced: no page, file or row of the database holds it afterwards.

It is done after the commit that replaced it, and noted in the database until it is done, so that a
process that dies on the way leaves it to the next one.
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
    """Whether a purge is to be done."""
    query = select(unfinished.c.name).where(unfinished.c.name == PURGE)
    return connection.execute(query).one_or_none() is not None


def note(connection: Connection) -> None:
    """Note that a purge is to be done once this transaction is committed."""
    connection.execute(insert(connection, unfinished).values(name=PURGE).on_conflict_do_nothing())


def purge_thd(database: Database, vault: Vault) -> None:
    """Remove what is not sealed, and what was replaced."""
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
    """Remove pictures that are named by their SHA-256, and what a process left half written."""
    for file in folder.glob("??/*"):
        with file.open("rb") as stream:
            begin = stream.read(len(vault.sealing.marks[0]))
        if not begin or begin in vault.sealing.marks:  # just being written, or sealed
            continue
        if file.suffix == ".part" or hashlib.sha256(file.read_bytes()).hexdigest() == file.name:
            file.unlink(missing_ok=True)

"""Key rotation: a new site key and a new data key, with nothing left of the old ones.

Every step can be repeated, so an interrupted rotation can be resumed. From `begin_thd` on, the new
site key opens everything, and the old one everything not yet rewrapped. After `finish_thd`, the
old site key opens nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, LargeBinary, MetaData, Table, delete, func, or_, select, tuple_
from sqlalchemy.exc import SAWarning
from twisted.logger import Logger

from ..interfaces import NotUnsealed, StoreError, WrongKey
from .audit import RotatingAuditStore
from .databases import Database
from .keys import Keys, Purpose, SiteKey, key_rows, open_keys
from .migrate import head_revision
from .pictures import make_file
from .purge import is_noted, note, purge_thd
from .schema import keys
from .transaction import Transaction
from .vault import HEAD_BYTES, DataKey, Vault

PART = 50
"""Values rewrapped in one transaction."""
Say = Callable[[int, int], object]
"""Called with the number of values done and the total."""
_log = Logger()


def keys_of_thd(database: Database, site: SiteKey) -> Keys:
    """Return the keys of a database of this version.

    Raises `StoreError`, which says what to do, if there are none.
    """
    with database.engine.begin() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        if revision != head_revision():
            raise StoreError(
                "the database is not of this version; stop all daemons that use it, and run "
                "`zkpush database upgrade`"
            )
        found = open_keys(connection, site)
    if found is None:
        raise WrongKey("the keys of this database are missing; restore it from a backup")
    return found


def begin_thd(database: Database, old: SiteKey, new: SiteKey) -> None:
    """Create a new data key, and make the new site key open everything too."""
    with database.engine.begin() as connection:
        found = open_keys(connection, old)
        assert found is not None  # noqa: S101 - see `keys_of_thd`
        if new.name in found.sites:
            return
        # Left by a rotation whose new key was lost before anything was encrypted under it.
        connection.execute(delete(keys).where(keys.c.site != old.name))
        vault = found.vault
        rows = [
            new.wrap(DataKey.make(), Purpose.SEAL),
            new.wrap(vault.sealing, Purpose.RETIRED),
            # Existing rows of the audit log keep their MACs; new rows use a new key.
            new.wrap(DataKey.make(), Purpose.AUDIT),
            new.wrap(vault.audit.chain, Purpose.AUDITED),
            *(new.wrap(key, Purpose.AUDITED) for key in vault.audit.retired),
            *(
                new.wrap(key, purpose)
                for purpose in (Purpose.INDEX, Purpose.NAMING)
                for key in key_rows(connection, old, purpose)
            ),
        ]
        connection.execute(sqlalchemy.insert(keys), rows)


def seal_anew_thd(database: Database, vault: Vault, say: Say) -> int:
    """Rewrap the keys of all values from the retired data key to the new one.

    Returns the number of damaged values, which cannot be opened and are left unchanged.
    """
    with database.engine.connect() as connection:
        counts = {where: _count(connection, *where, vault) for where in _columns(connection)}
        files = [*_files(database.pictures, vault)]
        total = len(files) + sum(counts.values())
    done = damaged = 0
    say(done, total)
    for table, name in [where for where, count in counts.items() if count]:
        for renewed, lost in _seal_column(database, table, name, vault):
            done += renewed + lost
            damaged += lost
            say(done, total)
    for file in files:
        damaged += not _seal_file(database.pictures or Path(), file, vault)
        done += 1
        say(done, total)
    return damaged


def finish_thd(database: Database, vault: Vault, new: SiteKey, now: int) -> None:
    """Remove the retired data key and all site keys but the new one; then purge the database."""
    with database.engine.begin() as connection:
        ended = connection.execute(
            delete(keys).where(
                or_(keys.c.site != new.name, keys.c.purpose == Purpose.RETIRED.value)
            )
        )
        if ended.rowcount:
            note(connection)
            tx = Transaction(database, vault, connection, lambda: now, writes=True)
            audit = tx[RotatingAuditStore]
            audit.add("operator", "rotate key", f"key {new.name}", None, now)
            audit.flush()
        is_to_purge = is_noted(connection)
    if is_to_purge:
        purge_thd(database, vault)


def _columns(connection: Connection) -> Iterator[tuple[Table, str]]:
    """Iterate over all byte columns, including those of plugins."""
    metadata = MetaData()
    with warnings.catch_warnings():  # of indexes that it cannot reflect, which nobody needs here
        warnings.simplefilter("ignore", SAWarning)
        metadata.reflect(connection)
    for table in metadata.sorted_tables:
        if table.name == keys.name:
            continue
        for column in table.columns:
            if isinstance(column.type, LargeBinary):
                yield table, column.name


def _is_retired(column: sqlalchemy.Column[Any], vault: Vault) -> sqlalchemy.ColumnElement[bool]:
    return or_(
        *(func.substr(column, 1, len(mark)) == mark for key in vault.retired for mark in key.marks),
        sqlalchemy.false(),
    )


def _count(connection: Connection, table: Table, name: str, vault: Vault) -> int:
    query = select(func.count()).select_from(table).where(_is_retired(table.c[name], vault))
    return int(connection.execute(query).scalar_one())


def _seal_column(
    database: Database, table: Table, name: str, vault: Vault
) -> Iterator[tuple[int, int]]:
    """Rewrap the values of a column in batches; yield the rewrapped and damaged counts of each."""
    column = table.c[name]
    # In a table without a primary key, the encrypted value itself is unique.
    key = [*table.primary_key.columns] or [column]
    last: list[object] | None = None
    while True:
        query = select(*key, column.label("sealed value")).where(_is_retired(column, vault))
        if last is not None:
            query = query.where(tuple_(*key) > tuple_(*last))
        lost = 0
        with database.engine.begin() as connection:
            rows = connection.execute(query.order_by(*key).limit(PART)).all()
            for row in rows:
                sealed = bytes(row[-1])
                where = [each == value for each, value in zip(key, row, strict=False)]
                try:
                    renewed = vault.renew(sealed[:HEAD_BYTES]) + sealed[HEAD_BYTES:]
                except NotUnsealed as error:
                    lost += 1
                    _log.error(
                        "{table}.{column} of {row} is lost: {error}",
                        table=table.name,
                        column=name,
                        row=list(row[: len(key)]) if key != [column] else None,
                        error=str(error),
                    )
                    continue
                connection.execute(sqlalchemy.update(table).where(*where).values({name: renewed}))
        if not rows:
            return
        last = list(rows[-1][: len(key)])
        yield len(rows) - lost, lost


def _files(folder: Path | None, vault: Vault) -> Iterator[Path]:
    """Iterate over the pictures that are encrypted under a retired key."""
    marks = tuple(mark for key in vault.retired for mark in key.marks)
    for file in sorted(folder.glob("??/*")) if folder is not None else ():
        with file.open("rb") as stream:
            if stream.read(HEAD_BYTES).startswith(marks):
                yield file


def _seal_file(folder: Path, file: Path, vault: Vault) -> bool:
    """Rewrap the key of a picture; return False if it is damaged."""
    sealed = file.read_bytes()
    try:
        renewed = vault.renew(sealed[:HEAD_BYTES]) + sealed[HEAD_BYTES:]
    except NotUnsealed as error:
        _log.error("The picture {file} is lost: {error}", file=str(file), error=str(error))
        return False
    make_file(folder, file, renewed)
    return True

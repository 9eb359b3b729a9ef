"""Collection of unreferenced pictures and of partial files from interrupted writes.

A picture is written before the row that names it is committed. A failed unit of work, or the
deletion of a row, therefore leaves a picture that no row names. A picture is removed only if no row
names it, now or later:

- The check and the removal share a transaction of their own. On SQLite this transaction holds the
  write lock. Pictures are kept only under that lock, so no transaction is between keeping a picture
  and naming it. On PostgreSQL the row of the picture is locked before the check. A transaction that
  keeps the same picture either waits for the row, or holds its lock already; in the second case the
  picture is skipped.
- The check covers all columns declared to name pictures, all text and byte columns of the tables of
  plugins, and the answers of plugins (`INamesPictures`). Nothing is removed while a plugin that has
  ever named pictures is missing.
- Pictures that were kept (again) recently are skipped. The age limit far exceeds the duration of
  any write.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    MetaData,
    String,
    delete,
    inspect,
    select,
)
from sqlalchemy.types import Text

from ..interfaces import INamesPictures, StoreError
from .databases import Database, insert
from .naming import named
from .schema import metadata, picture_plugins, pictures
from .transaction import Transaction

SHARDS = tuple(f"{number:02x}" for number in range(256))
"""First two digits of the keys: one folder of pictures each, and one step of a collection."""
PART = 50
"""Most pictures removed in one transaction, so that uploads do not wait for long."""
_KEY = re.compile(r"[0-9a-f]{64}\Z")
_PARTIAL = re.compile(r"[0-9a-f]{64}\.[0-9]+\.part\Z")


def record_plugins(connection: Connection, names: Iterable[str]) -> None:
    """Record the plugins that name pictures, before they name any."""
    for name in sorted(names):
        statement = insert(connection, picture_plugins).values(name=name)
        connection.execute(statement.on_conflict_do_nothing())


def missing_plugins(connection: Connection, present: Collection[str]) -> list[str]:
    """List the plugins that have named pictures and are not present."""
    names = connection.execute(select(picture_plugins.c.name)).scalars()
    return sorted(set(names) - set(present))


def old_thd(database: Database, connection: Connection, shard: str, before: int) -> Iterator[str]:
    """List the pictures of a shard, and partial files, that were last kept before an instant (ms).

    A picture is listed by its key, a partial file by its file name.
    """
    query = select(pictures.c.digest).where(
        pictures.c.digest >= shard, pictures.c.digest < f"{shard}g", pictures.c.kept_at < before
    )
    rows = [*connection.execute(query).scalars()]
    yield from rows
    if database.pictures is None:
        return
    with suppress(FileNotFoundError), os.scandir(database.pictures / shard) as files:
        for file in files:
            is_ours = _KEY.match(file.name) or _PARTIAL.match(file.name)
            is_old = file.stat(follow_symlinks=False).st_mtime * 1000 < before
            if is_ours and is_old and file.name not in rows:
                yield file.name


def unnamed_thd(
    tx: Transaction, names: Iterable[str], hooks: Sequence[INamesPictures]
) -> list[str]:
    """Return the given pictures and partial files that no row names, as seen by this transaction.

    Raises `TransactionEnded` if a hook ended the transaction, since its locks are then gone.
    """
    asked = [*names]
    keys = {name for name in asked if _KEY.match(name)}
    found = named(tx.connection, keys)
    if keys - found:
        found |= _named_elsewhere(tx.connection, keys - found)
    for hook in hooks:
        if keys - found:
            point = tx.savepoint(hook.name)
            found |= set(hook.pictures_named(tx, frozenset(keys - found)))
            point.release()
    return [name for name in asked if name not in found]


def remove_thd(
    database: Database,
    tx: Transaction,
    names: Sequence[str],
    before: int,
    hooks: Sequence[INamesPictures],
) -> list[str]:
    """Remove the given pictures and partial files that no row names; return the removed ones.

    Use a transaction of its own: removed files do not come back when it is rolled back.
    """
    locked = tx.connection.execute(
        select(pictures.c.digest)
        .where(pictures.c.digest.in_(names), pictures.c.kept_at < before)
        .with_for_update(skip_locked=True)
    ).scalars()
    held = set(locked)
    if database.pictures is None:
        names = [name for name in names if name in held]
    unnamed = unnamed_thd(tx, names, hooks)
    gone = [name for name in unnamed if name in held]
    tx.connection.execute(delete(pictures).where(pictures.c.digest.in_(gone)))
    if database.pictures is not None:
        database.check_pictures()
        for name in unnamed:
            if _remove_file(database.pictures / name[:2] / name, before) and name not in held:
                gone.append(name)
    return gone


def _remove_file(path: Path, before: int) -> bool:
    """Remove a file last kept before an instant (ms); return whether there was one."""
    try:
        if path.stat().st_mtime * 1000 >= before:
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"cannot remove {path}: {error.strerror}") from error
    return True


def parts(names: Iterable[str]) -> Iterator[list[str]]:
    """Split names into the batches that are removed in one transaction each."""
    rest = iter(names)
    while part := [*itertools.islice(rest, PART)]:
        yield part


def _named_elsewhere(connection: Connection, keys: set[str]) -> set[str]:
    """Return the keys that appear in any column of a plugin's table."""
    found: set[str] = set()
    for column in _foreign_columns(connection):
        if isinstance(column.type, LargeBinary):
            forms = {form: key for key in keys for form in (key.encode(), bytes.fromhex(key))}
            rows = connection.execute(select(column).where(column.in_(list(forms))).distinct())
            found.update(forms[bytes(value)] for value in rows.scalars())
        else:
            found |= named(connection, keys, [column])
    return found


def _foreign_columns(connection: Connection) -> Iterator[Column[Any]]:
    """Iterate over the text and byte columns of the tables of all plugins, past and present."""
    foreign = set(inspect(connection).get_table_names()) - set(metadata.tables)
    found = MetaData()
    found.reflect(connection, only=sorted(foreign), resolve_fks=False)
    for table in found.tables.values():
        for column in table.columns:
            if isinstance(column.type, String | Text | LargeBinary):
                yield column

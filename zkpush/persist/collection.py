"""Collecting pictures that nothing names, and what killed writes have left.

A picture is written before the row that names it is committed, so a unit of work that fails leaves
one that nothing names; so does a row that is deleted. What is removed is proved to be named by
nobody, now and later:

- The look and the removal are one transaction of their own. On SQLite it holds the lock of all
  writers, and a picture is only ever kept under that lock: so nobody is between keeping a picture
  and naming it, and what is read is what is committed. On PostgreSQL the row of the picture is
  locked first, and looked up after that; another transaction that keeps the same picture waits
  for the row, or had locked it before, and then the picture is left alone.
- All columns that are declared to name pictures are looked at, all columns of text and bytes of
  tables that are not ours, and what plugins say (`INamesPictures`). While a plugin that has ever
  named pictures is missing, nothing is removed.
- Whatever was kept, even again, within an age far beyond that of any write is left alone.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, MetaData, String, delete, select
from sqlalchemy.types import Text

from ..interfaces import INamesPictures, StoreError
from .databases import Database, insert
from .naming import named
from .schema import metadata, picture_plugins, pictures
from .transaction import Transaction

SHARDS = tuple(f"{number:02x}" for number in range(256))
"""The first digits of keys: the folders of pictures, and parts of one collection."""
PART = 50
"""Most pictures that are removed in one transaction, so that no upload waits for long."""
_KEY = re.compile(r"[0-9a-f]{64}\Z")
_PARTIAL = re.compile(r"[0-9a-f]{64}\.[0-9]+\.part\Z")


def record_plugins(connection: Connection, names: Iterable[str]) -> None:
    """Remember which plugins name pictures, before they name any."""
    for name in sorted(names):
        statement = insert(connection, picture_plugins).values(name=name)
        connection.execute(statement.on_conflict_do_nothing())


def missing_plugins(connection: Connection, present: Collection[str]) -> list[str]:
    """The plugins that have named pictures and are not here."""
    names = connection.execute(select(picture_plugins.c.name)).scalars()
    return sorted(set(names) - set(present))


def old_thd(database: Database, connection: Connection, shard: str, before: int) -> Iterator[str]:
    """All pictures of a shard, and parts of such, that were kept before an instant (ms).

    A part is named as its file is, a picture by its key.
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
    """Those of some pictures and parts that nothing names, as this transaction sees it.

    `TransactionEnded` if a hook has ended it: then nothing holds the locks any more.
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
    """Remove those of some pictures and parts that nothing names; returns which.

    The transaction is to be one of its own: what else is in it may be rolled back, but not this.
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
    """Remove a file that was kept before an instant; whether there was one."""
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
    """Names in parts of what is removed in one transaction."""
    rest = iter(names)
    while part := [*itertools.islice(rest, PART)]:
        yield part


def _named_elsewhere(connection: Connection, keys: set[str]) -> set[str]:
    """Those of some keys that stand in any column of a table that is not ours."""
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
    """Columns of text and of bytes in the tables of plugins, also of those that are gone."""
    found = MetaData()
    found.reflect(connection)
    for table in found.sorted_tables:
        if table.name in metadata.tables:
            continue
        for column in table.columns:
            if isinstance(column.type, String | Text | LargeBinary):
                yield column

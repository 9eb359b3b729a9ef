"""Backup of a SQLite file, made beside it before an upgrade."""

from __future__ import annotations

import contextlib
import datetime
import os
import sqlite3
from pathlib import Path

from ..interfaces import StoreError


def back_up(database: Path, revision: str) -> Path:
    """Copy a database that no process writes to; return the path of the copy, which is on disk.

    The copy is named `….before-<revision>-<UTC time>` and readable only by its owner. Raises
    `StoreError` if it cannot be made; no partial copy remains.
    """
    now = datetime.datetime.now(datetime.UTC)
    copy = database.with_name(f"{database.name}.before-{revision}-{now:%Y%m%dT%H%M%SZ}")
    unfinished = database.with_name(f".{database.name}.unfinished")
    try:
        try:
            _copy(database, unfinished)
            unfinished.rename(copy)
            _sync(copy.parent)
        finally:
            unfinished.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"cannot back up the database to {copy} before its upgrade: {error}"
        ) from error
    return copy


def _copy(database: Path, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL, 0o600))
    with (
        contextlib.closing(sqlite3.connect(database)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    _sync(copy)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

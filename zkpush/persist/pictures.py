"""Pictures in the store, by what they are: the same picture is kept once.

Beside a SQLite file they are files of their own, in a folder; elsewhere they are in the database.
Names that terminals give are never part of a path.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select
from zope.interface import implementer

from ..interfaces import IPictures, StoreError
from .databases import Database
from .schema import pictures


@implementer(IPictures)
class Pictures:
    """The pictures, on one connection."""

    def __init__(self, database: Database, connection: Connection, driver: Any) -> None:
        self._database = database
        self._connection = connection
        self._driver = driver

    def keep(self, content: bytes) -> str:
        """Keep a picture; gives its SHA-256 in hex, by which it is found again."""
        digest = hashlib.sha256(content).hexdigest()
        folder = self._database.pictures
        if folder is None:
            names = ("digest", "content")
            self._database.insert(self._driver, pictures, names, ([digest], [content]))
        else:
            try:
                _write(folder, digest, content)
            except OSError as error:
                raise StoreError(f"cannot keep a picture in {folder}: {error.strerror}") from error
        return digest

    def get(self, digest: str) -> bytes:
        """Find a picture; `LookupError` if it is not here."""
        folder = self._database.pictures
        if folder is not None:
            try:
                return _path(folder, digest).read_bytes()
            except OSError as error:
                raise _unread(folder, digest, error) from error
        return self._found(digest, pictures.c.content)

    def part(self, digest: str, offset: int, length: int) -> bytes:
        """Some of the bytes of a picture, as many as there are; `LookupError` if it is not here."""
        folder = self._database.pictures
        if folder is None:
            return self._found(digest, func.substr(pictures.c.content, offset + 1, length))
        try:
            with open(_path(folder, digest), "rb", buffering=0) as file:
                return os.pread(file.fileno(), length, offset)
        except OSError as error:
            raise _unread(folder, digest, error) from error

    def _found(self, digest: str, what: ColumnElement[Any]) -> bytes:
        query = select(what).where(pictures.c.digest == digest)
        content = self._connection.execute(query).scalar_one_or_none()
        if content is None:
            raise LookupError(f"there is no picture {digest}")
        return bytes(content)


def _unread(folder: Path, digest: str, error: OSError) -> Exception:
    if isinstance(error, FileNotFoundError):
        return LookupError(f"the picture {digest} is not in {folder}")
    return StoreError(f"cannot read {folder}: {error.strerror}")


def _path(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest


def _write(folder: Path, digest: str, content: bytes) -> None:
    """Write a file so that it is whole and on disk, or not there.

    It is there before the row that names it is committed; one that no row names does no harm.
    """
    path = _path(folder, digest)
    if not path.exists():
        _make(folder, path, content)
    # Also where it was there: who made it may have failed, or be at this point just now.
    _sync(path.parent)


def _make(folder: Path, path: Path, content: bytes) -> None:
    for parent in (folder, path.parent):
        if not parent.exists():
            parent.mkdir(mode=0o700, exist_ok=True)
            _sync(parent.parent)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def _sync(folder: Path) -> None:
    """Make what is in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

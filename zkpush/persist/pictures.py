"""Pictures in the store: encrypted, and addressed by content so that each is kept once.

Beside a SQLite file, pictures are files in a folder. Without a folder they are rows of the
database, as are small pictures that arrive in large numbers. Names given by terminals are never
part of a path.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, func, select

from ..interfaces import StoreError
from .databases import Insert
from .schema import pictures
from .sealed import place

if TYPE_CHECKING:
    from .transaction import Transaction

FEW_FILES = 16
"""Most pictures of one upload that are always stored as files."""
SMALL = 4096
"""Largest picture, in bytes, that may be stored as a row although there is a folder."""
_KEPT_AGAIN = "(digest) DO UPDATE SET kept_at = excluded.kept_at"
"""Conflict clause for a picture that exists. On PostgreSQL it locks the row until the commit of the
row that names the picture, which protects it from collection."""


class PictureStore:
    """Pictures, each stored once under the keyed hash of its content."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._database = tx.database
        self._vault = tx.vault
        self._connection = tx.connection

    def keep(self, content: bytes) -> str:
        """Store a picture; return its key, the index in hex."""
        digest = self._vault.index(content).hex()
        folder = self._database.pictures
        if folder is None:
            self._insert({digest: self._vault.seal(content, about(digest))})
        else:
            self._database.check_pictures()
            try:
                write_file(folder, digest, lambda: self._vault.seal(content, about(digest)))
            except OSError as error:
                raise StoreError(f"cannot keep a picture in {folder}: {error.strerror}") from error
        return digest

    def keep_all(self, contents: Sequence[bytes]) -> dict[bytes, str]:
        """Store pictures that arrive together; return the key of each, the index in hex.

        Writing a durable file takes milliseconds, so small pictures become rows if there are many.
        """
        many = len(set(contents)) > FEW_FILES
        kept: dict[bytes, str] = {}
        rows: dict[str, bytes] = {}
        for content in dict.fromkeys(contents):
            if many and len(content) <= SMALL and self._database.pictures is not None:
                kept[content] = digest = self._vault.index(content).hex()
                rows[digest] = self._vault.seal(content, about(digest))
            else:
                kept[content] = self.keep(content)
        if rows:
            self._insert(rows)
        return kept

    def _insert(self, rows: Mapping[str, bytes]) -> None:
        """Store encrypted pictures in the database, by their keys."""
        names = ("digest", "content", "kept_at")
        columns = ([*rows], [*rows.values()], [self._tx.now()] * len(rows))
        self._tx.insert(Insert(pictures, names, columns, _KEPT_AGAIN))

    def get(self, digest: str) -> bytes:
        """Return a picture.

        Raises `LookupError` if it is missing, `NotUnsealed` if it was changed.
        """
        folder = self._folder_of(digest)
        if folder is None:
            (sealed,) = self._found(digest, pictures.c.content)
        else:
            try:
                sealed = path_of(folder, digest).read_bytes()
            except OSError as error:
                raise _unread(folder, digest, error) from error
        return self._vault.open(bytes(sealed), about(digest))

    def part(self, digest: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes of a picture; raises `LookupError` if it is missing."""
        folder = self._folder_of(digest)
        where = about(digest)
        if folder is None:
            (size,) = self._found(digest, func.length(pictures.c.content))

            def read(start: int, count: int) -> bytes:
                part = func.substr(pictures.c.content, start + 1, count)
                return bytes(self._found(digest, part)[0])

            return self._vault.open_part(read, size, where, offset, length)
        try:
            with open(path_of(folder, digest), "rb", buffering=0) as file:
                number = file.fileno()
                return self._vault.open_part(
                    lambda start, count: os.pread(number, count, start),
                    os.fstat(number).st_size,
                    where,
                    offset,
                    length,
                )
        except OSError as error:
            raise _unread(folder, digest, error) from error

    def _folder_of(self, digest: str) -> Path | None:
        """Return the folder where a picture is or should be; None if it is in the database."""
        folder = self._database.pictures
        if folder is None or path_of(folder, digest).exists():
            return folder
        query = select(pictures.c.digest).where(pictures.c.digest == digest)
        return folder if self._connection.execute(query).one_or_none() is None else None

    def _found(self, digest: str, what: ColumnElement[Any]) -> Row[Any]:
        query = select(what).where(pictures.c.digest == digest)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise LookupError(f"there is no picture {digest}")
        return row


def about(digest: str) -> bytes:
    """Associated data of an encrypted picture: its key."""
    return place("pictures", "content", [digest])


def _unread(folder: Path, digest: str, error: OSError) -> Exception:
    if isinstance(error, FileNotFoundError):
        return LookupError(f"the picture {digest} is not in {folder}")
    return StoreError(f"cannot read {folder}: {error.strerror}")


def path_of(folder: Path, digest: str) -> Path:
    """Path of a picture in the folder."""
    return folder / digest[:2] / digest


def write_file(folder: Path, digest: str, seal: Callable[[], bytes]) -> None:
    """Write the result of `seal` as a whole and durably, unless the file exists.

    The file is written before the row that names it is committed; an unnamed file is harmless.
    """
    path = path_of(folder, digest)
    try:
        os.utime(path)  # restarts the age after which it may be collected
    except FileNotFoundError:
        make_file(folder, path, seal())
    # Needed even if the file exists: its writer may have failed, or not have synced yet.
    _sync(path.parent)


def make_file(folder: Path, path: Path, content: bytes) -> None:
    """Write a file in the folder, replacing an existing one."""
    if not path.parent.exists():
        # Never create the folder itself: if it is missing, it was lost or is not mounted.
        make_folder(path.parent)
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


def make_folder(folder: Path) -> None:
    """Create a folder durably, accessible only to its owner; its parent must exist."""
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    """Make the entries of a folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

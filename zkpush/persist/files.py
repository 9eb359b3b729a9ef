"""Files in the store."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Row, delete, select

from ..interfaces import NotUnsealed
from ..model import Page
from ..values.files import StoredFile
from .damage import damaged_in
from .databases import insert
from .paging import part_of
from .pictures import PictureStore
from .schema import files
from .sealed import POINTER, check_pointer, opened, sealed

if TYPE_CHECKING:
    from .transaction import Transaction

_LAST_ID = 2**63 - 1


class FileStore:
    """Files for and from terminals; their content is stored as pictures are."""

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._connection = tx.connection
        self._contents = tx[PictureStore]

    def add(
        self, name: str, content: bytes, origin: str | None, now: int, command: str | None = None
    ) -> StoredFile:
        """Store a file; the name is data and never part of a path.

        A file made for a command is removed when the command ends.
        """
        stored = self._contents.keep(content)
        row = self._connection.execute(
            insert(self._connection, files)
            .values(
                sealed(
                    self._vault,
                    files,
                    {
                        "name": name,
                        "size": len(content),
                        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
                        "content": stored,
                        POINTER: stored,
                        "origin": origin,
                        "created_at": now,
                        "command": command,
                    },
                )
            )
            .returning(*files.columns)
        ).one()
        return self._file(row)

    def get(self, file_id: int) -> StoredFile | None:
        """Find a file."""
        if not 0 < file_id <= _LAST_ID:
            return None
        row = self._connection.execute(select(files).where(files.c.id == file_id)).one_or_none()
        return None if row is None else self._file(row)

    def content(self, file: StoredFile) -> bytes:
        """Return the content of a file.

        Raises `LookupError` if it is missing, `NotUnsealed` if it is damaged.
        """
        return self._contents.get(_sound(file))

    def part(self, file: StoredFile, offset: int, length: int) -> bytes:
        """Return some bytes of a file; the range must lie within its size.

        Raises `LookupError` if the content is missing or cut, `NotUnsealed` if it is damaged.
        """
        content = self._contents.part(_sound(file), offset, length)
        if len(content) != length:
            raise LookupError(f"the file {file.id} is shorter than it was")
        return content

    def page(self, part: Page) -> list[StoredFile]:
        """List files by id, except those made for a command."""
        query = part_of(select(files).where(files.c.command.is_(None)), files.c.id, part)
        return [self._file(row) for row in self._connection.execute(query)]

    def remove(self, file_id: int) -> bool:
        """Delete a file; return False if there is none. Its content stays: others may share it."""
        if self.get(file_id) is None:
            return False
        return self._connection.execute(delete(files).where(files.c.id == file_id)).rowcount == 1

    def _file(self, row: Row[tuple[object, ...]]) -> StoredFile:
        values = opened(self._vault, files, row._mapping)
        check_pointer(self._vault, files, values, "content")
        for name in damaged_in(values):
            values[name] = ""
        return msgspec.convert(values, StoredFile)


def _sound(file: StoredFile) -> str:
    """Return the key of the content; raises `NotUnsealed` if the reference is damaged."""
    if file.damaged:
        raise NotUnsealed(f"the content of file {file.id} is damaged")
    return file.content

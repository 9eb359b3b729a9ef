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
    """Files for terminals, and from them. Their content is stored as pictures are."""

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._connection = tx.connection
        self._contents = tx[PictureStore]

    def add(
        self, name: str, content: bytes, origin: str | None, now: int, command: str | None = None
    ) -> StoredFile:
        """Keep a file. The name is data, and never part of a path.

        One that is made for a command is removed when the command ends.
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
        """What a file holds; `LookupError` if it is not here, `NotUnsealed` if it is damaged."""
        return self._contents.get(_sound(file))

    def part(self, file: StoredFile, offset: int, length: int) -> bytes:
        """Some of what a file holds, within its size.

        `LookupError` if it is not here, or cut; `NotUnsealed` if it is damaged.
        """
        content = self._contents.part(_sound(file), offset, length)
        if len(content) != length:
            raise LookupError(f"the file {file.id} is shorter than it was")
        return content

    def page(self, part: Page) -> list[StoredFile]:
        """List files by id, but for those that were made for a command."""
        query = part_of(select(files).where(files.c.command.is_(None)), files.c.id, part)
        return [self._file(row) for row in self._connection.execute(query)]

    def remove(self, file_id: int) -> bool:
        """Forget a file; False if there is none. What it holds may be that of others, and stays."""
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
    """The key of what a file holds; `NotUnsealed` if that is not what was stored as the file."""
    if file.damaged:
        raise NotUnsealed(f"the content of file {file.id} is damaged")
    return file.content

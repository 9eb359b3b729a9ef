"""Whether the files of an open SQLite database are still the ones at its path.

SQLite keeps writing to a file that was deleted, moved or replaced: what it commits then is lost
with the process. The path is compared with the open file, by device and inode. SQLite does not
notice either that a file is emptied, as long as it finds what it needs in its log and its cache.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import attrs

from ..interfaces import StoreError
from .databases import OutOfReach

Mark = tuple[int, int]
"""Device and inode of a file."""
SMALLEST = 512
"""Bytes of the smallest page of SQLite: a file that is shorter is no database any more."""


class MarkedConnection(sqlite3.Connection):
    """A connection that knows its write-ahead log: it has that open, until it is closed."""

    log_mark: Mark | None = None
    """The log, since the first commit."""


@attrs.define
class OpenFile:
    """The database file and its write-ahead log, as they were when they were opened.

    A file that was moved away and comes back is the same, and service resumes. With another file at
    the path, or after the loss of the log, it does not, until a restart.
    """

    path: Path
    _mark: Mark
    _log_loss: str | None = None
    _has_content: bool = False
    """Whether it has been a database: a new file is empty."""

    @classmethod
    def at(cls, path: Path) -> OpenFile:
        """The file that is about to be opened; `OSError` if there is none."""
        return cls(path, _mark_of(path))

    def check(self) -> None:
        """Raise `OutOfReach` unless the path names the open database; one stat."""
        if self._log_loss is not None:
            raise OutOfReach(self._log_loss)
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise OutOfReach(
                f"the database file {self.path} was removed, moved away or unmounted under the "
                f"daemon ({error.strerror}); nothing is stored until the same file is back"
            ) from error
        if (status.st_dev, status.st_ino) != self._mark:
            raise OutOfReach(
                f"another file is at {self.path}, in the place of the database; nothing is stored "
                "until the right file is back; to use this one, restart the daemon"
            )
        if status.st_size >= SMALLEST:
            self._has_content = True
        elif self._has_content:
            raise OutOfReach(
                f"the database file {self.path} was emptied under the daemon; nothing is stored; "
                "stop the daemon and restore the file from a backup"
            )

    def check_log(self, connection: MarkedConnection) -> None:
        """Raise `OutOfReach` unless the write-ahead log of a connection is the one it began with.

        The connection has written. The log is lost for good if it is another one: then this and
        `check` go on raising.
        """
        log = f"{self.path}-wal"
        try:
            mark: Mark | None = _mark_of(log)
        except OSError:
            mark = None
        if connection.log_mark is None:
            connection.log_mark = mark
        if mark is None or mark != connection.log_mark:
            self._log_loss = (
                f"the write-ahead log {log} was removed or replaced under the daemon; stop the "
                "daemon with SIGTERM, which saves the log into the database, and start it again"
            )
            raise OutOfReach(self._log_loss)


@attrs.frozen
class OpenFolder:
    """A folder of pictures, as it was when the store was started."""

    path: Path
    mark: Mark

    @classmethod
    def at(cls, path: Path) -> OpenFolder:
        """The folder as it is now; `OSError` if there is none."""
        return cls(path, _mark_of(path))

    def check(self) -> None:
        """Raise `StoreError` unless the path names the same folder; one stat."""
        try:
            mark = _mark_of(str(self.path))
        except OSError as error:
            raise StoreError(
                f"the folder of pictures {self.path} was removed, moved away or unmounted under "
                f"the daemon ({error.strerror}); no picture is stored until the same folder is back"
            ) from error
        if mark != self.mark:
            raise StoreError(
                f"another folder is at {self.path}, in the place of the pictures; no picture is "
                "stored until the right folder is back; to use this one, restart the daemon"
            )


def _mark_of(path: str | Path) -> Mark:
    status = os.stat(path)
    return status.st_dev, status.st_ino

"""An open SQLite database: a file or memory; `sqlite` opens it."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
from sqlalchemy import Connection, text
from twisted.logger import Logger

from ..interfaces import StoreError
from ..values.storage import StoragePlace
from .backup import back_up
from .databases import AUDIT_HEAD, IN_USE, ROTATING
from .fileheader import owner_of
from .identity import find_identity
from .naming import is_any_named
from .pictures import make_folder
from .sqlite_transactions import Mark, SQLiteTransactions, mark_of

MIGRATION_SECONDS = 3600
"""How long a starting process waits for another one that migrates the database."""
NEXT_REVISION = (
    "(SELECT coalesce(max(latest), 0) + 1 FROM (SELECT max(revision) AS latest FROM devices "
    "UNION ALL SELECT max(revision) FROM removed_devices))"
)
_NOW_SEEN = """(
    SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS at,
        json_extract(value, '$[2]') AS address
    FROM json_each(?)
) AS seen"""
ELSEWHERE = f"""
SELECT devices.id, devices.last_seen_at, devices.address
FROM {_NOW_SEEN} JOIN devices ON devices.id = seen.id
WHERE devices.address IS NOT seen.address AND devices.last_seen_at IS NOT NULL
"""  # noqa: S608 - a constant
SEEN = f"""
UPDATE devices SET last_seen_at = seen.at, address = seen.address
FROM {_NOW_SEEN}
WHERE devices.id = seen.id AND NOT coalesce(last_seen_at, 0) BETWEEN seen.at AND seen.at + 300000
"""  # noqa: S608 - a constant
_OUTSIDE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY,
    }
)
"""Error codes that do not concern the statement."""
_MOST_FOUND = 20
"""Most kinds of damage listed."""
_log = Logger()


@attrs.frozen
class OpenFolder:
    """A folder of pictures, as it was when the store started."""

    path: Path
    mark: Mark

    @classmethod
    def at(cls, path: Path) -> OpenFolder:
        """Open the folder as it is now; raises `OSError` if there is none."""
        return cls(path, mark_of(path))

    def check(self) -> None:
        """Raise `StoreError` unless the path names the same folder; costs one stat."""
        try:
            mark = mark_of(str(self.path))
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


@attrs.frozen(kw_only=True)
class SQLite(SQLiteTransactions):
    """A SQLite database; writers take turns, also between processes, and do not block readers."""

    path: Path | None = None
    keeper: sqlite3.Connection | None = None
    """Connection that keeps a database in memory alive."""
    folder: list[OpenFolder] = attrs.field(factory=list)
    """The folder of pictures, once prepared."""
    copies: list[Path] = attrs.field(factory=list)
    """Backups made since the database was opened."""

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold a lock on a separate file beside the database, as SQLite locks the database file."""
        if self.path is None:
            yield
            return
        path = self.path.with_name(f"{self.path.name}.lock")
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror}") from error
        try:
            fcntl.flock(handle, (fcntl.LOCK_EX if self.alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise StoreError(IN_USE if self.alone else ROTATING) from error
        try:
            yield
        finally:
            os.close(handle)

    def prepare_thd(self) -> None:
        """Mark the file as this database's, and create the folder of pictures.

        Raises `StoreError` if the folder is missing although the database names pictures.
        """
        if self.pictures is None:
            return
        self._mark_file_thd()
        try:
            if not self.pictures.exists():
                with self.engine.begin() as connection:
                    if is_any_named(connection):
                        raise StoreError(
                            f"the folder of pictures {self.pictures} is missing, and the database "
                            "names pictures: mount it or restore it; to go on without the old "
                            "pictures, make an empty folder there"
                        )
                make_folder(self.pictures)
            self.folder[:] = [OpenFolder.at(self.pictures)]
        except OSError as error:
            raise StoreError(
                f"cannot use the folder of pictures {self.pictures}: {error.strerror}"
            ) from error

    def _mark_file_thd(self) -> None:
        """Write the number of the database into the file header, and count this start."""
        if self.file is None:
            return
        with self.engine.begin() as connection:
            identity = find_identity(connection)
            if identity is None:
                return
            owner = owner_of(identity)
            self.file.use_owner(owner)
            starts = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            connection.exec_driver_sql(f"PRAGMA user_version={starts + 1}")
            connection.exec_driver_sql(f"PRAGMA application_id={owner}")

    def check_pictures(self) -> None:
        """Check that the folder is the one that was prepared."""
        for folder in self.folder:
            folder.check()

    def places(self) -> Sequence[StoragePlace]:
        """List the file, the files that SQLite keeps beside it, and the folder of pictures."""
        if self.path is None:
            return []
        files = [f"{self.path}{what}" for what in ("", "-wal", "-shm")]
        return [
            *(StoragePlace("database", file, is_file=True) for file in files),
            *(StoragePlace("pictures", str(one.path), mark=one.mark) for one in self.folder),
        ]

    def close(self) -> None:
        """Close all connections."""
        super().close()
        if self.keeper is not None:
            self.keeper.close()
        if self.file is not None:
            self.file.close()

    def window(self, connection: Connection) -> tuple[int, int]:
        """Return the next revision twice: writers take turns, so all lower ones are committed."""
        following = int(connection.execute(text(f"SELECT {NEXT_REVISION}")).scalar_one())
        return following, following

    def audit_head(self, driver: Any) -> Sequence[Any]:
        """Read the head of the audit log; the transaction already holds the write lock."""
        head: Sequence[Any] = driver.execute(AUDIT_HEAD).fetchone()
        return head

    def integrity(self, connection: Connection) -> tuple[list[str], tuple[str, ...]]:
        """Check every page and index, then the references between tables."""
        found = connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_FOUND})").scalars().all()
        damage = [str(line) for line in found if line != "ok"]
        loose = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        damage += [
            f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is missing"
            for row in loose[:_MOST_FOUND]
        ]
        return damage, ()

    def _is_outside(self, error: BaseException) -> bool:
        """Whether the disk, the file or a lock is at fault."""
        code = getattr(error, "sqlite_errorcode", None)
        # The low byte of an extended code is the primary code.
        return code is not None and code & 0xFF in _OUTSIDE

    @contextlib.contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Write transaction with a longer lock timeout."""
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute(f"PRAGMA busy_timeout={MIGRATION_SECONDS * 1000}")
            with connection.begin():
                yield connection

    @property
    def needs_backup(self) -> bool:
        """Whether an upgrade must be preceded by a backup that was not made since the opening."""
        return self.path is not None and not self.copies

    @contextlib.contextmanager
    def backed_up(self, revision: str) -> Iterator[None]:
        """Back up the file beside itself, unless that is done."""
        if self.path is None or self.copies:
            yield
            return
        copy = back_up(self.path, revision)
        self.copies.append(copy)
        _log.info("The database is backed up to {copy} before its upgrade", copy=str(copy))
        try:
            yield
        except BaseException:
            self.copies.remove(copy)
            copy.unlink()
            raise

    def vacuum(self) -> None:
        """Rewrite the file, move the write-ahead log into it, and truncate the log."""
        self._execute("VACUUM")
        self._execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def backups(self) -> list[Path]:
        """List the copies that upgrades left beside the file."""
        if self.path is None:
            return []
        return sorted(self.path.parent.glob(f"{glob.escape(self.path.name)}.before-*"))

    def _execute(self, statement: str) -> None:
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute(statement).fetchall()

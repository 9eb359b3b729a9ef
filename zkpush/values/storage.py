"""Where a server keeps its data."""

from __future__ import annotations

import msgspec


class DatabaseClaim(msgspec.Struct, frozen=True):
    """What a data directory knows of its database before the database is opened."""

    directory: str
    """Path of the data directory, for messages."""
    identity: str | None = None
    """Identity of its database; None if not known."""
    where: str = ""
    """Last known location of the database, for messages."""
    has_had_one: bool = False
    """Whether the directory has had a database before."""
    is_new: bool = False
    """Whether the operator requests a new database (`--new`)."""


class StoragePlace(msgspec.Struct, frozen=True):
    """A file or directory that the server writes to."""

    name: str
    """Purpose, in messages and metrics."""
    path: str
    is_file: bool = False
    mark: tuple[int, int] | None = None
    """Device and inode, if the path must stay the same file or directory as at the start."""
    is_temporary: bool = False
    """Whether its files are temporary, so that it may be small."""

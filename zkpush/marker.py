"""`DIR/database.json`: the database that a data directory belongs to."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from .config import ConfigError
from .values.storage import DatabaseClaim

NAME = "database.json"


class Marker(msgspec.Struct, frozen=True):
    """Content of the file."""

    id: str | None = None
    """Identity of the database; None if this directory has not had one yet."""
    where: str = ""
    """Last known location of the database, for messages."""


EMPTY = msgspec.json.encode(Marker()) + b"\n"
"""The marker of a directory that has had no database yet."""


def read_claim(directory: Path, *, new: bool) -> DatabaseClaim:
    """Read what a directory knows of its database, and whether the operator requests a new one.

    A directory without a marker was made by an earlier version, which always created a database on
    its first start. `ConfigError` if the marker cannot be read.
    """
    file = directory / NAME
    try:
        marker = msgspec.json.decode(file.read_bytes(), type=Marker)
    except FileNotFoundError:
        return DatabaseClaim(str(directory), has_had_one=True, is_new=new)
    except OSError as error:
        raise ConfigError([f"data: cannot read {file}: {error.strerror}"]) from error
    except msgspec.DecodeError as error:
        raise ConfigError(
            [f"data: {file} is damaged; remove it to use the database that is there"]
        ) from error
    return DatabaseClaim(
        str(directory), marker.id, marker.where, has_had_one=marker.id is not None, is_new=new
    )


def write_marker(directory: Path, marker: Marker) -> None:
    """Replace the marker; it is synced to disk when this returns."""
    new = directory / f".{NAME}.{secrets.token_hex(8)}"
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(msgspec.json.encode(marker) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(directory / NAME)
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

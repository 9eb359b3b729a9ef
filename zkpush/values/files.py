"""Files for terminals and from terminals."""

from __future__ import annotations

import msgspec


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file for terminals or from a terminal."""

    id: int
    name: str
    size: int
    """Size in bytes."""
    md5: str
    """MD5, in hex."""
    content: str
    """Key of the content in the store."""
    origin: str | None = None
    """The terminal and the command it came from; None if an operator added it."""
    command: str | None = None
    """The command it was made for, with whose end it is removed: a package of people."""
    created_at: int
    damaged: tuple[str, ...] = ()
    """Names of the values that cannot be decrypted; they are empty here."""

"""Files for terminals, and from them."""

from __future__ import annotations

import msgspec


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file for terminals, or from one."""

    id: int
    name: str
    size: int
    """Bytes."""
    md5: str
    """In hex."""
    content: str
    """The key of what it holds, in the store."""
    origin: str | None = None
    """The terminal and the command it came from; None for one that an operator added."""
    command: str | None = None
    """The command that it was made for, and ends with: a package of people."""
    created_at: int
    damaged: tuple[str, ...] = ()
    """The values that do not open: they are empty here."""

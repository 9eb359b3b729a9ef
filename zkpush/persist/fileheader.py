"""Header of a SQLite database file, and magic number of its write-ahead log.

Formats: https://sqlite.org/fileformat2.html, sections 1.3 and 4.1. In WAL mode, only checkpoints
write the header of a database in use.
"""

from __future__ import annotations

import struct

import attrs

HEADER_BYTES = 100
LOG_START_BYTES = 4
OWNER_BITS = 31
"""Bits of `PRAGMA application_id` without the sign."""
_HEADER = struct.Struct(">16s2x2s4xII8xI16xI4xI28x")
_MAGIC = b"SQLite format 3\0"
_WAL_MODE = b"\x02\x02"
_LOG_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")


@attrs.frozen
class Header:
    """Fields of the header that identify the content.

    All counters only grow, except `pages`, which `VACUUM` may reduce while it increments `schema`.
    Copies have lower values: `sqlite3 .backup` and `VACUUM INTO` reset some counters, and every
    start increments `starts`.
    """

    changes: int
    pages: int
    schema: int
    starts: int
    """`PRAGMA user_version`: number of process starts on this database."""
    owner: int
    """`PRAGMA application_id`: see `owner_of`."""

    @classmethod
    def parse(cls, content: bytes) -> Header | None:
        """Parse a header; return None if it is not that of a database in WAL mode."""
        if len(content) < HEADER_BYTES:
            return None
        magic, mode, changes, pages, schema, starts, owner = _HEADER.unpack(content)
        if (magic, mode) != (_MAGIC, _WAL_MODE):
            return None
        return cls(changes, pages, schema, starts, owner)

    def may_follow(self, before: Header, owner: int | None) -> bool:
        """Whether a file with the header `before` may have this header now.

        `owner` is the number that the daemon assigns to the database; None before it does.
        """
        return (
            (owner is None or self.owner in (before.owner, owner))
            and self.starts >= before.starts
            and self.changes >= before.changes
            and (self.schema, self.pages) >= (before.schema, before.pages)
        )


def owner_of(identity: str) -> int:
    """Return the `PRAGMA application_id` for a database identity (hexadecimal); never 0."""
    number: int = int(identity, 16) % (2**OWNER_BITS - 1)
    return number + 1


def is_log(start: bytes) -> bool:
    """Whether a file that starts with these four bytes is a write-ahead log."""
    return start in _LOG_MAGIC

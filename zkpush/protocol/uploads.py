"""Uploads: from a request to what it says, whatever it holds (11).

One body may hold records of several types, each line with its keyword; it may be packed (11.14).
Nothing raises, and nothing is left out: what cannot be read is in the rejects.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import msgspec

from .dialect import Dialect
from .envelope import unreadable_form
from .fields import Acknowledge, Layout, Table
from .lines import LineDecoder, find_keyword
from .packets import Limits, PacketError, PacketTooLarge, members
from .photos import decode_photo
from .records import Batch, Reject, Row, decode
from .requests import Upload
from .tables import ATTLOG, STAMPS
from .text import decode_line

_OF_LINES = frozenset({Layout.COLUMNS, Layout.KEYED})
_DATA_TYPES = {name.lower(): name for name, _, _ in STAMPS}


class Contents(msgspec.Struct):
    """What one upload says."""

    batches: list[Batch]
    """The records, a batch for each table."""
    rejects: list[Reject]
    """All that was not understood, that of the batches too."""
    stamp_of: str | None = None
    """The data type (5) whose stamp came with it."""
    refusal: str | None = None
    """Why it must not be acknowledged, although it is to be kept."""
    bare: bool = False
    """Whether it is acknowledged without a count."""
    stamp: str | None = None
    """The stamp itself, as it was sent."""

    @property
    def count(self) -> int:
        """How many records were understood."""
        return sum([len(batch.rows) for batch in self.batches])

    def rows(self, table: Table) -> list[Row]:
        """The rows of a table, to add to; its batch is begun if there is none yet."""
        for batch in self.batches:
            if batch.table is table:
                return cast(list[Row], batch.rows)
        rows: list[Row] = []
        self.batches.append(Batch(table, rows, [], self.stamp))
        return rows


class UploadDecoder:
    """Reads uploads, of the tables that somebody takes."""

    def __init__(self, tables: Iterable[Table], limits: Limits) -> None:
        self._limits = limits
        self._tables: dict[str, Table] = {}
        self._keywords: dict[str, LineDecoder] = {}
        self._lines: dict[str, LineDecoder] = {}
        for table in tables:
            decoder = LineDecoder(table)
            for name in (table.name, *table.aliases):
                self._tables[name.lower()] = table
                if table is not ATTLOG and table.layout in _OF_LINES:
                    self._lines[name.lower()] = decoder
            if table.keyword is not None:
                for keyword in (table.keyword, *table.aliases):
                    self._keywords[keyword.lower()] = decoder

    def decode(self, upload: Upload, dialect: Dialect) -> Contents:
        """Read an upload. Never raises."""
        own = self._tables.get(upload.table.lower())
        if own is ATTLOG and not upload.packed:  # what terminals send all day
            unreadable = unreadable_form(upload.body)
            if unreadable is not None:
                rejects = [Reject(own.name, unreadable, upload.body)]
                return Contents([], rejects, own.name, stamp=upload.stamp)
            batch = decode(own, upload.body, dialect, upload.stamp)
            return Contents([batch], batch.rejects, own.name, stamp=upload.stamp)
        contents = Contents([], [], _DATA_TYPES.get(upload.table.lower()), stamp=upload.stamp)
        contents.bare = own is not None and own.acknowledge is Acknowledge.BARE
        if upload.packed:
            self._unpack(upload, own, dialect, contents)
        else:
            self._body(upload, upload.body, own, dialect, contents)
        return contents

    def _unpack(
        self, upload: Upload, own: Table | None, dialect: Dialect, contents: Contents
    ) -> None:
        """Read the members of a packet, one at a time; of one that is not sound, nothing."""
        inner = Contents([], [], stamp=upload.stamp)
        try:
            for member in members(upload.body, self._limits):
                self._body(upload, member.data, own, dialect, inner)
        except PacketError as error:
            contents.rejects.append(Reject(upload.table, f"packet: {error}", upload.body))
            contents.refusal = str(error) if isinstance(error, PacketTooLarge) else None
        else:
            contents.batches, contents.rejects = inner.batches, inner.rejects
            contents.bare = contents.bare or inner.bare

    def _body(
        self, upload: Upload, body: bytes, own: Table | None, dialect: Dialect, contents: Contents
    ) -> None:
        """Read a body, or one member of a packet."""
        name = upload.table
        if own is not None and own.layout is Layout.PHOTO:
            try:
                photo = decode_photo(body, dialect.encoding, upload.name)
            except ValueError as error:
                contents.rejects.append(Reject(own.name, str(error), body))
            else:
                contents.rows(own).append((photo,))
        elif own is not None and name.lower() not in self._lines:
            batch = decode(own, body, dialect)
            contents.rows(own).extend(batch.rows)
            contents.rejects += batch.rejects
        elif own is None and name.lower() not in _DATA_TYPES and not self._begins_known(body):
            contents.bare = True
            contents.rejects.append(Reject(name, "no handler takes this table", body))
        else:
            bare = self._lines.get(name.lower())
            for line in body.split(b"\n"):
                line = line.rstrip(b"\r")
                if line.strip(b"\t "):
                    self._line(name, line, bare, dialect, contents)

    def _begins_known(self, body: bytes) -> bool:
        keyword = find_keyword(body)
        return keyword is not None and keyword.lower() in self._keywords

    def _line(
        self,
        name: str,
        line: bytes,
        bare: LineDecoder | None,
        dialect: Dialect,
        contents: Contents,
    ) -> None:
        """Read one line; `bare` reads those that do not begin with a keyword."""
        keyword = find_keyword(line)
        decoder = None if keyword is None else self._keywords.get(keyword.lower())
        rest = line
        if decoder is not None and keyword is not None:
            rest = line[len(keyword) + 1 :]
        elif bare is not None:
            decoder = bare
        else:
            known = "a line begins with its keyword" if keyword is None else _unknown(keyword)
            contents.rejects.append(Reject(name, known, line))
            return
        table = decoder.table
        text, raw = decode_line(rest, "utf-8" if table.utf8 else dialect.encoding)
        try:
            if "\0" in text:
                raise ValueError("a text line cannot hold NUL")
            row = decoder.decode(text, None if raw is None else line)
        except ValueError as error:
            contents.rejects.append(Reject(table.name, str(error), line))
        else:
            contents.rows(table).append(row)


def _unknown(keyword: str) -> str:
    return f"no handler takes lines of {keyword}"

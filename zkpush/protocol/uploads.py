"""Uploads: from a request to what it says, whatever it holds (11).

One body may hold records of several types, each line with its keyword; it may be packed (11.14).
Nothing raises, and nothing is left out: what cannot be read is in the rejects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import msgspec

from .density import DensityGauge
from .dialect import Dialect
from .envelope import unreadable_form
from .exchange import STAMPS
from .fields import Acknowledge, Layout, Row, Table
from .lines import LineDecoder, find_keyword, has_keywords, split_words
from .options import MOST_OPTIONS
from .packets import PacketError, PacketLimits, PacketTooLarge, expansion, members
from .photos import decode_photo
from .records import Batch, decode_rows, split_lines
from .rejects import MOST_REJECTS, Reject, RejectList
from .requests import Upload
from .text import decode_line

_OF_LINES = frozenset({Layout.COLUMNS, Layout.KEYED})
_DATA_TYPES = {name.lower(): name for name, _, _ in STAMPS}
_ROWS = 16
"""Bytes of records for each byte that they are read from, at most about."""
_COPIES = 3
"""Copies of a body that is stored as it is: to read it, to seal it, and to write it."""
_MIXED = "OPERLOG"
"""The name of bodies that hold lines of several tables (11.4)."""


class Contents(msgspec.Struct):
    """What one upload says."""

    batches: list[Batch]
    """The records, a batch for each table."""
    rejects: list[Reject]
    """All that was not understood; see `rejects.RejectList` for how much is kept line by line."""
    stamp_of: str | None = None
    """The data type (5) whose stamp came with it."""
    refusal: str | None = None
    """Why it must not be acknowledged, although it is to be kept."""
    bare: bool = False
    """Whether it is acknowledged without a count."""
    stamp: str | None = None
    """The stamp itself, as it was sent."""
    unread: int = 0
    """How many parts of it were not understood, equal ones counted each time."""

    source: Upload | None = None
    """What was read."""
    extracts: Sequence[tuple[str, Upload]] = ()
    """Parts of it by the names of their tables, for those who read them again."""
    whole: Reject | None = None
    """Where nothing was understood: all of it, in place of its parts in `rejects`."""
    failed: int = 0
    """How many records of the batches could not be stored, and are kept otherwise."""
    deferred: Sequence[tuple[Table, Sequence[bytes]]] = ()
    """Lines of a dense upload that are read in the background; see `density`."""

    @property
    def count(self) -> int:
        """How many records are accepted: without those that could not be stored."""
        stored = sum([len(batch.rows) for batch in self.batches]) - self.failed
        return stored + sum([len(lines) for _, lines in self.deferred])

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

    def __init__(self, tables: Iterable[Table], limits: PacketLimits) -> None:
        self.limits = limits
        self.lines: dict[str, LineDecoder] = {}
        """What reads lines without a keyword, by the name of the upload's table."""
        self._tables: dict[str, Table] = {}
        self._keywords: dict[str, LineDecoder] = {}
        for table in tables:
            decoder = LineDecoder(table)
            for name in (table.name, *table.aliases):
                self._tables[name.lower()] = table
                if table.decode_line is None and table.layout in _OF_LINES:
                    self.lines[name.lower()] = decoder
            if table.keyword is not None:
                for keyword in (table.keyword, *table.aliases):
                    self._keywords[keyword.lower()] = decoder

    def takes(self, table: str) -> bool:
        """Whether a table is one that somebody takes, or a data type (5) of such tables."""
        return table.lower() in self._tables or table.lower() in _DATA_TYPES

    def is_of_lines(self, table: str, body: bytes) -> bool:
        """Whether each line of a body can be read by itself."""
        name = table.lower()
        own = self._tables.get(name)
        if own is None:
            return name in _DATA_TYPES or self.of_keyword(find_keyword(body)) is not None
        return own.layout in _OF_LINES and unreadable_form(body) is None

    def decode(
        self,
        upload: Upload,
        dialect: Dialect,
        most_rejects: int = MOST_REJECTS,
        *,
        is_of_lines: bool = False,
        may_be_dense: bool = False,
    ) -> Contents:
        """Read an upload. Never raises.

        No more than `most_rejects` are kept line by line. `is_of_lines` is for a part of a longer
        upload that is. With `may_be_dense` nothing is deferred: records are read however short and
        many they are.
        """
        own = self._tables.get(upload.table.lower())
        if own is not None and own.decode_body is not None and not upload.packed:
            rows = own.decode_body(upload.body, dialect)  # what terminals send all day
            if rows is not None:
                batch = Batch(own, rows, [], upload.stamp)
                return Contents([batch], [], own.name, stamp=upload.kept_stamp, source=upload)
            unreadable = unreadable_form(upload.body)
            if unreadable is not None:
                whole = Reject(own.name, unreadable, upload.body)
                return Contents(
                    [],
                    [whole],
                    own.name,
                    stamp=upload.kept_stamp,
                    unread=1,
                    source=upload,
                    whole=whole,
                )
        gauge = None if may_be_dense else DensityGauge()
        reading = _Reading(self, upload, own, dialect, most_rejects, is_of_lines, gauge)
        return reading.packet() if upload.packed else reading.plain()

    def memory(self, upload: Upload, part: int) -> int:
        """About how many bytes it takes, beside the body, to read an upload in such parts."""
        rows = _ROWS * part
        if upload.packed:
            return rows + 2 * expansion(upload.body, self.limits)
        is_cut = self.is_of_lines(upload.table, upload.body)
        return rows if is_cut else _COPIES * len(upload.body)

    def of_keyword(self, keyword: str | None) -> LineDecoder | None:
        """What reads lines that begin with a keyword; None if no table has it."""
        return None if keyword is None else self._keywords.get(keyword.lower())


class _Reading:
    """One upload while it is read."""

    def __init__(
        self,
        decoder: UploadDecoder,
        upload: Upload,
        own: Table | None,
        dialect: Dialect,
        most_rejects: int,
        is_of_lines: bool,
        gauge: DensityGauge | None,
    ) -> None:
        self._is_of_lines = is_of_lines
        self._gauge = gauge
        self._decoder = decoder
        self._upload = upload
        self._own = own
        self._dialect = dialect
        self._rejects = RejectList(most_rejects)
        self._is_mixed = False
        self._contents = Contents(
            [],
            [],
            _DATA_TYPES.get(upload.table.lower()),
            stamp=upload.kept_stamp,
            source=upload,
            bare=own is not None and own.acknowledge is Acknowledge.BARE,
        )

    def plain(self) -> Contents:
        """Read the body."""
        self._read(self._upload.body)
        return self._finished()

    def packet(self) -> Contents:
        """Read the members of a packet, one at a time; of one that is not sound, nothing."""
        upload, contents = self._upload, self._contents
        try:
            for member in members(upload.body, self._decoder.limits):
                self._read(member.data)
        except PacketError as error:
            contents.batches, contents.unread = [], 1
            contents.whole = Reject(upload.table, f"packet: {error}", upload.body, packed=True)
            contents.rejects = [contents.whole]
            contents.refusal = str(error) if isinstance(error, PacketTooLarge) else None
            return contents
        return self._finished()

    def _finished(self) -> Contents:
        if self._gauge is not None:
            self._contents.deferred = [*self._gauge.deferred()]
        # What is kept whole holds lines of all tables that are in it.
        table = _MIXED if self._is_mixed else self._name
        form = "packet" if self._upload.packed else "body"
        self._contents.rejects = self._rejects.of_body(table, self._upload.body, form)
        self._contents.unread = self._rejects.count
        understands = any(batch.rows for batch in self._contents.batches)
        is_dense = bool(self._contents.deferred)
        if not (understands or self._is_of_lines or is_dense) and self._contents.rejects:
            self._contents.whole = self._whole(table)
        return self._contents

    def _whole(self, table: str) -> Reject:
        """A body of which nothing is understood, as it came; one line without its end."""
        upload = self._upload
        first, count = self._contents.rejects[0], self._rejects.count
        if len(self._contents.rejects) == 1 and first.raw == upload.body.removesuffix(b"\n"):
            return first
        reason = first.reason if count == 1 else f"{self._rejects.reason} ({count} times)"
        return Reject(table, reason, upload.body, packed=upload.packed, name=upload.name)

    @property
    def _name(self) -> str:
        return self._upload.table if self._own is None else self._own.name

    def _read(self, body: bytes) -> None:
        """Read a body, or one member of a packet."""
        own, contents, name = self._own, self._contents, self._upload.table
        if own is not None and own.layout is Layout.PHOTO:
            try:
                photo = decode_photo(body, self._dialect.encoding, self._upload.name)
            except ValueError as error:
                self._rejects.add(own.name, str(error), body)
            else:
                contents.rows(own).append((photo,))
        elif own is not None and name.lower() not in self._decoder.lines:
            rows = contents.rows(own)
            room = MOST_OPTIONS - len(rows)
            rows.extend(decode_rows(own, body, self._dialect, self._rejects, self._gauge, room))
        elif own is None and not self._is_known(body):
            contents.bare = True
            self._rejects.add(name, "no handler takes this table", body)
        else:
            bare = self._decoder.lines.get(name.lower())
            lines = split_lines(body)
            for line in lines:
                if self._rejects.repeats(line):
                    continue
                if bare is not None and self._gauge is not None and self._gauge.has(bare.table):
                    self._dense(self._gauge, bare, [line, *lines])
                elif self._rejects.is_full and (bare is None or bare.table.layout is Layout.KEYED):
                    self._damaged(bare, [line, *lines])
                else:
                    self._line(line, bare)

    def _dense(self, gauge: DensityGauge, bare: LineDecoder, lines: list[bytes]) -> None:
        """Read lines of an upload of whose table some are deferred: nearly all are, too."""
        if has_keywords(lines):
            for line in lines:
                self._line(line, bare)
        else:
            gauge.defer(bare.table, lines)

    def _damaged(self, bare: LineDecoder | None, lines: list[bytes]) -> None:
        """Read lines of an upload that has many rejects: a single word is one more."""
        words, others = split_words(lines, is_keyed=bare is not None)
        self._rejects.count_unread(words)
        for line in others:
            if not self._rejects.repeats(line):
                self._line(line, bare)

    def _is_known(self, body: bytes) -> bool:
        return self._is_of_lines or self._decoder.is_of_lines(self._upload.table, body)

    def _line(self, line: bytes, bare: LineDecoder | None) -> None:
        """Read one line; `bare` reads those that do not begin with a keyword."""
        keyword = find_keyword(line)
        decoder = None if keyword is None else self._decoder.of_keyword(keyword)
        rest = line
        if decoder is not None and keyword is not None:
            rest = line[len(keyword) + 1 :]
            self._is_mixed = self._is_mixed or decoder is not bare
        elif bare is not None:
            decoder = bare
        elif self._rejects.is_full:
            self._rejects.count_unread([line])
            return
        else:
            known = "a line begins with its keyword" if keyword is None else _unknown(keyword)
            self._rejects.add(self._name, known, line)
            return
        table = decoder.table
        if table.layout is Layout.KEYED and b"=" not in rest:
            self._rejects.add(table.name, "there is no Key=Value in this line", line)
            return
        gauge = self._gauge if table.least_bytes else None
        if gauge is not None and gauge.defers(table, line, len(rest)):
            return
        text, raw = decode_line(rest, "utf-8" if table.utf8 else self._dialect.encoding)
        try:
            if "\0" in text:
                raise ValueError("a text line cannot hold NUL")
            row = decoder.decode(text, None if raw is None else line)
        except ValueError as error:
            self._rejects.add(table.name, str(error), line)
        else:
            self._contents.rows(table).append(row)


def _unknown(keyword: str) -> str:
    return f"no handler takes lines of {keyword}"

"""Upload decoding (spec 11): from a request body to records and rejects.

One body may mix records of several types, each line with its keyword, and may be packed (spec
11.14). Decoding never raises and drops nothing: unreadable parts become rejects.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import cast

import msgspec

from .density import TOO_MANY, DensityGauge
from .dialect import Dialect
from .envelope import unreadable_form
from .exchange import STAMPS
from .fields import Acknowledge, Layout, Row, Table
from .lines import LineDecoder, find_keyword
from .options import MOST_OPTIONS
from .packets import PacketError, PacketLimits, PacketTooLarge, expansion, gathered, members
from .photos import decode_photo
from .reasons import NO_HANDLER, NO_KEYWORD, NO_PAIRS, OF_ACCESS_CONTROL
from .records import Batch, decode_rows, lines_of, pieces
from .rejects import MOST_REJECTS, Reject, RejectList
from .requests import ACCESS_CONTROL_TABLES, Upload
from .text import decode_line

_OF_LINES = frozenset({Layout.COLUMNS, Layout.KEYED})
_DATA_TYPES = {name.lower(): name for name, _, _ in STAMPS}
_ROWS = 16
"""Approximate maximum bytes of decoded records per byte of input."""
_COPIES = 3
"""Copies of a body that is stored whole: decoded, encrypted, and written."""
_GATHERED = 64 * 1024
"""Bytes of short members of a packet that are read together."""
_MIXED = "OPERLOG"
"""Name of bodies that mix lines of several tables (spec 11.4)."""


class Contents(msgspec.Struct):
    """The decoded contents of one upload."""

    batches: list[Batch]
    """The records, one batch for each table."""
    rejects: list[Reject]
    """The parts that were not understood; see `rejects.RejectList` for how many are kept line by
    line."""
    stamp_of: str | None = None
    """The data type (spec 5) of the stamp."""
    refusal: str | None = None
    """The reason not to acknowledge the upload, although it is stored."""
    bare: bool = False
    """Whether the acknowledgement has no count."""
    stamp: str | None = None
    """The stamp as it was sent."""
    unread: int = 0
    """Number of parts that were not understood, counting repeated ones each time."""
    source: Upload | None = None
    """The decoded upload."""
    extracts: Sequence[tuple[str, Upload]] = ()
    """Parts of the upload, with their table names, to be decoded again later."""
    whole: Reject | None = None
    """The whole upload if nothing was understood, in place of its parts in `rejects`."""
    failed: int = 0
    """Number of records that could not be stored and are kept in another form."""
    deferred: Sequence[tuple[Table, Sequence[bytes]]] = ()
    """Lines of a dense upload that are read in the background; see `density`."""
    is_dense: bool = False
    """Whether some lines were not decoded because there are too many short ones."""
    lines: dict[str, list[bytes]] = {}
    """The lines of `batches`, by table name; only of tables whose lines may be deferred."""
    is_kept: bool = False
    """Whether one of `rejects` is the whole upload, because of damaged parts."""
    shown_encoding: str | None = None
    """The encoding of some text, if it is not the one of texts for the terminal."""
    behind: Collection[str] = ()
    """The tables whose records are only counted: their lines follow others that are pending."""

    @property
    def count(self) -> int:
        """Number of accepted records, without the ones that could not be stored."""
        stored = sum([len(batch.rows) for batch in self.batches]) - self.failed
        if self.deferred:
            stored += sum([len(lines) for _, lines in self.deferred])
        return stored

    def rows(self, table: Table) -> list[Row]:
        """The rows of a table, to append to; starts its batch if there is none."""
        for batch in self.batches:
            if batch.table is table:
                return cast(list[Row], batch.rows)
        rows: list[Row] = []
        self.batches.append(Batch(table, rows, [], self.stamp))
        return rows


class UploadDecoder:
    """Decodes uploads of the tables that handlers take."""

    def __init__(self, tables: Iterable[Table], limits: PacketLimits) -> None:
        self.limits = limits
        self.lines: dict[str, LineDecoder] = {}
        """Decoders of lines without a keyword, by the name of the upload's table."""
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
        known = "|".join(re.escape(keyword) for keyword in self._keywords) or "(?!)"
        self._keyword = re.compile(f"^({known})[ \t]".encode(), re.IGNORECASE | re.MULTILINE)
        """Matches at the known keyword of a line."""

    def takes(self, table: str) -> bool:
        """Whether a handler takes the table, or it is a data type (spec 5) of such tables."""
        return table.lower() in self._tables or table.lower() in _DATA_TYPES

    def is_of_lines(self, table: str, body: bytes) -> bool:
        """Whether each line of a body can be decoded independently."""
        name = table.lower()
        own = self._tables.get(name)
        if own is None:
            if name in ACCESS_CONTROL_TABLES:
                return False
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
        """Decode an upload. Never raises.

        At most `most_rejects` rejects are kept line by line. `is_of_lines` marks a part of a longer
        upload of independent lines. With `may_be_dense`, nothing is deferred: all records are
        decoded, however short and numerous.
        """
        own = self._tables.get(upload.table.lower())
        if own is not None and own.decode_body is not None and not upload.packed:
            rows = own.decode_body(upload.body, dialect)  # the everyday case
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
        """Approximate bytes needed, beside the body, to decode an upload in parts of this size."""
        rows = _ROWS * part
        if upload.packed:
            return rows + 2 * expansion(upload.body, self.limits)
        is_cut = self.is_of_lines(upload.table, upload.body)
        return rows if is_cut else _COPIES * len(upload.body)

    def by_table(
        self, lines: Sequence[bytes], bare: LineDecoder | None
    ) -> Iterable[tuple[LineDecoder | None, Sequence[bytes]]]:
        """Group lines by their decoder, in order; `bare` is the one of lines without a keyword."""
        if self._keyword.search(b"\n".join(lines)) is None:  # one search costs less than thousands
            return [(bare, lines)]
        keyword = self._keyword.match
        found = [keyword(line) for line in lines]
        own: list[bytes] = []
        groups = {bare: own}
        for line, word in zip(lines, found, strict=True):
            decoder = bare if word is None else self._keywords[word[1].decode().lower()]
            (own if decoder is bare else groups.setdefault(decoder, [])).append(line)
        return groups.items()

    def of_keyword(self, keyword: str | None) -> LineDecoder | None:
        """The decoder of lines that begin with a keyword; None if no table has it."""
        return None if keyword is None else self._keywords.get(keyword.lower())


class _Reading:
    """State of decoding one upload."""

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
        """Decode the body."""
        self._read(self._upload.body)
        return self._finished()

    def packet(self) -> Contents:
        """Decode the members of a packet, one at a time; nothing of an invalid packet is kept."""
        upload, contents = self._upload, self._contents
        try:
            found = members(upload.body, self._decoder.limits)
            if self._has_lines:  # short members would each take as long as a piece
                bodies = gathered(found, _GATHERED)
            else:
                bodies = (member.data for member in found)
            for body in bodies:
                self._read(body)
        except PacketError as error:
            contents.batches, contents.unread = [], 1
            contents.whole = Reject(upload.table, f"packet: {error}", upload.body, packed=True)
            contents.rejects = [contents.whole]
            contents.refusal = str(error) if isinstance(error, PacketTooLarge) else None
            return contents
        return self._finished()

    def _finished(self) -> Contents:
        contents = self._contents
        dense = [] if self._gauge is None else [*self._gauge.deferred()]
        placed = [self._take_all(table, lines) for table, lines in dense if table.is_placed]
        contents.deferred = [one for one in dense if not one[0].is_placed]
        contents.is_dense, is_deferred = bool(dense), bool(contents.deferred)
        # A reject of the whole body covers all tables in it.
        name = _MIXED if self._is_mixed else self._name
        form = "packet" if self._upload.packed else "body"
        contents.rejects = self._rejects.of_body(
            name, self._upload.body, form, is_deferred=is_deferred
        )
        contents.is_kept = self._rejects.keeps_body(is_deferred)
        contents.unread = self._rejects.count
        understands = any(batch.rows for batch in contents.batches)
        if not (understands or self._is_of_lines or dense) and contents.rejects:
            contents.whole = self._whole(name)
        for table, lines in placed:
            contents.unread += len(lines)
            contents.rejects.append(Reject(table.name, TOO_MANY, b"\n".join(lines)))
        return contents

    def _take_all(self, table: Table, lines: Sequence[bytes]) -> tuple[Table, Sequence[bytes]]:
        """Take the records of a table out of the contents; returns their lines and further ones."""
        contents = self._contents
        contents.batches = [batch for batch in contents.batches if batch.table is not table]
        return table, [*contents.lines.pop(table.name, ()), *lines]

    def _whole(self, table: str) -> Reject:
        """A body of which nothing was understood, unchanged; a single line without its line end."""
        upload = self._upload
        first = self._contents.rejects[0]
        if len(self._contents.rejects) == 1 and first.raw == upload.body.removesuffix(b"\n"):
            return first
        reason = self._rejects.faults.reason or first.reason
        return Reject(table, reason, upload.body, packed=upload.packed, name=upload.name)

    @property
    def _has_lines(self) -> bool:
        """Whether the upload, by its table, consists of lines that are decoded one by one."""
        name = self._upload.table.lower()
        return name in self._decoder.lines or (self._own is None and name in _DATA_TYPES)

    @property
    def _name(self) -> str:
        return self._upload.table if self._own is None else self._own.name

    def _read(self, body: bytes) -> None:
        """Decode a body or one member of a packet."""
        own, contents, name = self._own, self._contents, self._upload.table
        if own is not None and own.layout is Layout.PHOTO:
            try:
                encoding = self._dialect.encoding_of(body.partition(b"\0")[0])
                photo = decode_photo(body, encoding, self._upload.name)
            except ValueError as error:
                self._rejects.add(own.name, str(error), body)
            else:
                contents.rows(own).append((photo,))
        elif own is not None and name.lower() not in self._decoder.lines:
            rows = contents.rows(own)
            room = MOST_OPTIONS - len(rows)
            rows.extend(decode_rows(own, body, self._dialect, self._rejects, self._gauge, room))
        elif own is None and name.lower() in ACCESS_CONTROL_TABLES:
            # Its lines look like some of this protocol and mean something else.
            contents.bare = True
            self._rejects.add(name, OF_ACCESS_CONTROL, body)
        elif own is None and not self._is_known(body):
            contents.bare = True
            self._rejects.add(name, NO_HANDLER, body)
        else:
            self._lines(body, self._decoder.lines.get(name.lower()))

    def _lines(self, body: bytes, bare: LineDecoder | None) -> None:
        """Decode lines; `bare` decodes those without a keyword."""
        rejects, gauge = self._rejects, self._gauge
        for piece in pieces(body):
            lines = rejects.unrepeated(lines_of(piece))
            if rejects.is_full or (gauge is not None and gauge.is_dense):
                lines = self._set_aside(lines, bare)
            for line in lines:
                if not rejects.repeats(line):
                    self._line(line, bare)

    def _set_aside(self, lines: Sequence[bytes], bare: LineDecoder | None) -> Sequence[bytes]:
        """Defer the lines of dense tables, and only count damaged ones if the list of rejects is
        full; returns the lines to decode, table by table."""
        left: list[bytes] = []
        rejects, gauge = self._rejects, self._gauge
        for decoder, own in self._decoder.by_table(lines, bare):
            self._is_mixed = self._is_mixed or decoder not in (None, bare)
            promising = own
            if rejects.is_full:
                promising = [] if decoder is None else decoder.promising(own)
                rejects.count_unread(len(own) - len(promising))
            if decoder is not None and gauge is not None and gauge.has(decoder.table):
                gauge.defer(decoder.table, promising)
            else:
                left += promising
        return left

    def _is_known(self, body: bytes) -> bool:
        return self._is_of_lines or self._decoder.is_of_lines(self._upload.table, body)

    def _line(self, line: bytes, bare: LineDecoder | None) -> None:
        """Decode one line; `bare` decodes lines that do not begin with a keyword."""
        keyword = find_keyword(line)
        decoder = None if keyword is None else self._decoder.of_keyword(keyword)
        rest = line
        if decoder is not None and keyword is not None:
            rest = line[len(keyword) + 1 :]
            self._is_mixed = self._is_mixed or decoder is not bare
        elif bare is not None:
            decoder = bare
        else:
            known = NO_KEYWORD if keyword is None else _unknown(keyword)
            self._rejects.add(self._name, known, line)
            return
        table = decoder.table
        if table.layout is Layout.KEYED and b"=" not in rest:
            self._rejects.add(table.name, NO_PAIRS, line)
            return
        gauge = self._gauge if table.least_bytes else None
        if gauge is not None and gauge.defers(table, len(rest)):
            gauge.defer(table, [line])
            return
        encoding = "utf-8" if table.utf8 else self._dialect.encoding_of(rest)
        if encoding != self._dialect.encoding and not table.utf8:
            self._contents.shown_encoding = encoding
        text, raw = decode_line(rest, encoding)
        try:
            if "\0" in text:
                raise ValueError("a text line cannot hold NUL")
            row = decoder.decode(text, None if raw is None else line)
        except ValueError as error:
            self._rejects.add(table.name, str(error), line)
        else:
            if gauge is not None and table.is_placed and gauge.defers_row(table, row, len(rest)):
                gauge.defer(table, [line])
                return
            self._contents.rows(table).append(row)
            if gauge is not None:
                self._contents.lines.setdefault(table.name, []).append(line)


def _unknown(keyword: str) -> str:
    return f"no handler takes lines of {keyword}"

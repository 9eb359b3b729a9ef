"""Extracts: the lines of one table in an upload, as the bytes that were received.

Data that a plugin or a background task decodes later, or that a plugin failed to store, is kept
unchanged, so that any version of the plugin can decode it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from .fields import Layout, Table
from .lines import find_keyword
from .packets import PacketError, PacketLimits, members
from .requests import Upload

MOST_LINES = 100
"""Maximum number of lines in an extract; a long upload has several extracts of one table."""
_OF_LINES = frozenset({Layout.COLUMNS, Layout.KEYED})


class Extractor:
    """Splits uploads by the tables of their lines."""

    def __init__(self, tables: Iterable[Table], limits: PacketLimits) -> None:
        self._limits = limits
        self._tables: dict[str, Table] = {}
        self._keywords: dict[str, Table] = {}
        for table in tables:
            for name in (table.name, *table.aliases):
                self._tables[name.lower()] = table
            if table.keyword is not None:
                for keyword in (table.keyword, *table.aliases):
                    self._keywords[keyword.lower()] = table

    def extracts(
        self, upload: Upload, wanted: Collection[str], without: Collection[bytes] = ()
    ) -> Iterator[tuple[str, Upload]]:
        """The extracts of the named tables, each as an upload.

        Lines in `without` are omitted: they are kept as rejects.
        """
        for body in self._bodies(upload):
            own = self._tables.get(upload.table.lower())
            if own is not None and own.layout not in _OF_LINES:
                if own.name in wanted and body not in without:
                    yield own.name, _part(upload, body)
                continue
            lines: dict[str, list[bytes]] = {}
            for line in body.split(b"\n"):
                line = line.rstrip(b"\r")
                table = self._table_of(line, own)
                if table is not None and table.name in wanted and line not in without:
                    lines.setdefault(table.name, []).append(line)
            for name, found in lines.items():
                for part in parts_of(upload, found):
                    yield name, part

    def _bodies(self, upload: Upload) -> Iterator[bytes]:
        if not upload.packed:
            yield upload.body
            return
        try:
            yield from [member.data for member in members(upload.body, self._limits)]
        except PacketError:
            return  # the whole packet is a reject

    def _table_of(self, line: bytes, own: Table | None) -> Table | None:
        if not line.strip(b"\t "):
            return None
        keyword = find_keyword(line)
        table = None if keyword is None else self._keywords.get(keyword.lower())
        return own if table is None else table


def parts_of(upload: Upload, lines: Sequence[bytes], *, is_kept: bool = False) -> Iterator[Upload]:
    """Lines of an upload as separate uploads; see `Upload.is_kept`."""
    for start in range(0, len(lines), MOST_LINES):
        yield _part(upload, b"\n".join(lines[start : start + MOST_LINES]), is_kept)


def _part(upload: Upload, body: bytes, is_kept: bool = False) -> Upload:
    return msgspec.structs.replace(upload, body=body, packed=False, is_kept=is_kept)

"""Exports of lists of the console, as CSV and as XLSX, with the same columns and words."""

from __future__ import annotations

import codecs
import datetime
import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import attrs
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.web.server import Request

from ...http.sending import Interrupted, Sending
from ..cells import csv_lines, safe_cell
from ..lists import CSV, send_parts
from ..routes import Stream
from .phrases import Phrase
from .sheets import XLSX, Cell, SheetColumn, TableSheet
from .visits import Visit

NOTES = Phrase("Notes")
"""Name of the sheet with the notes of a workbook."""
_NOT_IN_FILE_NAMES = re.compile(r"[^\w-]+")


class TableRows(Protocol):
    """The rows of a table, which are read while they are sent."""

    is_over: bool

    async def next(self) -> Sequence[Sequence[Cell]]:
        """Read the next rows."""
        ...


@attrs.frozen
class TableLanguage:
    """How the texts of a table are written."""

    said: Callable[[str], str] = str
    """Translates headings and words; English unless given."""
    has_decimal_commas: bool = False

    @classmethod
    def of(cls, visit: Visit) -> TableLanguage:
        """Return the language of a visit."""
        return cls(visit.said, visit.language.has_decimal_commas)


@attrs.frozen
class ExportedTable:
    """A table to be sent once."""

    title: str
    columns: Sequence[SheetColumn]
    rows: TableRows
    said: Callable[[str], str]
    """Translates headings and words."""
    has_decimal_commas: bool = False
    """Whether the language writes decimal commas, so that semicolons separate the cells of CSV, as
    spreadsheet programs of that language expect them."""
    notes: Sequence[Phrase] = ()
    """What is to be known about the table. In a workbook they are a sheet of their own, so that
    they are never sorted or added up; CSV has none, because programs read each line as a row."""


def file_name(kind: str, *parts: str | None) -> str:
    """Return the name of an exported file, such as `Attendance-North-2026-03-01.csv`.

    `parts` say what is in it, in the language of the visit; those without text are left out.
    """
    given = (_NOT_IN_FILE_NAMES.sub("_", part) for part in parts if part)
    return f"{'-'.join(given)}.{kind}"


def line_stream(table: ExportedTable) -> Stream:
    """Return a CSV reply with a table; it has no limit.

    Spreadsheet programs recognise UTF-8 by its byte order mark.
    """
    names = [table.said(one.heading) for one in table.columns]
    heading = codecs.BOM_UTF8 + csv_lines([names], _separator(table))
    begin = functools.partial(send_parts, _TableLines(table), heading)
    return Stream(f"{CSV}; charset=utf-8", begin)


class _TableLines:
    """The CSV lines of a table."""

    def __init__(self, table: ExportedTable) -> None:
        self._table = table
        self.is_over = False

    async def next(self) -> bytes:
        """Read the next rows; return their lines."""
        rows = self._table.rows
        found = await rows.next()
        self.is_over = rows.is_over
        lines = [[self._text(cell) for cell in row] for row in found]
        return csv_lines(lines, _separator(self._table))

    def _text(self, cell: Cell) -> object:
        if isinstance(cell, Phrase):
            return safe_cell(self._table.said(cell))
        if isinstance(cell, datetime.timedelta):
            minutes, seconds = divmod(int(cell.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        if isinstance(cell, float) and self._table.has_decimal_commas:
            return str(cell).replace(".", ",")
        return safe_cell(cell)


def _separator(table: ExportedTable) -> str:
    return ";" if table.has_decimal_commas else ","


class SheetExport:
    """Makes workbooks on threads, one at a time, and sends them."""

    _log = Logger()

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._lock = DeferredLock()

    def stream(self, *tables: ExportedTable) -> Stream:
        """Return a reply with tables, each on a sheet."""
        return Stream(XLSX, functools.partial(self._begin, tables))

    def _begin(self, tables: Sequence[ExportedTable], request: Request) -> Callable[[], None]:
        """Start to make and send a workbook; the returned function aborts that."""
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)

        async def run() -> None:
            async with self._lock:
                if not gone:
                    await self._make_and_send(tables, request, gone)

        def failed(failure: Any) -> None:
            if failure.check(Interrupted) is None:
                self._log.failure("A workbook was not sent", failure)
            if not gone and request.channel is not None:
                request.channel.forceAbortClient()

        Deferred.fromCoroutine(run()).addErrback(failed)
        return lambda: gone.append(None)

    async def _make_and_send(
        self, tables: Sequence[ExportedTable], request: Request, gone: list[object]
    ) -> None:
        first = tables[0]
        sheet = await self._on_thread(TableSheet, first.title, first.columns, first.said)
        try:
            for table in tables:
                if table is not first:
                    await self._on_thread(sheet.begin, table.title, table.columns)
                while not gone and not table.rows.is_over:
                    await self._on_thread(sheet.add, await table.rows.next())
                await self._on_thread(sheet.end)
            if notes := [*dict.fromkeys(note for table in tables for note in table.notes)]:
                await self._on_thread(sheet.begin, first.said(NOTES), [SheetColumn(NOTES, 80)])
                await self._on_thread(sheet.add, [[note] for note in notes])
            size = await self._on_thread(sheet.close)
            if gone:
                return
            request.setHeader("Content-Length", str(size))
            sending = Sending(functools.partial(self._on_thread, sheet.read), request)
            request.notifyFinish().addErrback(lambda _: sending.stopProducing())
            await sending.run(0, size)
            request.finish()
        finally:
            await self._on_thread(sheet.remove)

    async def _on_thread(self, function: Callable[..., Any], *arguments: object) -> Any:
        pool = self._reactor.getThreadPool()
        return await deferToThreadPool(self._reactor, pool, function, *arguments)

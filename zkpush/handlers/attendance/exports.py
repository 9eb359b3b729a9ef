"""Exports of the console: attendance as it shows it, as CSV and as XLSX."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.web.server import Request

from ...http.sending import Interrupted, Sending
from ...interfaces import IStore
from ...manage.cells import csv_lines, safe_cell
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.lists import CSV, send_parts
from ...manage.routes import Stream
from ...persist.transaction import Transaction
from .chronology import ChronologicalPunches, TimePlace
from .model import PunchFilter
from .sheets import COLUMNS, XLSX, PunchSheet, cells_of
from .showing import ShownPunch, shown_punches

SLICE = 1000
"""Records read at once."""


def line_stream(store: IStore, wanted: PunchFilter, visit: Visit) -> Stream:
    """Return a CSV reply with the records of a filter, newest first; it has no limit."""
    heading = csv_lines([[visit.said(name) for name, _ in COLUMNS]])
    begin = functools.partial(send_parts, PunchLines(store, wanted, visit), heading)
    return Stream(f"{CSV}; charset=utf-8", begin)


class PunchLines:
    """The CSV lines of an export, in the columns of the workbook."""

    def __init__(self, store: IStore, wanted: PunchFilter, visit: Visit) -> None:
        self._store = store
        self._wanted = wanted
        self._visit = visit
        self._before: TimePlace | None = None
        self.is_over = False

    async def next(self) -> bytes:
        """Read the next records; return their lines."""
        shown, self._before = await self._store.read(
            functools.partial(
                _slice_thd, wanted=self._wanted, before=self._before, zone=self._visit.zone
            )
        )
        self.is_over = self._before is None
        said = self._visit.said
        return csv_lines(
            [safe_cell(said(cell) if isinstance(cell, Phrase) else cell) for cell in cells_of(one)]
            for one in shown
        )


class SheetExport:
    """Makes workbooks on threads, one at a time, and sends them."""

    _log = Logger()

    def __init__(self, store: IStore, reactor: Any) -> None:
        self._store = store
        self._reactor = reactor
        self._lock = DeferredLock()

    def stream(self, wanted: PunchFilter, title: str, visit: Visit) -> Stream:
        """Return a reply with the records of a filter, newest first."""
        make = functools.partial(PunchSheet, title, visit.said)
        return Stream(XLSX, functools.partial(self._begin, wanted, make, visit.zone))

    def _begin(
        self,
        wanted: PunchFilter,
        make: Callable[[], PunchSheet],
        zone: ZoneInfo,
        request: Request,
    ) -> Callable[[], None]:
        """Start to make and send a workbook; the returned function aborts that."""
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)

        async def run() -> None:
            async with self._lock:
                if not gone:
                    await self._make_and_send(wanted, make, zone, request, gone)

        def failed(failure: Any) -> None:
            if failure.check(Interrupted) is None:
                self._log.failure("A workbook was not sent", failure)
            if not gone and request.channel is not None:
                request.channel.forceAbortClient()

        Deferred.fromCoroutine(run()).addErrback(failed)
        return lambda: gone.append(None)

    async def _make_and_send(
        self,
        wanted: PunchFilter,
        make: Callable[[], PunchSheet],
        zone: ZoneInfo,
        request: Request,
        gone: list[object],
    ) -> None:
        sheet = await self._on_thread(make)
        try:
            before: TimePlace | None = None
            while not gone:
                read = functools.partial(_slice_thd, wanted=wanted, before=before, zone=zone)
                shown, before = await self._store.read(read)
                await self._on_thread(sheet.add, shown)
                if before is None:
                    break
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


def _slice_thd(
    tx: Transaction, wanted: PunchFilter, before: TimePlace | None, zone: ZoneInfo
) -> tuple[list[ShownPunch], TimePlace | None]:
    """Return the next records, and the place of the last one if there may be more."""
    found = tx[ChronologicalPunches].page(wanted, SLICE, before)
    last = TimePlace(found[-1].time, found[-1].id) if len(found) == SLICE else None
    return shown_punches(tx, found, zone, wanted.areas, photos=False), last

"""The kind `csv`: a file for each day, in the columns that a payroll program wants."""

from __future__ import annotations

import csv
import datetime
import io
import pathlib
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred
from twisted.plugin import IPlugin
from zope.interface import implementer

from ....interfaces import IDelivery, IPlacedForwarder
from ....manage.cells import safe_cell, safe_text
from ....values.forwarding import (
    BatchLimits,
    Delivered,
    ForwardBatch,
    ForwardedEvent,
    ForwarderTarget,
    Outcome,
    RetryLater,
)
from .columns import check_names, moment_of, value_of
from .dayfiles import DayFileError, DayFiles, Line
from .thread import DeliveryThread, StillBusy

MOST_COLUMNS = 50
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,60}", re.ASCII)
_DIRECTIVE = re.compile(r"%(.?)")
_PARTS = frozenset("YymdHIMSpj%")
"""Directives that are numbers, and AM or PM."""
_CODECS = {"utf-8-sig": ("utf-8", b"\xef\xbb\xbf"), "utf-16": ("utf-16-le", b"\xff\xfe")}
"""Codecs of encodings that begin with a mark, which is there once in a file."""


class CSVSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the files are, and how their lines look."""

    folder: Annotated[
        str,
        Meta(
            description="Absolute path of an existing folder that the server may write to",
            examples=["/srv/punches"],
        ),
    ]
    file: Annotated[
        str, Meta(description="Name of the file of a day; {date} is the date as 2026-03-01")
    ] = "punches-{date}.csv"
    columns: Annotated[
        tuple[str, ...],
        Meta(
            description="Values of the columns in order, each as NAME or HEADING=NAME; HEADING= "
            "is an empty column"
        ),
    ] = ("pin", "date", "clock", "status", "device")
    delimiter: Annotated[
        Literal[",", ";", "\t", "|"], Meta(description="Character between the columns")
    ] = ","
    header: Annotated[bool, Meta(description="Whether the first line has the headings")] = True
    date_format: Annotated[
        str, Meta(description="Format of dates, with %Y %y %m %d %j for their parts")
    ] = "%Y-%m-%d"
    time_format: Annotated[
        str, Meta(description="Format of times of day, with %H %I %M %S %p for their parts")
    ] = "%H:%M:%S"
    encoding: Annotated[
        Literal[
            "utf-8",
            "utf-8-sig",
            "utf-16",
            "cp1250",
            "cp1251",
            "cp1252",
            "cp1253",
            "cp1254",
            "cp1256",
            "iso-8859-1",
            "iso-8859-15",
            "cp932",
            "cp949",
            "gb18030",
            "big5",
        ],
        Meta(
            description="Encoding of the file; utf-8-sig begins with the mark that Excel wants. "
            "Characters that it lacks are written as \\u1234"
        ),
    ] = "utf-8"


@implementer(IPlugin, IPlacedForwarder)
class CSV:
    """Writes a file for each day."""

    name = "csv"
    summary = "CSV files in a folder, one for each day"
    settings = CSVSettings
    limits = BatchLimits(events=1000, bytes=1_000_000)
    makes_secret = False

    def check(self, settings: Any) -> None:
        """Check everything but the folder, which each delivery looks at."""
        path = pathlib.PurePosixPath(settings.folder)
        if not path.is_absolute() or ".." in path.parts or "\0" in settings.folder:
            raise ValueError("folder: It is an absolute path such as /srv/payroll.")
        name = settings.file
        if name.count("{date}") != 1 or not name.endswith((".csv", ".txt")):
            raise ValueError("file: It is a name such as punches-{date}.csv, or one with .txt.")
        if not _FILE.fullmatch(name.replace("{date}", "2026-03-01")):
            raise ValueError("file: It consists of letters, digits, ., - and _, and {date}.")
        if not 0 < len(settings.columns) <= MOST_COLUMNS:
            raise ValueError(f"columns: There are 1 to {MOST_COLUMNS} columns.")
        check_names("columns", filter(None, (_name(one) for one in settings.columns)))
        for setting in ("date_format", "time_format"):
            text = getattr(settings, setting)
            if not {*_DIRECTIVE.findall(text)} <= _PARTS or not 0 < len(text) <= 40:
                raise ValueError(f"{setting}: It is a format such as %Y-%m-%d or %H:%M:%S.")

    def check_place(self, settings: Any) -> None:
        """Look whether the folder is there."""
        if not pathlib.Path(settings.folder).is_dir():
            raise ValueError(
                f"folder: There is no folder {settings.folder} on the server: make it, or mount it."
            )

    def open(self, target: ForwarderTarget) -> IDelivery:
        """Make the writer; its thread starts with the first delivery."""
        delivery: IDelivery = CSVDelivery(target)
        return delivery


@implementer(IDelivery)
class CSVDelivery:
    """Writes to one folder."""

    def __init__(self, target: ForwarderTarget) -> None:
        settings: CSVSettings = target.settings
        self._lines = LineFormat(settings)
        self._files = DayFiles(
            pathlib.Path(settings.folder),
            settings.file,
            self._lines.head(),
            self._lines.line,
            forbidden=pathlib.Path(target.own_folder) if target.own_folder else None,
        )
        self._thread = DeliveryThread(target.clock, f"zkpush forwarder {target.name}")

    def deliver(self, batch: ForwardBatch) -> Deferred[Outcome]:
        """Write the lines of a batch."""
        writing: Deferred[Outcome] = self._thread.run(lambda: self._deliver_thd(batch))
        return writing.addErrback(_unwritten)

    def close(self) -> None:
        """End the thread."""
        self._thread.close()

    def _deliver_thd(self, batch: ForwardBatch) -> Outcome:
        days: dict[datetime.date, list[ForwardedEvent]] = {}
        for event in batch.events:
            if event.type == "test":
                return Delivered(self._files.try_thd(moment_of(event).date()))
            days.setdefault(moment_of(event).date(), []).append(event)
        names = [self._files.add_thd(day, events) for day, events in sorted(days.items())]
        return Delivered(f"Written to {', '.join(names[:3])}")


class LineFormat:
    """Formats events as lines."""

    def __init__(self, settings: CSVSettings) -> None:
        self._settings = settings
        self._names = [_name(one) for one in settings.columns]
        self._codec, self._mark = _CODECS.get(settings.encoding, (settings.encoding, b""))
        date, clock = settings.date_format, settings.time_format
        self._formats = {"date": date, "clock": clock, "moment": f"{date} {clock}"}

    def head(self) -> bytes:
        """Return the beginning of a file: the mark of its encoding, and the headings."""
        settings = self._settings
        headings = [safe_text(_heading(one)) for one in settings.columns]
        return self._mark + (self._encoded(headings) if settings.header else b"")

    def line(self, event: ForwardedEvent) -> Line:
        """Return the line of an event; lines are sorted by the terminals' wall clocks."""
        moment = moment_of(event)
        cells = [self._cell(event, moment, name) for name in self._names]
        return Line(str(moment), self._encoded(cells))

    def _cell(self, event: ForwardedEvent, moment: datetime.datetime, name: str) -> object:
        if not name:
            return ""
        form = self._formats.get(name)
        value = value_of(event, name) if form is None else moment.strftime(form)
        return safe_cell(value)

    def _encoded(self, cells: Sequence[object]) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=self._settings.delimiter).writerow(cells)
        return text.getvalue().encode(self._codec, "backslashreplace")


def _heading(column: str) -> str:
    return column.partition("=")[0]


def _name(column: str) -> str:
    """Return the name of the value of a column; empty for an empty column."""
    heading, separator, name = column.partition("=")
    return name if separator else heading


def _unwritten(failure: Any) -> Outcome:
    """Return the outcome of a write that failed: it is tried again."""
    failure.trap(DayFileError, OSError, StillBusy)
    error = failure.value
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return RetryLater(f"Not written: {where}{error.strerror or error}")
    return RetryLater(f"Not written: {error}")

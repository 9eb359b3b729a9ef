"""Files of days that are replaced as a whole, and the journals that they are made from.

The journal of a day, in the folder `.zkpush` beside the files, has a line of JSON for each event
that was delivered. It is appended to and synchronised first. Then the file of the day is made from
it, written aside, synchronised, and renamed. After a crash between the two, the repeated delivery
finds its events in the journal, and makes the file again; after a crash within the journal, the
incomplete line at its end is removed. A correction replaces the event that it corrects, or removes
its line.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import attrs
import msgspec

from ....values.forwarding import ForwardedEvent

FOLDER = ".zkpush"
FILE_MODE = 0o640
JOURNAL_MODE = 0o600
FOLDER_MODE = 0o700
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW

Key = tuple[str, str, str, str]


class DayFileError(Exception):
    """A file cannot be written; the message says what to do."""


class Line(NamedTuple):
    """A line of a file; lines are sorted by `order`, and then by arrival."""

    order: str
    text: bytes


@attrs.define
class _Day:
    """What the journal of a day contains."""

    identity: tuple[int, int]
    """Device and inode of the journal."""
    size: int = 0
    events: dict[Key, bytes] = attrs.field(factory=dict)
    lines: dict[Key, Line] = attrs.field(factory=dict)


class DayFiles:
    """The files of one forwarder. All methods block, and run on its thread."""

    def __init__(
        self,
        folder: pathlib.Path,
        name: str,
        head: bytes,
        line: Callable[[ForwardedEvent], Line],
        forbidden: pathlib.Path | None,
    ) -> None:
        """Files are in `folder`, which must not be in `forbidden`; `head` is their beginning."""
        self._folder = folder
        self._name = name
        self._head = head
        self._line = line
        self._forbidden = forbidden
        self._last: tuple[datetime.date, _Day] | None = None

    def add_thd(self, day: datetime.date, events: Sequence[ForwardedEvent]) -> str:
        """Add events to the file of a day, unless it has them; return its name.

        `DayFileError` or `OSError` if that is not possible; a repetition completes it.
        """
        self._check()
        name = self._name.format(date=day)
        with self._journal(name) as descriptor:
            present = self._read(day, name, descriptor)
            added = []
            for event in events:
                key, text = _key(event), msgspec.json.encode(event)
                if present.events.get(key) != text:
                    self._put(present, key, text, event)
                    added.append(text + b"\n")
            self._last = None  # until everything is written
            _append(descriptor, b"".join(added))
            present.size = os.fstat(descriptor).st_size
            self._replace(name, present)
            self._last = day, present
        return name

    def try_thd(self, day: datetime.date) -> str:
        """Check that files can be written; return words about it."""
        self._check()
        path = self._hidden() / f"test-{os.getpid()}"
        try:
            _write(path, b"", JOURNAL_MODE)
        finally:
            path.unlink(missing_ok=True)
        name = self._name.format(date=day)
        return f"The folder can be written to. The file of this day is {name}. Nothing was written."

    def _check(self) -> None:
        """Raise `DayFileError` unless the folder exists and may be written to."""
        if not self._folder.is_dir():
            raise DayFileError(f"There is no folder {self._folder}: make it, or mount it")
        if self._forbidden is not None:
            own, folder = self._forbidden.resolve(), self._folder.resolve()
            if folder == own or own in folder.parents:
                raise DayFileError(
                    f"{self._folder} belongs to the data directory of the server: choose another"
                )

    def _hidden(self) -> pathlib.Path:
        folder = self._folder / FOLDER
        with contextlib.suppress(FileExistsError):
            folder.mkdir(FOLDER_MODE)
        return folder

    @contextlib.contextmanager
    def _journal(self, name: str) -> Iterator[int]:
        """Open and lock a journal."""
        path = self._hidden() / f"{name}.jsonl"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _OPEN, JOURNAL_MODE)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DayFileError(f"another forwarder is writing {name}") from None
            yield descriptor
        finally:
            os.close(descriptor)

    def _read(self, day: datetime.date, name: str, descriptor: int) -> _Day:
        """Return what a journal contains, from memory if it has not changed."""
        state = os.fstat(descriptor)
        identity = state.st_dev, state.st_ino
        if self._last is not None and self._last[0] == day:
            known = self._last[1]
            if (known.identity, known.size) == (identity, state.st_size):
                return known
        content = os.pread(descriptor, state.st_size, 0) if state.st_size else b""
        complete = content.rfind(b"\n") + 1
        if complete < len(content):
            os.ftruncate(descriptor, complete)
        found = _Day(identity)
        for number, text in enumerate(content[:complete].splitlines(), 1):
            try:
                event = msgspec.json.decode(text, type=ForwardedEvent)
                self._put(found, _key(event), text, event)
            except ValueError as error:
                raise DayFileError(
                    f"line {number} of {FOLDER}/{name}.jsonl is damaged ({error}): mend it from "
                    "a backup"
                ) from None
        if not found.events and (self._folder / name).exists():
            raise DayFileError(
                f"{name} was not written by this server, or its journal is gone: move it away"
            )
        return found

    def _put(self, day: _Day, key: Key, text: bytes, event: ForwardedEvent) -> None:
        """Take an event into a day; `ValueError` if it has no line."""
        if event.is_withdrawn:
            day.lines.pop(key, None)
        else:
            day.lines[key] = self._line(event)
        day.events[key] = text

    def _replace(self, name: str, day: _Day) -> None:
        """Write the file of a day aside, and put it in place."""
        lines = sorted(day.lines.values(), key=lambda line: line.order)
        aside = self._hidden() / f"{name}.new"
        aside.unlink(missing_ok=True)
        try:
            _write(aside, self._head + b"".join(line.text for line in lines), FILE_MODE)
            os.replace(aside, self._folder / name)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        _synchronise(self._folder)


def _key(event: ForwardedEvent) -> Key:
    """Return what tells events apart, also those of a server that was set up anew on this day."""
    device, pin, time = (str(event.data.get(name, "")) for name in ("device", "pin", "time"))
    return event.subject, device, pin, time


def _append(descriptor: int, content: bytes) -> None:
    """Append to a journal, completely or not at all, and synchronise it."""
    before = os.lseek(descriptor, 0, os.SEEK_END)
    try:
        _write_all(descriptor, content)
        os.fsync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, before)
        raise


def _write(path: pathlib.Path, content: bytes, mode: int) -> None:
    """Write a new file, and synchronise it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, mode)
    try:
        os.fchmod(descriptor, mode)  # the mask of the process may permit less
        _write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _synchronise(folder: pathlib.Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

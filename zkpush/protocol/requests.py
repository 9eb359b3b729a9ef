"""Requests of terminals: paths and arguments in all spellings of firmware (spec 2, 5)."""

from __future__ import annotations

import functools
import re
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from .errors import TerminalError
from .packets import COMPRESSED, PACKED
from .serials import check_serial
from .text import visible

T = TypeVar("T")
_SUFFIX = ".aspx"
_STAMP = re.compile(r"[A-Za-z0-9.:_ -]{1,64}\Z", re.ASCII)
_EVERYDAY = re.compile(
    rb"SN=([A-Za-z0-9_-]{1,32})(?:&(table=[A-Za-z]{1,16}(?:&Stamp=[0-9]{1,16})?))?\Z"
)
"""The everyday queries: without secrets, long values, or percent escapes."""


def normalize_segment(segment: bytes) -> bytes:
    """Return the canonical name of a path segment, sent in any case, with or without `.aspx`."""
    return segment.lower().removesuffix(_SUFFIX.encode())


@functools.lru_cache(256)
def shown_path(path: bytes) -> str:
    """The first two parts of a path, for display; the rest may hold a file URL's secret."""
    parts = path.decode("utf-8", "replace").split("/")
    text = "/".join(visible(f"{one[:40]}…" if len(one) > 40 else one) for one in parts[:3])
    return f"{text}/…" if len(parts) > 3 else text


class Arguments(Mapping[str, str]):
    """Arguments of a request, looked up in any case and iterated as sent."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._read: dict[Callable[[Arguments], Any], Any] = {}
        self._pairs: dict[str, tuple[str, str]] = {}
        for name, value in pairs:
            known = self._pairs.setdefault(name.lower(), (name, value))
            if known[1] != value:
                raise TerminalError("An argument is there twice, with two values.")

    def __getitem__(self, name: str) -> str:
        return self._pairs[name.lower()][1]

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of an argument, or `default`."""
        known = self._pairs.get(name.lower())
        return default if known is None else known[1]

    def read(self, reader: Callable[[Arguments], T]) -> T:
        """Return the result of a function of the arguments, called once.

        Everyday queries share their arguments, so that most requests call no function at all.
        """
        found: T | None = self._read.get(reader)
        if found is None:
            found = self._read[reader] = reader(self)
        return found

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._pairs.values())

    def __len__(self) -> int:
        return len(self._pairs)


def read_query(query: bytes) -> tuple[str, Arguments]:
    """Return the checked serial number of a request and its arguments.

    Everyday queries differ only in the serial number, so their arguments are cached without it.
    Raises `TerminalError` for a malformed query.
    """
    everyday = _EVERYDAY.match(query)
    if everyday is not None:
        sn, rest = everyday.groups()
        return sn.decode(), remembered_arguments(rest or b"")
    arguments = parse_arguments(query)
    return check_serial(arguments.get("SN")), arguments


@functools.lru_cache(256)
def remembered_arguments(query: bytes) -> Arguments:
    """Arguments of an everyday query; the last 256 are cached."""
    return parse_arguments(query)


def parse_arguments(query: bytes) -> Arguments:
    """Parse the query string of a request.

    NUL and bytes that are not UTF-8 become U+FFFD. Raises `TerminalError` if an argument has two
    different values, because a proxy in front may have used the other one.
    """
    read = _unquote if b"%" in query else _decode
    pairs = []
    for part in query.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            pairs.append((read(name), read(value)))
    return Arguments(pairs)


def _unquote(text: bytes) -> str:
    return _decode(urllib.parse.unquote_to_bytes(text))


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "replace").replace("\0", "\ufffd")


TABLE_DATA = "tabledata"
"""The table of uploads of the access-control protocol that name theirs in `tablename`."""
ACCESS_CONTROL_TABLES = frozenset({TABLE_DATA, "rtlog", "rtstate"})
"""Tables that only terminals in access-control mode upload."""
ACCESS_CONTROL_PATHS = frozenset({"registry", "push", "rtdata", "querydata"})
"""Paths below /iclock that only terminals in access-control mode request."""
UNNAMED = "unnamed"
"""The table name of uploads that name no table and do not reveal it."""
_LOOKED_AT = 512


def is_access_control_path(path: str) -> bool:
    """Whether only terminals in access-control mode request a path, such as `/iclock/registry`."""
    first, _, rest = path.strip("/").lower().partition("/")
    return first == "iclock" and rest.removesuffix(_SUFFIX) in ACCESS_CONTROL_PATHS


def is_packed(body: bytes, is_declared: bool = False) -> bool:
    """Whether a body is a packet (spec 11.14), by its first bytes.

    A body that the request declares as a packet counts as one unless it looks like text.
    """
    if body.startswith(COMPRESSED):
        return True
    return is_declared and (not body or not _is_text(body))


def _is_text(body: bytes) -> bool:
    return min(body[:_LOOKED_AT]) >= ord("\t") and not body.startswith(PACKED)


class Upload(msgspec.Struct, frozen=True):
    """One undecoded upload of a terminal."""

    table: str
    """The value of `table=` as sent."""
    body: bytes
    stamp: str | None = None
    """The value of `Stamp=` or an older name."""
    packed: bool = False
    """Whether the body is a packet (spec 11.14); see `is_packed`."""
    name: str | None = None
    """The file name that old firmware sends in the arguments of a photo upload (spec 11.3)."""
    moves_stamp: bool = True
    """Whether the stamp is stored for the terminal."""
    reply: bytes | None = None
    """The acknowledgement, if the request wants one of its own; see `kept_table_reply`."""
    is_kept: bool = False
    """Whether a reject holds the whole upload of which this is an extract, so that damaged lines of
    the extract need no rejects of their own."""

    @property
    def kept_stamp(self) -> str | None:
        """The stamp to store; None if there is none."""
        return self.stamp if self.moves_stamp else None


_TABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}\Z", re.ASCII)


def kept_table_reply(arguments: Mapping[str, str], body: bytes) -> bytes | None:
    """Return the acknowledgement of an upload of the access-control protocol; None for others.

    Its terminals upload `table=tabledata&tablename=user`, and send it again until the reply is
    `user=` and the number of lines. The body is kept as a reject, so all its lines count.
    """
    name = arguments.get("tablename") or ""
    if (arguments.get("table") or "").lower() != TABLE_DATA or not _TABLE_NAME.match(name):
        return None
    count = sum(bool(line.strip()) for line in body.split(b"\n"))
    return b"%b=%d" % (name.encode(), count)


def check_stamp(text: str | None) -> str | None:
    """Return a stamp that is safe in an option reply, else None.

    Stamps are opaque (spec 5): real terminals send numbers, times and the word None.
    """
    return text if text is not None and _STAMP.match(text) else None

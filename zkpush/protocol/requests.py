"""Requests of terminals: paths and arguments, in every way that firmware writes them (2, 5)."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping

import msgspec

from .errors import TerminalError

_SUFFIX = ".aspx"


def normalize_segment(segment: bytes) -> bytes:
    """Give the canonical name of one path segment: any case, with or without `.aspx`."""
    return segment.lower().removesuffix(_SUFFIX.encode())


class Arguments(Mapping[str, str]):
    """The arguments of a request. Names are found in any case, and iterated as they were sent."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs: dict[str, tuple[str, str]] = {}
        for name, value in pairs:
            known = self._pairs.setdefault(name.lower(), (name, value))
            if known[1] != value:
                raise TerminalError("An argument is there twice, with two values.")

    def __getitem__(self, name: str) -> str:
        return self._pairs[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._pairs.values())

    def __len__(self) -> int:
        return len(self._pairs)


def parse_arguments(query: bytes) -> Arguments:
    """Read the part of a request line after `?`.

    NUL and bytes that are not UTF-8 are shown as U+FFFD. `TerminalError` if one argument has two
    values: a proxy in front might have looked at the other one.
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


class Upload(msgspec.Struct, frozen=True):
    """One upload as it came from a terminal, before anything in it has been understood."""

    table: str
    """The value of `table=`, as sent."""
    body: bytes
    stamp: str | None = None
    """The value of `Stamp=` or of one of its old names."""
    packed: bool = False
    """Whether the body is a packet (11.14): `ContentType=tgz`."""
    name: str | None = None
    """The file name that old firmware puts into the arguments of a photo's upload (11.3)."""

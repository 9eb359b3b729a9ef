"""Uploads as recipes: a few lines that are repeated with running numbers, to any length."""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Sequence

import msgspec

from zkpush.protocol.packets import pack, pack_plain

CORPUS = pathlib.Path(__file__).with_name("worst.json")
NUMBER, DIGITS = b"{n}", b"{b}"
"""What stands in a line for the running number: in decimal, and in base 36."""
_BASE_36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_MEMBER = 512
"""Bytes of the members of a tar."""


class Recipe(msgspec.Struct, frozen=True):
    """An upload of a table, made of lines in turn."""

    table: str
    lines: tuple[str, ...]
    """Latin-1; without their LF."""
    head: str = ""
    """What stands before the first line."""
    packed: str = ""
    """`text` or `tar`, if it is a packet (11.14)."""
    ratio: float = 0.0
    """How many times a plain upload of the same length it took when it was found."""

    def text(self, length: int, start: int = 0) -> bytes:
        """The lines, of about so many bytes; their numbers begin with `start`."""
        lines = [line.encode("latin-1") + b"\n" for line in self.lines]
        parts = [self.head.encode("latin-1")]
        size = len(parts[0])
        for number in itertools.count(start):
            part = lines[number % len(lines)]
            if b"{" in part:
                part = part.replace(NUMBER, b"%d" % number).replace(DIGITS, _digits(number))
            size += len(part)
            if size > length:
                return b"".join(parts)
            parts.append(part)
        raise AssertionError

    def body(self, length: int, start: int = 0) -> bytes:
        """The body of the upload; of a packet, `length` is what it expands to."""
        text = self.text(length, start)
        if self.packed == "text":
            return pack_plain(text)
        if self.packed == "tar":
            pieces = [text[at : at + _MEMBER] for at in range(0, len(text), _MEMBER)]
            return pack([(str(number), piece) for number, piece in enumerate(pieces)])
        return text

    def query(self) -> str:
        """The arguments of the request, but for the serial number."""
        return f"table={self.table}&Stamp=1" + ("&ContentType=tgz" if self.packed else "")


def plain_text(length: int, start: int = 0) -> bytes:
    """Plain attendance records of about so many bytes, all different."""
    rows = []
    size = 0
    for number in itertools.count(start):
        minute, second = divmod(number, 60)
        hour, minute = divmod(minute, 60)
        day, hour = divmod(hour, 24)
        month, day = divmod(day, 28)
        year, month = divmod(month, 12)
        row = b"%d\t%04d-%02d-%02d %02d:%02d:%02d\t0\t1\t0\t0\t0\n" % (
            *(number % 997 + 1, 2000 + year, month + 1, day + 1),
            *(hour, minute, second),
        )
        size += len(row)
        if size > length:
            return b"".join(rows)
        rows.append(row)
    raise AssertionError


def load() -> list[Recipe]:
    """The worst uploads that were found."""
    return msgspec.json.decode(CORPUS.read_bytes(), type=list[Recipe])


def save(recipes: Sequence[Recipe]) -> None:
    """Keep the worst uploads, the worst first."""
    ordered = sorted(recipes, key=lambda recipe: -recipe.ratio)
    encoded = msgspec.json.format(msgspec.json.encode(ordered), indent=1)
    CORPUS.write_bytes(encoded + b"\n")


def _digits(number: int) -> bytes:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _BASE_36[digit] + text
        if not number:
            return text.encode()

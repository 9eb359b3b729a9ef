"""Pictures: a small JPEG for each person, encoded without a library."""

from __future__ import annotations

import itertools
import random
import struct

HALF = 2
"""Blocks in half a row; pictures are symmetric, like faces."""
ROWS = 4
BLOCK = 8
"""Pixels in a row and in a column of a block."""
_MIDDLE = 128
_QUANTISATION = bytes([BLOCK]) * BLOCK * BLOCK
"""Table in which the first coefficient of a block is its brightness."""
_CODE_BITS = 4
_CATEGORIES = range(12)
"""Bit lengths of a brightness difference; each has a code of four bits."""


def draw(chance: random.Random) -> bytes:
    """Draw a picture: squares of grey, symmetric about the vertical axis."""
    rows = [[chance.randrange(256) for _ in range(HALF)] for _ in range(ROWS)]
    return encode([row + row[::-1] for row in rows])


def encode(rows: list[list[int]]) -> bytes:
    """Encode squares of brightness 0 to 255 as a baseline JPEG."""
    width, height = len(rows[0]) * BLOCK, len(rows) * BLOCK
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0" + bytes([1, 1, 0, 0, 1, 0, 1, 0, 0])),
            _segment(0xDB, b"\0" + _QUANTISATION),
            _segment(0xC0, struct.pack(">BHHB3B", 8, height, width, 1, 1, 0x11, 0)),
            _segment(0xC4, b"\0" + _lengths({_CODE_BITS: len(_CATEGORIES)}) + bytes(_CATEGORIES)),
            _segment(0xC4, b"\x10" + _lengths({1: 1}) + b"\0"),
            _segment(0xDA, bytes([1, 1, 0, 0, 63, 0])),
            _scan(list(itertools.chain.from_iterable(rows))),
            b"\xff\xd9",
        )
    )


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _lengths(codes: dict[int, int]) -> bytes:
    """Count the Huffman codes of each length, 1 to 16 bits."""
    return bytes(codes.get(length, 0) for length in range(1, 17))


def _scan(squares: list[int]) -> bytes:
    """Encode each block as the difference of its brightness from the previous one."""
    bits = ""
    for before, square in itertools.pairwise([_MIDDLE, *squares]):
        difference = square - before
        category = abs(difference).bit_length()
        bits += f"{category:0{_CODE_BITS}b}"
        if category:
            # A negative difference is encoded as its complement.
            value = difference if difference > 0 else difference + (1 << category) - 1
            bits += f"{value:0{category}b}"
        bits += "0"  # no other coefficients
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return data.replace(b"\xff", b"\xff\0")

"""JPEG files: the size of the picture, from the segments before its first scan (ISO 10918-1)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ..phrases import Phrase

_BEGIN, _END = b"\xff\xd8", b"\xff\xd9"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that begin a frame: SOF0 to SOF15 without DHT, JPG and DAC."""
_SCAN = 0xDA
_HEAD = struct.Struct(">BBH")
_FRAME = struct.Struct(">BHH")


class PictureSize(NamedTuple):
    """Width and height, in pixels."""

    width: int
    height: int


def jpeg_size(content: bytes) -> PictureSize:
    """Return the size of a picture; `ValueError` if the content is no whole JPEG file.

    Bytes after the end of the picture, which some cameras add, are allowed. The scans are not
    decoded.
    """
    if not content.startswith(_BEGIN):
        raise ValueError(Phrase("The picture is no JPEG file."))
    place, found = len(_BEGIN), None
    while place + _HEAD.size <= len(content):
        mark, marker, length = _HEAD.unpack_from(content, place)
        if mark != 0xFF or length < 2:
            break
        if marker == 0xFF:  # a fill byte before a marker
            place += 1
            continue
        if marker in _FRAMES and place + _HEAD.size + _FRAME.size <= len(content):
            _, height, width = _FRAME.unpack_from(content, place + _HEAD.size)
            found = PictureSize(width, height)
        if marker == _SCAN:
            if found is None or not all(found):
                break
            if content.find(_END, place + 2 + length) < 0:
                raise ValueError(Phrase("The JPEG file is cut off: it has no end."))
            return found
        place += 2 + length
    raise ValueError(Phrase("The JPEG file is damaged: it has no picture."))

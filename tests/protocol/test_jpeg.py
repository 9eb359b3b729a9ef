"""JPEG files: which ones are whole, and how large their pictures are."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol.jpeg import jpeg_size
from zkpush.simulator.picture import draw

PICTURE = draw(random.Random(1))


def test_size() -> None:
    """The size is that of the frame, whatever segments and fill bytes precede it."""
    assert jpeg_size(PICTURE) == (32, 32)
    exif = struct.pack(">BBH", 0xFF, 0xE1, 2000) + b"\xff\xc0\xff\xd9" + b"x" * 1994
    assert jpeg_size(PICTURE[:2] + exif + b"\xff" + PICTURE[2:] + b"trailer") == (32, 32)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no JPEG"),
        (b"\x89PNG\r\n\x1a\n", "no JPEG"),
        (b"GIF89a<script>", "no JPEG"),
        (b"\xff\xd8\xff", "no picture"),
        (b"\xff\xd8<html></html>", "no picture"),
        (PICTURE[:-2], "cut off"),
        (PICTURE[:60], "no picture"),
        (PICTURE.replace(struct.pack(">HH", 32, 32), bytes(4), 1), "no picture"),
    ],
)
def test_no_picture(content: bytes, words: str) -> None:
    """Other content, or a part of a file, is refused in words."""
    with pytest.raises(ValueError, match=words):
        jpeg_size(content)


@given(st.binary(max_size=200), st.integers(0, len(PICTURE)))
def test_any_bytes(noise: bytes, place: int) -> None:
    """Whatever is uploaded has a size or is refused."""
    for content in (b"\xff\xd8" + noise, PICTURE[:place] + noise):
        try:
            width, height = jpeg_size(content)
        except ValueError:
            continue
        assert width > 0
        assert height > 0


def test_long_files_take_linear_time() -> None:
    """A file of many short segments or fill bytes is read once."""
    for filler in (b"\xff\xe1\x00\x02", b"\xff"):
        long = PICTURE[:2] + filler * 200_000 + PICTURE[2:]
        assert jpeg_size(long) == (32, 32)

"""Pictures of people who do not exist."""

from __future__ import annotations

import random

from zkpush.simulator.people import People
from zkpush.simulator.picture import encode


def test_a_picture_is_a_jpeg() -> None:
    """One grey block is a baseline JPEG with all its parts, to the last bit."""
    head = bytes.fromhex(
        "ffd8 ffe00010 4a46494600 0101 00 0001 0001 0000"
        "ffdb0043 00" + 64 * "08" + "ffc0000b 08 0008 0008 01 01 11 00"
        "ffc4001f 00 0000000c000000000000000000000000 000102030405060708090a0b"
        "ffc40014 10 01000000000000000000000000000000 00"
        "ffda0008 01 01 00 00 3f 00"
    )
    # Category 7, its bits (128 - 28 = 100), the end of the block, ones up to the byte.
    assert encode([[228]]) == head + bytes([0b01111100, 0b10001111]) + b"\xff\xd9"


def test_a_byte_that_would_be_a_marker_is_stuffed() -> None:
    """Within the data, FF is followed by 00."""
    for shade in range(256):
        data = encode([[shade, 255 - shade]]).rpartition(b"\x3f\0")[2][:-2]
        assert data.count(b"\xff") == data.count(b"\xff\0")


def test_everybody_has_their_own() -> None:
    """No two people have one picture, one card or one citizen ID number; a seed repeats them."""
    people, same = (People(random.Random(5), 200) for _ in range(2))
    crowd = [people.person(str(pin)) for pin in range(1, 201)]
    for name in ("picture", "card", "id_number"):
        assert len({getattr(person, name) for person in crowd}) == len(crowd)
    assert crowd == [same.person(str(pin)) for pin in range(1, 201)]
    assert crowd[0].privilege == 14

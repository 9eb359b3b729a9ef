"""Limits of data packets (11.14): those at a limit are read, and no bomb goes off."""

from __future__ import annotations

import tarfile
import time
import tracemalloc
import zlib
from types import SimpleNamespace

import pytest

from zkpush.protocol import packets
from zkpush.protocol.packets import (
    Member,
    PacketLimits,
    PacketTooLarge,
    expand,
    members,
    pack,
    pack_plain,
)

from .archives import (
    END,
    GOOD,
    LOGS,
    MIB,
    ODD,
    ONE,
    ROOMY,
    SECONDS,
    entry,
    header,
    octal,
    padded,
    refused,
    tar,
    zipped,
)


def flushed(unit: bytes, times: int) -> bytes:
    """One gzip, cheaply made, of `unit` many times over; its last eight bytes are wrong."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = deflate.compress(unit) + deflate.flush(zlib.Z_FULL_FLUSH)
    again = deflate.compress(unit) + deflate.flush(zlib.Z_FULL_FLUSH)
    return zipped(b"")[:10] + first + again * (times - 1) + deflate.flush() + bytes(8)


@pytest.fixture
def expanded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each call of zlib gave."""
    counts: list[int] = []

    class Counting:
        def __init__(self, wbits: int) -> None:
            self.real = zlib.decompressobj(wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            assert most > 0
            piece = self.real.decompress(data, most)
            counts.append(len(piece))
            return piece

        def __getattr__(self, name: str) -> object:
            return getattr(self.real, name)

    fake = SimpleNamespace(decompressobj=Counting, error=zlib.error)
    monkeypatch.setattr(packets, "zlib", fake)
    return counts


def peak_of_refusal(packet: bytes, limits: PacketLimits) -> tuple[str, int]:
    """Why a packet is refused, and the most memory in bytes that this took; it is quick."""
    tracemalloc.start()
    try:
        started = time.process_time()
        reason = refused(packet, limits)
        assert time.process_time() - started < SECONDS
        return reason, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


ARCHIVE = tar(*(entry(str(number), LOGS) for number in range(20)))
PACKET = zipped(ARCHIVE)
RANDOM = zlib.compress(b"".join(b"%d" % (n * n) for n in range(100_000)))
LIMITS = [
    (PACKET, {"compressed": len(PACKET)}, "the packet has more than"),
    (PACKET, {"expanded": len(ARCHIVE)}, "the packet expands to more than"),
    (PACKET, {"members": 20}, "the tar has more than 19 members"),
    (PACKET, {"member": len(LOGS)}, "member 1: it has more than 37 bytes"),
    (GOOD, {"expanded": len(LOGS)}, "the packet expands to more than 37 bytes"),
    (GOOD, {"member": len(LOGS)}, "the text has more than 37 bytes"),
    (zipped(RANDOM), {"member": len(RANDOM)}, "the text has more than"),
    (GOOD * 20, {"members": 20}, "the gzip has more than 19 parts"),
]


@pytest.mark.parametrize(("packet", "limit", "reason"), LIMITS)
def test_a_packet_at_a_limit_is_taken_and_one_beyond_it_is_not(
    packet: bytes, limit: dict[str, int], reason: str
) -> None:
    """Every limit is the last value that is allowed."""
    assert expand(packet, PacketLimits(**limit))
    less = PacketLimits(**{name: value - 1 for name, value in limit.items()})
    with pytest.raises(PacketTooLarge, match=reason):
        expand(packet, less)


def test_ignored_members_count() -> None:
    """Links, directories and extended headers are members where members are counted."""
    odd = tar(*ODD, form=tarfile.PAX_FORMAT)
    assert expand(zipped(odd), PacketLimits(members=len(ODD) + 1)) == []
    assert "members" in refused(zipped(odd), PacketLimits(members=len(ODD)))


def test_real_texts_are_far_from_the_ratio() -> None:
    """Ten thousand users that are all the same but for their number are no bomb."""
    users = b"".join(
        b"USER PIN=%d\tName=\tPri=0\tPasswd=\tCard=\tGrp=1\tTZ=0001000100000000\tVerify=-1\n" % pin
        for pin in range(100_000)
    )
    assert expand(pack([("user.txt", users)])) == [Member("user.txt", users)]
    assert expand(pack_plain(users), PacketLimits(ratio=30)) == [Member("", users)]


def test_the_padding_of_a_small_archive_is_no_bomb() -> None:
    """No ratio is asked of the first MiB: an archive may have many times its text in padding."""
    assert expand(zipped(tar(entry("a", LOGS)) + bytes(900_000))) == [Member("a", LOGS)]


def facts(number: int) -> bytes:
    """65,000 bytes of an extended header, in which everything has another name."""
    return b"".join(b"13 %08x=\n" % (number * 5000 + n) for n in range(5000))


ZEROS = bytes(16 * MIB)
PACKED_ZEROS = zipped(ZEROS)
TEN_GIB = 640
BOMBS = {
    "zeros": lambda: zipped(bytes(64 * MIB + 1)),
    "ten GiB of zeros": lambda: flushed(ZEROS, TEN_GIB),
    "ten GiB in good parts": lambda: PACKED_ZEROS * TEN_GIB,
    "ten GiB of text": lambda: flushed(LOGS * 400_000, TEN_GIB),
    "ten GiB in a member": lambda: zipped(header(size=octal(30 * MIB))) + PACKED_ZEROS * TEN_GIB,
    "ten GiB in a huge member": lambda: (
        zipped(header(size=b"\x80" + (10 << 30).to_bytes(11))) + PACKED_ZEROS * TEN_GIB
    ),
    "ten GiB after the end": lambda: zipped(ONE + END) + PACKED_ZEROS * TEN_GIB,
    "ten GiB ignored": lambda: (
        zipped(header(kind=b"Z", size=octal(4 << 30))) + PACKED_ZEROS * TEN_GIB
    ),
    "ten GiB of names": lambda: (
        zipped(header(kind=b"L", size=octal(4 << 30))) + PACKED_ZEROS * TEN_GIB
    ),
    "ten GiB packed again": lambda: zipped(PACKED_ZEROS * TEN_GIB),
    "a million members": lambda: zipped(header() * 10_000) * 100,
    "a million links": lambda: zipped(header(kind=b"2") * 10_000) * 100,
    "a million names": lambda: (
        zipped((header(kind=b"L", size=octal(2)) + padded(b"n")) * 10_000) * 100
    ),
    # Kept, they would take more than the memory that is allowed.
    "eighty thousand facts": lambda: (
        zipped(
            b"".join(header(kind=b"x", size=octal(65_000)) + padded(facts(n)) for n in range(16))
        )
        + PACKED_ZEROS * TEN_GIB
    ),
    "a million parts": lambda: zipped(b"") * 1_000_000,
    "a million parts of text": lambda: zipped(b"\n") * 1_000_000,
    "one part of long names": lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * (64 * MIB),
    "empty blocks": lambda: GOOD[:10] + b"\0\0\0\xff\xff" * (4 * MIB),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_does_not_go_off(kind: str, expanded: list[int]) -> None:
    """A bomb is refused quickly, after few expanded bytes, and in little memory."""
    packet = BOMBS[kind]()
    small = PacketLimits(compressed=1 << 30, expanded=4 * MIB, member=MIB)
    _, peak = peak_of_refusal(packet, small)
    assert sum(expanded) <= 4 * MIB + 1
    assert peak < 6 * MIB
    expanded.clear()
    _, peak = peak_of_refusal(packet, ROOMY)
    assert sum(expanded) <= ROOMY.expanded + 1
    assert peak < 2 * ROOMY.member + MIB


def test_a_bomb_is_refused_for_what_it_is() -> None:
    """A thousand to one is too much; a packet that is itself too large is not looked at."""
    bomb = zipped(bytes(8 * MIB))
    assert refused(bomb) == "the packet expands to more than 100 times its size"
    many = refused(bomb, PacketLimits(ratio=2000, expanded=MIB))
    assert many == "the packet expands to more than 1048576 bytes"
    assert refused(bytes(16 * MIB + 1)) == "the packet has more than 16777216 bytes"


def test_a_lie_about_a_size_is_found_before_it_is_believed(expanded: list[int]) -> None:
    """A size that the limits cannot allow is refused at its header."""
    packet = zipped(header(size=octal(30 * MIB)) + bytes(30 * MIB))
    assert "expands to more than" in refused(packet)
    assert sum(expanded) == 512


def test_a_large_packet_is_read_in_the_memory_of_one_member() -> None:
    """What many members take in memory together is never taken at once."""
    text = b"".join(b"%d\n" % (n * n) for n in range(100_000))
    packet = pack((str(number), text) for number in range(12))
    tracemalloc.start()
    try:
        assert sum(len(member.data) for member in members(packet)) == 12 * len(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * len(text) + MIB

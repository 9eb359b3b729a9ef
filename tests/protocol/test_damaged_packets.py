"""Damaged data packets (11.14) are refused, with a reason that quotes nothing."""

from __future__ import annotations

import contextlib
import lzma
import zlib

import pytest

from zkpush.protocol.packets import (
    PacketError,
    PacketTooLarge,
    expand,
    members,
    pack,
    pack_plain,
)

from .archives import (
    ARCHIVES,
    END,
    GOOD,
    LOGS,
    ONE,
    USERS,
    entry,
    header,
    octal,
    padded,
    refused,
    tar,
    zipped,
)

DAMAGED = {
    "size with junk": (header(size=b"0000000001x\0") + END, "size is not a number"),
    "size of nines": (header(size=b"99999999999\0") + END, "size is not a number"),
    "size negative": (header(size=b"\xff" * 12) + END, "size is not a number"),
    "size huge": (header(size=b"\x80" + b"\xff" * 11) + END, "more than 33554432 bytes"),
    "size a lie": (header(size=octal(9999)) + END, "the tar breaks off"),
    "checksum": (header(checksum=b"0000001\0") + END, "neither text nor the header of a tar"),
    "old checksum": (header(magic=bytes(8), checksum=b"junk") + END, "neither text nor"),
    "second checksum": (ONE + header(checksum=b"junk") + END, "member 2: its header is damaged"),
    "text after": (ONE + LOGS * 100, "member 2: its header is damaged"),
    "short text after": (ONE + LOGS, "breaks off in a header"),
    "after the end": (ONE + END + ONE, "something follows the end of the tar"),
    "after one end block": (ONE + bytes(512) + ONE, "something follows the end of the tar"),
    "far after the end": (ONE + bytes(200_000) + b"x", "something follows the end of the tar"),
    "cut in a header": (header()[:300], "neither text nor the header of a tar"),
    "cut in the second header": (ONE + header()[:300], "breaks off in a header"),
    "cut in a text": (ONE[:530], "member 1: the tar breaks off"),
    "cut in the padding": (ONE[:-1], "member 1: the tar breaks off"),
    "name of nobody": (header(kind=b"L", size=octal(2)) + padded(b"n\0"), "announced"),
    "time of nobody": (header(kind=b"x", size=octal(11)) + padded(b"11 mtime=1\n"), "announced"),
    "name of the end": (header(kind=b"L", size=octal(2)) + padded(b"n\0") + END, "announced"),
    "long name": (header(kind=b"L", size=octal(65537)) + bytes(66048), "more than 65536 bytes"),
    "long header": (header(kind=b"x", size=octal(1 << 30)), "more than 65536 bytes"),
    **{
        f"extended header {number}": (
            header(kind=b"x", size=octal(len(record))) + padded(record) + ONE + END,
            reason,
        )
        for number, (record, reason) in enumerate(
            [
                (b"junk", "extended header is damaged"),
                (b"0 path=\n", "extended header is damaged"),
                (b"7 path=\n", "extended header is damaged"),
                (b"8 path=a\n", "extended header is damaged"),
                (b"99 path=a\n", "extended header is damaged"),
                (b"10 path=a\n\0", "extended header is damaged"),
                (b"999999999 path=a\n", "extended header is damaged"),
                (b"11 size=-1\n", "size is not a number"),
                (b"11 size=1x\n", "size is not a number"),
                (b"29 size=" + b"9" * 20 + b"\n", "more than 33554432 bytes"),
                (b"5009 size=" + b"9" * 4998 + b"\n", "size is not a number"),
            ]
        )
    },
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_archive_is_refused(damage: str) -> None:
    """An archive that is not what it says is refused with the reason."""
    archive, reason = DAMAGED[damage]
    assert reason in refused(zipped(archive))


NOT_GZIP = {
    "nothing": (b"", "the packet is not gzip"),
    "text": (USERS, "the packet is not gzip"),
    "a tar": (ARCHIVES["ustar"], "the packet is not gzip"),
    "zlib without its sum": (zlib.compress(LOGS)[:-4], "the gzip breaks off"),
    "zlib with another sum": (zlib.compress(LOGS)[:-4] + b"abcd", "the gzip is damaged"),
    "bare deflate": (zlib.compress(LOGS)[2:-4], "the packet is not gzip"),
    "xz": (lzma.compress(LOGS), "the packet is not gzip"),
    "a beginning": (b"\x1f\x8b", "the gzip breaks off"),
    "another method": (GOOD[:2] + b"\x07" + GOOD[3:], "the gzip is damaged"),
    "wrong checksum": (GOOD[:-8] + b"abcd" + GOOD[-4:], "the gzip is damaged"),
    "wrong length": (GOOD[:-4] + b"abcd", "the gzip is damaged"),
    "bad deflate": (GOOD[:10] + b"\xff" * 20, "the gzip is damaged"),
    "rubbish after": (GOOD + b"OK", "something follows the gzip"),
    "late rubbish": (GOOD + bytes(9000) + b"x", "something follows the gzip"),
    "second part cut": (GOOD + GOOD[:12], "the gzip breaks off"),
    "second part damaged": (GOOD + GOOD[:-8] + bytes(8), "the gzip is damaged"),
}


@pytest.mark.parametrize("damage", NOT_GZIP)
def test_a_damaged_gzip_is_refused(damage: str) -> None:
    """What is not gzip, or not a good one to its last byte, is refused with the reason."""
    packet, reason = NOT_GZIP[damage]
    with pytest.raises(PacketError, match=reason) as caught:
        expand(packet)
    assert not isinstance(caught.value, PacketTooLarge)


@pytest.mark.parametrize(
    "packed",
    [
        zipped(USERS),
        zipped(ARCHIVES["ustar"]),
        lzma.compress(USERS),
        b"PK\x03\x04zip",
        ARCHIVES["ustar"],
        ARCHIVES["v7"],
    ],
)
def test_what_is_packed_again_is_not_expanded(packed: bytes) -> None:
    """A packet in a packet is refused: a text is what packets hold."""
    inside = tar(entry("a", USERS), entry("b.tgz", packed))
    assert refused(zipped(inside)).startswith("member 2: it is packed again")
    if packed not in ARCHIVES.values():
        assert refused(zipped(packed)).startswith("the text: it is packed again")


@pytest.mark.parametrize("name", ["OK", "\x1b[2J", "a\r\nHTTP/1.1 200 OK", "\u202e"])
def test_a_reason_quotes_nothing_that_was_sent(name: str) -> None:
    """No name can bring a line end, a control character or the mark of success into a refusal."""
    odd = entry(name, LOGS, b"O")
    assert "member 2" in refused(zipped(tar(entry(name, LOGS), odd)))


def test_a_packet_cut_anywhere_is_refused() -> None:
    """However few bytes are missing at its end, a packet is never taken for a whole one."""
    for packet in [pack([("a", USERS), ("b", LOGS)]), pack_plain(USERS), GOOD, zipped(b"")]:
        for length in range(len(packet)):
            assert refused(packet[:length])


def test_a_packet_with_any_byte_changed_is_not_misread() -> None:
    """A changed byte costs the packet, or was of no meaning: it never changes what is read."""
    packet = pack([("a", USERS), ("b", LOGS)])
    good = expand(packet)
    for at in range(len(packet)):
        for change in (0x01, 0x80, 0xFF):
            changed = bytearray(packet)
            changed[at] ^= change
            with contextlib.suppress(PacketError):
                assert expand(bytes(changed)) == good


def test_an_error_at_the_end_comes_after_the_members() -> None:
    """Members are yielded as they come; whether the packet is good is known after the last one."""
    packet = zipped(tar(entry("a", USERS), entry("b", LOGS)))
    found = members(packet[:-1])
    assert [next(found).name, next(found).name] == ["a", "b"]
    with pytest.raises(PacketError, match="the gzip breaks off"):
        next(found)

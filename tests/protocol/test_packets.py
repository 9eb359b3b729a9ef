"""Data packets (11.14): what Python's own tar and gzip write is read, and no bomb goes off."""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import re
import struct
import tarfile
import time
import tracemalloc
import zlib
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol import packets
from zkpush.protocol.packets import (
    Member,
    PacketError,
    PacketLimits,
    PacketTooLarge,
    expand,
    members,
    pack,
    pack_plain,
)

MIB = 1024 * 1024
USERS = b"USER PIN=1\tName=\tPri=0\tPasswd=0\tCard=89776433\tGrp=1\nUSER PIN=2\tName=Ann\tPri=0\n"
LOGS = b"OPLOG 4\t0\t2015-07-30 10:22:34\t0\t0\t0\t0\n"
HUGE = PacketLimits(
    compressed=1 << 40, expanded=1 << 40, ratio=1 << 40, members=1 << 40, member=1 << 40
)
ROOMY = PacketLimits(compressed=1 << 30)
END = bytes(1024)
SECONDS = 10
"""In which a bomb is refused, on a slow machine; it takes far less than one."""

Entry = tuple[tarfile.TarInfo, bytes]


def entry(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, **more: object) -> Entry:
    """One member for `tar`."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def tar(*entries: Entry, form: int = tarfile.USTAR_FORMAT, **more: object) -> bytes:
    """The archive that Python's own tar writes."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form, **more) as archive:  # type: ignore[call-overload]
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def header(name: bytes = b"a.txt", kind: bytes = b"0", **fields: bytes) -> bytes:
    """One header of a tar, with any bytes in its fields and the checksum that fits them."""
    block = bytearray(512)
    places = {"mode": 100, "size": 124, "mtime": 136, "checksum": 148, "magic": 257}
    values = {"mode": b"0000644\0", "size": b"%011o\0" % 0, "magic": b"ustar\x0000", **fields}
    block[: len(name)] = name
    block[156:157] = kind
    for field, value in values.items():
        block[places[field] : places[field] + len(value)] = value
    if "checksum" not in fields:
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def octal(number: int) -> bytes:
    """A size as a header has it."""
    return b"%011o\0" % number


def padded(data: bytes) -> bytes:
    """The bytes of a member with the padding after them."""
    return data + bytes(-len(data) % 512)


def zipped(data: bytes, level: int = 9) -> bytes:
    """A gzip that is the same whenever it is made: the names of tests come from some of them."""
    return gzip.compress(data, level, mtime=0)


def refused(packet: bytes, limits: PacketLimits = packets.DEFAULTS) -> str:
    """The reason for which a packet is not taken; it is fit to be sent and shown."""
    with pytest.raises(PacketError) as caught:
        expand(packet, limits)
    reason = str(caught.value)
    assert "OK" not in reason
    assert reason.isascii()
    assert reason.isprintable()
    return reason


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


ARCHIVES = {
    "ustar": tar(entry("user.txt", USERS), entry("a/log.txt", LOGS)),
    "gnu": tar(entry("user.txt", USERS), entry("a/log.txt", LOGS), form=tarfile.GNU_FORMAT),
    "pax": tar(entry("user.txt", USERS), entry("a/log.txt", LOGS), form=tarfile.PAX_FORMAT),
    "pax of all": tar(
        entry("user.txt", USERS, mtime=1.5, pax_headers={"comment": "a\nb"}),
        entry("a/log.txt", LOGS),
        form=tarfile.PAX_FORMAT,
        pax_headers={"comment": "of all"},
    ),
    "v7": header(b"user.txt", magic=bytes(8), size=octal(len(USERS)))
    + padded(USERS)
    + header(b"a/log.txt", kind=b"\0", magic=bytes(8), size=octal(len(LOGS)))
    + padded(LOGS)
    + END,
}
"""The same two texts, as different programs write them."""


@pytest.mark.parametrize("form", ARCHIVES)
def test_every_format_of_tar_is_read(form: str) -> None:
    """The texts are found in old and new formats alike, with their names and in their order."""
    packet = zipped(ARCHIVES[form])
    assert expand(packet) == [Member("user.txt", USERS), Member("a/log.txt", LOGS)]


@pytest.mark.parametrize(
    "text", [b"", b"\n", USERS, USERS * 100, LOGS * 20_000, USERS + b"\0", b"\0" * 511]
)
def test_a_gzip_of_plain_text_is_one_member(text: bytes) -> None:
    """Text that is no archive, of whatever length, is one member without a name."""
    assert expand(zipped(text)) == [Member("", text)]


def test_text_that_speaks_of_tar_is_text() -> None:
    """Neither the magic word of tar nor a number where its checksum stands makes text a tar."""
    text = bytearray(b"x" * 2048)
    text[257:265] = b"ustar  x"
    text[148:156] = b"0000000 "
    assert expand(zipped(bytes(text))) == [Member("", bytes(text))]


LONG = "directory/" * 30 + "user.txt"


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", [LONG, "\u4e0a\u73ed.txt", "\u4e0a" * 200, "../../etc/passwd"])
def test_a_name_is_text_and_nothing_else(name: str, form: int) -> None:
    """Long names, and names in any script, are as they were given; they lead nowhere."""
    packet = zipped(tar(entry(name, LOGS), entry("b", USERS), form=form))
    assert expand(packet) == [Member(name, LOGS), Member("b", USERS)]


def test_a_name_is_put_together_from_both_its_fields() -> None:
    """Old archives split a name of more than 100 bytes at a slash."""
    name = "d" * 90 + "/" + "n" * 90
    assert expand(zipped(tar(entry(name, LOGS)))) == [Member(name, LOGS)]


def test_a_name_that_is_not_text_is_shown_as_one() -> None:
    """Bytes of a name that are not UTF-8 are shown by their hex digits."""
    packet = zipped(header(b"caf\xe9") + END)
    assert expand(packet) == [Member("caf\\xe9", b"")]


def test_of_two_long_names_the_last_one_counts() -> None:
    """A chain of headers that say more of one member is read without recursion."""
    longs = [header(b"././@LongLink", b"L", size=octal(2)) + padded(b"%c\0" % n) for n in b"abc"]
    packet = zipped(b"".join(longs * 300) + header() + header(b"own") + END)
    assert expand(packet) == [Member("c", b""), Member("own", b"")]


ODD = [
    entry("link", kind=tarfile.LNKTYPE, linkname="user.txt"),
    entry("symlink", kind=tarfile.SYMTYPE, linkname="/etc/passwd"),
    entry("long", kind=tarfile.SYMTYPE, linkname="l" * 300),
    entry("characters", kind=tarfile.CHRTYPE, devmajor=1, devminor=3),
    entry("blocks", kind=tarfile.BLKTYPE, devmajor=8),
    entry("directory", kind=tarfile.DIRTYPE),
    entry("pipe", kind=tarfile.FIFOTYPE),
    entry("sparse", kind=tarfile.GNUTYPE_SPARSE),
    entry("label", kind=b"V"),
    entry("unknown", kind=b"Z"),
]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd[0].name)
def test_members_that_are_no_texts_are_ignored(odd: Entry, form: int) -> None:
    """Links, directories, devices, pipes and the like do not hide the texts around them."""
    packet = zipped(tar(entry("a", USERS), odd, entry("b", LOGS), form=form))
    assert expand(packet) == [Member("a", USERS), Member("b", LOGS)]


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"5", b"6"])
def test_what_cannot_hold_bytes_holds_none(kind: bytes) -> None:
    """A link or directory that claims a size has none; what follows it is the next header."""
    packet = zipped(header(kind=kind, size=octal(512)) + header(b"b") + END)
    assert expand(packet) == [Member("b", b"")]


def test_an_old_directory_is_no_text() -> None:
    """In the oldest format a directory is a file whose name ends with a slash."""
    packet = zipped(header(b"d/", b"\0", magic=bytes(8)) + header(b"b") + END)
    assert expand(packet) == [Member("b", b"")]


def test_a_contiguous_file_is_a_text() -> None:
    """Members that were contiguous on some disk are files like others."""
    assert expand(zipped(tar(entry("c", LOGS, tarfile.CONTTYPE)))) == [Member("c", LOGS)]


@pytest.mark.parametrize("kind", [b"S", b"M", b"D", b"Z", b"A"])
def test_bytes_that_are_not_read_are_not_passed_over(kind: bytes) -> None:
    """A sparse or unknown member with bytes in it costs the packet: ignored, it would be lost."""
    packet = zipped(tar(entry("a", USERS), entry("odd", LOGS, kind)))
    assert refused(packet) == "member 2: it holds bytes, and is of a kind that is not read"


def test_a_sparse_member_in_disguise_is_found() -> None:
    """Newer archives write sparse members as regular ones, and say so in an extended header."""
    odd = entry("a", LOGS, pax_headers={"GNU.sparse.major": "1"})
    assert "not read" in refused(zipped(tar(odd, form=tarfile.PAX_FORMAT)))


@pytest.mark.parametrize("archive", [END, bytes(512), bytes(10240), tar()])
def test_an_empty_archive_has_no_members(archive: bytes) -> None:
    """An archive of nothing but its end is read, and there is nothing in it."""
    assert expand(zipped(archive)) == []


def test_empty_members_are_members() -> None:
    """A member without bytes has a name, and is there."""
    packet = zipped(tar(entry("a"), entry("b", LOGS), entry("c")))
    assert expand(packet) == [Member("a", b""), Member("b", LOGS), Member("c", b"")]


@pytest.mark.parametrize("end", [b"", bytes(100), bytes(512), END, bytes(1536), bytes(1 << 19)])
def test_an_archive_may_end_with_more_or_fewer_blocks(end: bytes) -> None:
    """The end blocks may be missing, or padded: the gzip says that nothing is."""
    packet = zipped(header(size=octal(len(LOGS))) + padded(LOGS) + end)
    assert expand(packet) == [Member("a.txt", LOGS)]


@pytest.mark.parametrize("step", [1, 7, 512, 4000])
def test_a_gzip_in_several_parts_is_one_packet(step: int) -> None:
    """Parts of a gzip are joined, wherever the archive was cut, and empty ones too."""
    archive = ARCHIVES["ustar"]
    parts = [zipped(archive[at : at + step], 1) for at in range(0, len(archive), step)]
    packet = b"".join([zipped(b""), *parts, zipped(b"")])
    assert expand(packet, HUGE) == expand(zipped(archive))


def test_nuls_after_the_packet_are_no_rubbish() -> None:
    """The NUL after a buffer, or a whole buffer of them, may follow the gzip."""
    assert expand(zipped(LOGS) + bytes(1)) == [Member("", LOGS)]
    assert expand(zipped(tar(entry("a", LOGS))) + bytes(5000)) == [Member("a", LOGS)]


def test_all_that_a_gzip_may_say_of_itself_is_passed_over() -> None:
    """Extra fields, file name, comment and header checksum of a gzip do not matter."""
    plain = gzip.compress(LOGS, mtime=1)
    head = b"\x1f\x8b\x08\x1f" + plain[4:10] + struct.pack("<H", 3) + b"abc" + b"../n\0" + b"c\0"
    packet = head + struct.pack("<H", zlib.crc32(head) & 0xFFFF) + plain[10:]
    assert expand(packet) == [Member("", LOGS)]


@pytest.mark.parametrize(
    "size",
    [
        b"        131\0",
        b"131 \0\0\0\0\0\0\0\0",
        b"131\0old junk",
        b"00000000131 ",
        b"\x80" + bytes(10) + b"Y",
    ],
)
def test_a_size_is_read_as_every_program_writes_it(size: bytes) -> None:
    """Sizes may be led by spaces, ended by NULs or a space, or binary."""
    text = b"x" * 0o131
    assert expand(zipped(header(size=size) + padded(text))) == [Member("a.txt", text)]


def test_a_size_in_an_extended_header_counts() -> None:
    """The size in an extended header is taken for that of the header after it, and only that."""
    record = b"11 size=87\n"
    extended = header(kind=b"x", size=octal(len(record))) + padded(record)
    packet = zipped(extended + header() + padded(b"x" * 87) + header(b"b") + END)
    assert expand(packet) == [Member("a.txt", b"x" * 87), Member("b", b"")]


def test_a_checksum_may_have_been_made_of_signed_bytes() -> None:
    """Some old systems sum the bytes of a header as signed ones."""
    unsigned = header(b"\xff\xff")
    total = int(unsigned[148:154], 8) - 2 * 256
    packet = zipped(header(b"\xff\xff", checksum=b"%06o\0 " % total) + END)
    assert expand(packet) == [Member("\\xff\\xff", b"")]


ONE = header(size=octal(len(LOGS))) + padded(LOGS)
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


GOOD = zipped(LOGS)
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
TEN_GIB = 640
BOMBS = {
    "zeros": lambda: zipped(bytes(64 * MIB + 1)),
    "ten GiB of zeros": lambda: flushed(ZEROS, TEN_GIB),
    "ten GiB in good parts": lambda: zipped(ZEROS) * TEN_GIB,
    "ten GiB of text": lambda: flushed(LOGS * 400_000, TEN_GIB),
    "ten GiB in a member": lambda: zipped(header(size=octal(30 * MIB))) + zipped(ZEROS) * TEN_GIB,
    "ten GiB in a huge member": lambda: (
        zipped(header(size=b"\x80" + (10 << 30).to_bytes(11))) + zipped(ZEROS) * TEN_GIB
    ),
    "ten GiB after the end": lambda: zipped(ONE + END) + zipped(ZEROS) * TEN_GIB,
    "ten GiB ignored": lambda: (
        zipped(header(kind=b"Z", size=octal(4 << 30))) + zipped(ZEROS) * TEN_GIB
    ),
    "ten GiB of names": lambda: (
        zipped(header(kind=b"L", size=octal(4 << 30))) + zipped(ZEROS) * TEN_GIB
    ),
    "ten GiB packed again": lambda: zipped(zipped(ZEROS) * TEN_GIB),
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
        + zipped(ZEROS) * TEN_GIB
    ),
    "a million parts": lambda: zipped(b"") * 1_000_000,
    "a million parts of text": lambda: zipped(b"\n") * 1_000_000,
    "one part of long names": lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * (64 * MIB),
    "empty blocks": lambda: GOOD[:10] + b"\0\0\0\xff\xff" * (4 * MIB),
}


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


def names() -> st.SearchStrategy[str]:
    """Names that fit a header."""
    characters = st.characters(codec="utf-8", exclude_characters="\0")
    return st.text(characters, max_size=25)


TEXTS = st.binary(max_size=2000).filter(lambda data: not data.startswith(packets.PACKED))


@given(st.lists(st.tuples(names(), TEXTS), max_size=10))
def test_what_was_packed_is_what_is_read(texts: list[tuple[str, bytes]]) -> None:
    """Members come out of a packet as they went in, and Python's own tar reads the same."""
    packet = pack(texts)
    assert expand(packet) == [Member(*text) for text in texts]
    assert packet == pack(texts)
    with tarfile.open(fileobj=io.BytesIO(packet), mode="r:gz") as archive:
        read = [archive.extractfile(info) for info in archive]
        assert [file.read() for file in read if file] == [data for _, data in texts]


@given(TEXTS.filter(lambda text: b"\0" not in text.rstrip(b"\0")))
def test_plain_text_that_was_packed_is_what_is_read(text: bytes) -> None:
    """Plain text comes out of a packet as it went in, and Python's own gzip reads the same."""
    assert expand(pack_plain(text)) == [Member("", text)]
    assert gzip.decompress(pack_plain(text)) == text


def test_a_packet_has_no_time_in_it() -> None:
    """The time is zero in the gzip and in the tar, so that a packet is the same tomorrow."""
    packet = pack([("a", LOGS)])
    assert packet[4:8] == bytes(4)
    with tarfile.open(fileobj=io.BytesIO(packet)) as archive:
        assert [info.mtime for info in archive] == [0]


@pytest.mark.parametrize("name", ["n" * 101, "\u4e0a" * 34, "a\0b"])
def test_a_name_that_does_not_fit_is_not_packed(name: str) -> None:
    """A name that a header cannot hold is refused, not cut."""
    with pytest.raises(ValueError, match="at most 100 bytes"):
        pack([(name, b"")])


def read_or_refused(packet: bytes) -> None:
    """A packet is read, or refused with a reason; nothing else can happen."""
    reason = None
    try:
        for member in members(packet, PacketLimits(members=100)):
            assert isinstance(member.name, str)
    except PacketError as error:
        reason = str(error)
    assert reason is None or (re.fullmatch(r"[ -~]+", reason) and "OK" not in reason)


@given(st.binary())
def test_any_bytes_are_read_or_refused(packet: bytes) -> None:
    """Whatever a terminal sends as a packet, the answer is members or a reason."""
    read_or_refused(packet)
    read_or_refused(GOOD[:10] + packet)


FIELDS = st.fixed_dictionaries(
    {"kind": st.sampled_from([b"0", b"\0", b"x", b"L", b"g", b"S", b"5", b"Z"])},
    optional={
        "name": st.binary(max_size=100),
        "size": st.binary(max_size=12) | st.integers(0, 2000).map(octal),
        "magic": st.binary(max_size=8),
        "checksum": st.binary(max_size=8),
    },
)
BLOCKS = st.one_of(
    FIELDS.map(lambda fields: header(**fields)),
    st.just(bytes(512)),
    st.binary(max_size=600),
    st.binary(max_size=40).map(padded),
    st.sampled_from([b"9 path=a\n", b"10 path=a\n", b"9 size=1\n", b"7 a=bc\n"]).map(padded),
)


@given(st.lists(BLOCKS, max_size=8).map(b"".join))
def test_any_archive_is_read_or_refused(archive: bytes) -> None:
    """Whatever is in the headers of an archive, the answer is members or a reason."""
    read_or_refused(zipped(archive))

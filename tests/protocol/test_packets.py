"""Data packets (11.14): what Python's own tar and gzip write is read, and what is packed too."""

from __future__ import annotations

import gzip
import io
import re
import struct
import tarfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol import packets
from zkpush.protocol.packets import (
    Member,
    PacketError,
    PacketLimits,
    expand,
    members,
    pack,
    pack_plain,
)

from .archives import (
    ARCHIVES,
    END,
    GOOD,
    HUGE,
    LOGS,
    ODD,
    USERS,
    Entry,
    entry,
    header,
    octal,
    padded,
    refused,
    tar,
    zipped,
)


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

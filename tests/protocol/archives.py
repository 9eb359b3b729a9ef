"""Archives and packets (11.14) for tests, whole and broken ones."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from zkpush.protocol import packets
from zkpush.protocol.packets import (
    PacketError,
    PacketLimits,
    expand,
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
    # The types of tarfile name each option, and these are any of them.
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

ONE = header(size=octal(len(LOGS))) + padded(LOGS)

GOOD = zipped(LOGS)

"""Data packets (spec 11.14): gzipped tar archives of text members, or gzipped plain text.

`members` expands a packet incrementally and holds one member at a time. Only the last bytes of a
gzip verify it, so anything yielded before a `PacketError` is part of a bad packet. To neither lose
nor duplicate data, store all members or, as a reject, the whole packet. Use `expand`, which returns
once the whole packet is verified and is bounded by `PacketLimits.expanded`; or store members in one
transaction as they are yielded, and roll it back on an error.

The tar reader does not use `tarfile`, which keeps extended headers of any size, recurses on chains
of them, takes a damaged header for the end of the archive, and never verifies the end of the gzip.
This reader only moves forward, and holds at most one member or one small extended header.

Accepted are: multi-part gzip; zlib (RFC 1950), which HTTP calls deflate; trailing NULs; v7, ustar,
GNU and pax headers; and an archive without its end blocks, because the gzip shows that it is
complete. Links, directories, devices and pipes count as members and are ignored. Members of other
kinds (sparse, multi-volume, unknown) are ignored if empty; otherwise the packet is refused, because
ignoring their bytes would lose them. Text that is compressed again is refused, not expanded. Error
messages never quote the packet.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec


class PacketError(ValueError):
    """A packet was refused; the message is one line of ASCII and gives the reason."""


class PacketTooLarge(PacketError):
    """A packet exceeds a limit; it may be valid, but was not read to its end."""


class PacketLimits(msgspec.Struct, frozen=True):
    """Resource limits for expanding a packet."""

    compressed: int = 16 * 1024 * 1024
    """Maximum size of the packet in bytes."""
    expanded: int = 64 * 1024 * 1024
    """Maximum expanded size in bytes, including tar headers and padding."""
    ratio: int = 100
    """Maximum expanded bytes per packet byte; the first MiB is exempt (text stays below 30)."""
    members: int = 10_000
    """Maximum number of tar members, including ignored ones and extended headers; also of gzip
    parts."""
    member: int = 32 * 1024 * 1024
    """Maximum size in bytes of one member or of the plain text."""


DEFAULTS = PacketLimits()


class Member(NamedTuple):
    """One text member of a packet, in the format of an OPERLOG body."""

    name: str
    """The name that the terminal gave it: untrusted text, not a path. Empty for plain text."""
    data: bytes


_FREE = 1024 * 1024
"""Expanded bytes exempt from the ratio limit: a small tar is mostly padding."""
_STEP = 16 * 1024
"""Compressed bytes passed to zlib at once."""
_PIECE = 64 * 1024
"""Maximum expanded bytes returned by zlib at once."""
_EXTENDED = 64 * 1024
"""Maximum size in bytes of an extended header."""
_GZIP = 16 + zlib.MAX_WBITS
_EITHER = 32 + zlib.MAX_WBITS
"""zlib's mode that detects gzip or zlib by the first bytes."""
_GZIP_MARK = b"\x1f\x8b"
COMPRESSED = (_GZIP_MARK, b"x\x01", b"x\x9c", b"x\xda")
"""Prefixes of gzip and zlib data. The fourth zlib prefix, `x^`, may also be text."""
_BLOCK = 512
_END = bytes(_BLOCK)
_CHECKSUM = slice(148, 156)
"""Its place in a header."""
_ASCII = bytes(range(128))
_TEXTS = (b"0", b"\0", b"7")
_EMPTY = (b"1", b"2", b"3", b"4", b"5", b"6")
"""Links, devices, directories and pipes: no data follows, whatever their size field holds."""
_PAX, _LONG_NAME, _GLOBAL, _SPARSE = (b"x", b"X"), b"L", b"g", b"GNU.sparse"
_EXTENDS = (*_PAX, _LONG_NAME, _GLOBAL, b"K")
"""Headers that extend the next member. Long link names and global headers are ignored."""
_NUMBER = re.compile(rb" *+([0-7]*+) *+(?:\0|\Z)")
_DIGITS = re.compile(rb"[0-9]{1,20}\Z")
_RECORD = re.compile(rb"([0-9]{1,6}) ([^=\n]++)=")
PACKED = (b"\x1f\x8b", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"BZh91AY&SY")
"""Prefixes of gzip, xz, zstd, zip and bzip2 data."""


def expand(packet: bytes, limits: PacketLimits = DEFAULTS) -> list[Member]:
    """Return all members of a packet; raises `PacketError` if it is not valid to its end."""
    return list(members(packet, limits))


def expansion(packet: bytes, limits: PacketLimits = DEFAULTS) -> int:
    """Maximum number of bytes that a packet may expand to."""
    return min(limits.expanded, max(_FREE, limits.ratio * len(packet)))


def members(packet: bytes, limits: PacketLimits = DEFAULTS) -> Iterator[Member]:
    """Yield the text members of a packet in order, holding at most about two `limits.member`.

    Raises `PacketError`, possibly after some members, if the packet as a whole must be refused, and
    `PacketTooLarge` if a limit is the reason.
    """
    if len(packet) > limits.compressed:
        raise PacketTooLarge(f"the packet has more than {limits.compressed} bytes")
    if not packet.startswith(COMPRESSED):
        raise PacketError("the packet is not gzip")
    stream = _Stream(packet, limits)
    block = stream.read(_BLOCK)
    if block == _END or _is_tar(block):
        yield from _archived(stream, block, limits)
        return
    _refuse_packed("the text", block)
    # A NUL may end a text; NULs inside come from a damaged header.
    if b"\0" in block.rstrip(b"\0"):
        raise PacketError("the packet begins with neither text nor the header of a tar")
    text = block + stream.read(max(1, limits.member + 1 - len(block)))
    if len(text) > limits.member:
        raise PacketTooLarge(f"the text has more than {limits.member} bytes")
    yield Member("", text)


def gathered(texts: Iterable[Member], size: int) -> Iterator[bytes]:
    """Split long members and join short ones, so that few parts are about `size` bytes."""
    held: list[bytes] = []
    length = 0
    for text in texts:
        for body in cut(text.data, size):
            if held and length + len(body) > size:
                yield b"\n".join(held)
                held, length = [], 0
            held.append(body)
            length += len(body) + 1
    if held:
        yield b"\n".join(held)


def cut(body: bytes, size: int) -> Iterator[bytes]:
    """Split a body after the last line within `size` bytes, or after a longer line."""
    start = 0
    while len(body) - start > size:
        end = body.rfind(b"\n", start, start + size) + 1 or body.find(b"\n", start + size) + 1
        if not end:
            break
        yield body[start:end]
        start = end
    if start < len(body) or not body:
        yield body[start:]


def pack(texts: Iterable[tuple[str, bytes]]) -> bytes:
    """Build a tar packet; the same members always produce the same bytes.

    Raises `ValueError` if a name contains a NUL or has more than 100 bytes of UTF-8.
    """
    archive = b"".join(
        _header(name, len(data)) + data + bytes(-len(data) % _BLOCK) for name, data in texts
    )
    return pack_plain(archive + 2 * _END)


def pack_plain(text: bytes) -> bytes:
    """Build a plain text packet; the same text always produces the same bytes."""
    return zlib.compress(text, wbits=_GZIP)


class _Stream:
    """The expanded data of a packet, read forward once and never far beyond the limits."""

    def __init__(self, packet: bytes, limits: PacketLimits) -> None:
        self._packet = packet
        self._limits = limits
        self._at = 0
        self._parts = 1
        self._inflate = zlib.decompressobj(_EITHER)
        by_ratio = max(_FREE, limits.ratio * len(packet))
        self._left = min(limits.expanded, by_ratio)
        self._most = (
            f"{limits.ratio} times its size"
            if by_ratio < limits.expanded
            else f"{limits.expanded} bytes"
        )

    def read(self, size: int) -> bytes:
        """Read `size` bytes; fewer only at the end, once the gzip is verified."""
        pieces = []
        while size and (piece := self._read_some(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def claim(self, size: int) -> None:
        """Raise `PacketTooLarge` for a size beyond the remaining limit, before reading it."""
        if size > self._left:
            raise PacketTooLarge(f"the packet expands to more than {self._most}")

    def _read_some(self, most: int) -> bytes:
        while not self._inflate.eof or self._next_part():
            given = self._packet[self._at : self._at + _STEP]
            try:
                # One byte beyond the limit reveals that there is more.
                piece = self._inflate.decompress(given, min(most, _PIECE, self._left + 1))
            except zlib.error as error:
                raise PacketError(f"the gzip is damaged: {error}") from None
            inflate = self._inflate
            kept = len(inflate.unused_data if inflate.eof else inflate.unconsumed_tail)
            self._at += len(given) - kept
            if piece:
                self.claim(len(piece))
                self._left -= len(piece)
                return piece
            if kept == len(given) and not inflate.eof:
                raise PacketError("the gzip breaks off")
        return b""

    def _next_part(self) -> bool:
        rest = len(self._packet) - self._at
        # Firmware may send the NULs after its buffer; one scan of the rest is enough.
        if not rest or (not self._packet[self._at] and self._packet.count(0, self._at) == rest):
            return False
        if not self._packet.startswith(_GZIP_MARK, self._at):
            raise PacketError("something follows the gzip")
        self._parts += 1
        if self._parts > self._limits.members:
            raise PacketTooLarge(f"the gzip has more than {self._limits.members} parts")
        self._inflate = zlib.decompressobj(_GZIP)
        return True


def _archived(stream: _Stream, block: bytes, limits: PacketLimits) -> Iterator[Member]:
    """Yield the text members of a tar, whose first block has already been read."""
    number = 0
    kind = b""
    said: dict[bytes, bytes] = {}
    while len(block) == _BLOCK and block != _END:
        number += 1
        if number > limits.members:
            raise PacketTooLarge(f"the tar has more than {limits.members} members")
        where = f"member {number}"
        if not _has_checksum(block):
            raise PacketError(f"{where}: its header is damaged, the checksum does not fit")
        kind, size = block[156:157], _number(block[124:136])
        if kind in _EXTENDS:
            extended = _read_data(stream, where, size, _EXTENDED)
            if kind == _LONG_NAME:
                said[b"path"] = extended.partition(b"\0")[0]
            elif kind in _PAX:
                said |= _records(where, extended)
        else:
            name = said.get(b"path") or _own_name(block)
            if kind not in _EMPTY and not (kind == b"\0" and name.endswith(b"/")):
                data = _read_data(stream, where, _size(said, size), limits.member)
                if kind in _TEXTS and _SPARSE not in said:
                    _refuse_packed(where, data)
                    yield Member(name.decode(errors="backslashreplace"), data)
                elif data:
                    raise PacketError(f"{where}: it holds bytes, and is of a kind that is not read")
                del data  # hold one member at a time
            said = {}
        block = stream.read(_BLOCK)
    if len(block) < _BLOCK and block.strip(b"\0"):
        raise PacketError("the tar breaks off in a header")
    if kind in _EXTENDS and kind != _GLOBAL:
        raise PacketError("the tar ends where another member was announced")
    while block:
        if block.strip(b"\0"):
            raise PacketError("something follows the end of the tar")
        block = stream.read(_PIECE)


def _refuse_packed(where: str, data: bytes) -> None:
    if data.startswith(PACKED) or _is_tar(data[:_BLOCK]):
        raise PacketError(f"{where}: it is packed again, and that is not expanded")


def _read_data(stream: _Stream, where: str, size: int | None, most: int) -> bytes:
    """Read the data of a member and the padding after it."""
    if size is None:
        raise PacketError(f"{where}: its size is not a number of bytes")
    if size > most:
        raise PacketTooLarge(f"{where}: it has more than {most} bytes")
    padding = -size % _BLOCK
    stream.claim(size + padding)
    data = stream.read(size)
    if len(data) < size or len(stream.read(padding)) < padding:
        raise PacketError(f"{where}: the tar breaks off")
    return data


def _is_tar(block: bytes) -> bool:
    """Whether a first block is a tar header: unlike text, it contains NULs."""
    return len(block) == _BLOCK and b"\0" in block and _has_checksum(block)


def _has_checksum(block: bytes) -> bool:
    expected, own = _number(block[_CHECKSUM]), block[_CHECKSUM]
    total = sum(block) - sum(own) + len(own) * ord(" ")  # the sum counts itself as spaces
    if expected is None or expected >= total:
        return expected == total
    # Some old systems summed signed bytes.
    high = block[: _CHECKSUM.start] + block[_CHECKSUM.stop :]
    return expected == total - 256 * len(high.translate(None, _ASCII))


def _number(field: bytes) -> int | None:
    """Decode a numeric header field: octal, or binary for large values; None if invalid."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:])
    found = _NUMBER.match(field)
    return int(found[1] or b"0", 8) if found else None


def _own_name(block: bytes) -> bytes:
    name = block[:100].partition(b"\0")[0]
    prefix = block[345:500].partition(b"\0")[0] if block[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _records(where: str, data: bytes) -> dict[bytes, bytes]:
    """Parse the `<length> <key>=<value>` LF records of pax; the length counts the whole record.

    Only relevant keys are kept, so that a chain of such headers stays small.
    """
    records = {}
    at = 0
    while at < len(data):
        found = _RECORD.match(data, at)
        end = at + int(found[1]) if found else 0
        if not found or not found.end() < end <= len(data) or data[end - 1] != ord("\n"):
            raise PacketError(f"{where}: its extended header is damaged")
        key = _SPARSE if found[2].startswith(_SPARSE) else found[2]
        if key in (b"path", b"size", _SPARSE):
            records[key] = data[found.end() : end - 1]
        at = end
    return records


def _size(said: dict[bytes, bytes], own: int | None) -> int | None:
    if b"size" not in said:
        return own
    return int(said[b"size"]) if _DIGITS.match(said[b"size"]) else None


def _header(name: str, size: int) -> bytes:
    """Build a ustar header of a regular file."""
    encoded = name.encode()
    if len(encoded) > 100 or b"\0" in encoded:
        raise ValueError("a name in a packet has at most 100 bytes, and no NUL")
    head = b"%s0000644\0%s%011o\0%011o\0" % (encoded.ljust(100, b"\0"), b"0000000\0" * 2, size, 0)
    tail = (b"0".ljust(101, b"\0") + b"ustar\x0000").ljust(_BLOCK - len(head) - 8, b"\0")
    return b"%s%06o\0 %s" % (head, sum(head) + sum(tail) + 8 * ord(" "), tail)

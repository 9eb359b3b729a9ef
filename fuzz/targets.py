"""What is fuzzed: each target takes bytes, and raises if something does not hold."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Callable, Iterable

import attrs

from tests import cost
from tests.declared import RECORD_TABLES
from tests.door import corpus, differential
from zkpush.crypto.sealing import decode_public, decode_value
from zkpush.handlers.people.tables import USER
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.envelope import (
    Direction,
    NotOpened,
    decode_step,
    place_of,
    sealed_of,
    step_of,
    unreadable_form,
)
from zkpush.protocol.errors import TerminalError, refusal
from zkpush.protocol.fields import Layout
from zkpush.protocol.handshake import decode_hello
from zkpush.protocol.packets import PacketError, PacketLimits, expand, pack, pack_plain
from zkpush.protocol.replies import CommandReply, decode_replies, encode_reply
from zkpush.protocol.reports import OPTIONS
from zkpush.protocol.requests import Upload, check_stamp, parse_arguments, read_query
from zkpush.protocol.uploads import UploadDecoder
from zkpush.protocol.verification import find_pin

_LIMITS = PacketLimits(compressed=65_536, expanded=262_144, ratio=100, members=50, member=131_072)
_DECODER = UploadDecoder([*RECORD_TABLES, OPTIONS], _LIMITS)
_TABLES = ["OPERLOG", "tabledata", *[n for t in RECORD_TABLES for n in (t.name, *t.aliases)]]
_TABLES += [OPTIONS.name, "INFO"]
MEASURED_ONE_OF = 64
"""Of how many inputs one is measured, too."""
_ENCODINGS = ("utf-8", "gb18030")


@attrs.frozen
class Target:
    """One thing that is fuzzed."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    """What the fuzzer begins with."""
    longest: int = 2048
    """Bytes."""
    is_measured: bool = True
    """Whether its cost is that of our own code only."""

    def check(self, data: bytes, *, measured: bool = True) -> None:
        """Run the target; and, if its cost is measured, on longer inputs that are made of this.

        A piece of the input, chosen by its last two bytes, is repeated: what takes more than time
        and memory in proportion to its length raises `cost.Growth`.
        """
        self.run(data)
        if measured and self.is_measured and len(data) > 2:
            start = data[-1] * 8 % len(data)
            piece = data[start : start + 1 + data[-2] % 8]
            cost.check_pumped(self.run, data, start, piece)

    def fuzz(self, data: bytes) -> None:
        """Run the target, and measure the cost of some inputs: that takes as long as hundreds."""
        self.check(data, measured=zlib.crc32(data) % MEASURED_ONE_OF == 0)


def _head(data: bytes, count: int) -> tuple[bytes, bytes]:
    """The bytes that choose, and the rest."""
    return data[:count].ljust(count, b"\0"), data[count:]


def channel(data: bytes) -> None:
    """HTTP: zkpush's channel sees what twisted.web's does, however the bytes come, or refuses."""
    (one, other), raw = _head(data, 2)
    parts = differential.in_parts(raw, {one, other, one + other})
    differential.compare(parts)
    differential.compare_cut(raw, {one, other, one + other})


def records(data: bytes) -> None:
    """Uploads of every table, in both encodings: nothing is fatal, nothing is lost."""
    (table, how), body = _head(data, 2)
    upload = Upload(
        _TABLES[table % len(_TABLES)], body, name="20081119172119-4.jpg" if how & 2 else None
    )
    dialect = Dialect(encoding=_ENCODINGS[how & 1], device_type="pid" if how & 4 else None)
    contents = _DECODER.decode(upload, dialect)
    for reject in contents.rejects:
        assert reject.reason
        assert "\n" not in reject.reason
        assert reject.raw in body
    if body.strip(b"\0\t\r\n "):
        assert contents.batches or contents.rejects
    for batch in contents.batches:
        for row in batch.rows:
            if batch.table.layout in (Layout.COLUMNS, Layout.KEYED):
                assert len(row) == len(batch.table.names) + 2
    assert contents.refusal is None


def replies(data: bytes) -> None:
    """Answers to commands: nothing is fatal; what is read can be written, and reads the same."""
    (how,), body = _head(data, 1)
    encoding = _ENCODINGS[how & 1]
    found, rejects = decode_replies(body, encoding)
    if body.strip():
        assert found or rejects
    assert all(reject.raw in body for reject in rejects)
    for reply in found:
        assert reply.return_code is None or abs(reply.return_code) <= 9_999_999_999
        plain = CommandReply(id="1", return_code=reply.return_code, command="DATA")
        assert decode_replies(encode_reply(plain, encoding), encoding) == ([plain], [])
    find_pin(body, encoding, USER.field("pin"))


def packets(data: bytes) -> None:
    """Packets: text or a reason, and within the limits; also what is in a sound gzip."""
    for packet in (data, gzip.compress(data, 1)):
        try:
            members = expand(packet, _LIMITS)
        except PacketError as error:
            assert str(error).isascii()
            assert "\n" not in str(error)
            continue
        assert len(members) <= _LIMITS.members
        assert all(len(member.data) <= _LIMITS.member for member in members)
        assert sum(len(member.data) for member in members) <= _LIMITS.expanded
        named = all(len(member.name.encode()) <= 100 for member in members)
        if named and all(member.name for member in members):
            again = expand(pack(members), PacketLimits())
            assert [member.data for member in again] == [member.data for member in members]
    _DECODER.decode(Upload("OPERLOG", data, packed=True), Dialect())


def envelope(data: bytes) -> None:
    """Requests around what is encrypted: a reading, or the error that becomes a refusal."""
    query, _, body = data.partition(b"\n")
    path, _, query = query.partition(b"?")
    path = b"/" + path.lstrip(b"/")
    try:
        arguments = parse_arguments(query)
    except TerminalError as error:
        assert b"OK" not in refusal(str(error))
        return
    try:
        sn, again = read_query(query)
        assert sn.isascii()
        assert all(arguments[name] == value for name, value in again.items())
    except TerminalError as error:
        assert b"OK" not in refusal(str(error))
    decode_hello(arguments)
    stamp = check_stamp(arguments.get("Stamp"))
    assert stamp is None or not set("\r\n\t\0") & set(stamp)
    sn = arguments.get("SN", "")
    for method in ("GET", "POST"):
        place = place_of(sn, method, path, arguments)
        assert place == place_of(sn, method.title(), b"/iclock" + path, arguments)
        for direction in Direction:
            place.binding(direction)
        sealed_of(method, arguments, body)
    unreadable_form(body)
    with contextlib.suppress(TerminalError, NotOpened):
        decode_public(decode_step(step_of(arguments), body))
    with contextlib.suppress(NotOpened):
        decode_value(body)
    assert b"OK" not in refusal(data.decode("utf-8", "surrogateescape"))


def _each(table_bodies: Iterable[tuple[str, bytes]]) -> tuple[bytes, ...]:
    return tuple(
        bytes((_TABLES.index(table), how)) + body for table, body in table_bodies for how in (0, 1)
    )


_UPLOADS = (
    ("ATTLOG", b"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n8 2026-01-05 08:00:00 0 1\r\n"),
    (
        "OPERLOG",
        b"USER PIN=7\tName=Ann\tPri=0\tCard=[15CD5B07]\tX=1\nOPLOG 4\t14\t289515406\t0\t0\t0\t0\n",
    ),
    (
        "OPERLOG",
        b"FP PIN=7\tFID=1\tSize=4\tValid=1\tTMP=AAAA\nFACE PIN=7\tFID=0\tSIZE=4\tVALID=1\tTMP=AAAA",
    ),
    (
        "OPERLOG",
        b"USERPIC PIN=7\tFileName=7.jpg\tSize=4\tContent=/9j/\n"
        b"FVEIN Pin=7\tFID=1\tIndex=0\tTmp=AA==",
    ),
    ("BIODATA", b"BIODATA Pin=7\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\tMajorVer=5\tTmp=AAAA"),
    ("ATTPHOTO", b"PIN=20081119172119-4.jpg\nSN=T1\nsize=4\nCMD=uploadphoto\0\xff\xd8\xff\xd9"),
    ("options", b"~DeviceName=X,~OEMVendor=ZKTECO CO., LTD.,IPAddress=192.0.2.1,FWVersion=Ver 8"),
)
_ANSWERS = (
    b"\0ID=1&Return=0&CMD=DATA\nID=2&Return=-1&CMD=DATA",
    b"\0ID=1&Return=0&CMD=INFO\n~DeviceName=X\nFWVersion=8",
    b"\0ID=1\nSN=T1\nFILENAME=a\nCMD=GetFile\nReturn=4\nContent=\xff\0\n\n",
)
_QUERIES = (
    b"/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1\n" + _UPLOADS[0][1],
    b"/iclock/exchange?SN=T1&type=publickey\nPublicKey=AAAA",
    b"/iclock/exchange?SN=T1&type=factors\nFactors=AAAA",
    b"/iclock/cdata?SN=T1&options=all&pushver=2.4.1&language=83&pushcommkey=" + b"a" * 32,
    b"/iclock/getrequest?SN=T1&seal=AAAA\nLZO1\x04\0\0\0abcd",
)
_HTTP = tuple(
    b"\x20\x50" + attack.raw
    for attack in (*corpus.HEADERS, *corpus.SMUGGLING)
    if len(attack.raw) < 2000
)

TARGETS = {
    "channel": Target(channel, _HTTP, is_measured=False),  # half of it is twisted.web's
    "records": Target(records, _each(_UPLOADS)),
    "replies": Target(replies, _ANSWERS),
    "packets": Target(
        packets,
        (
            pack([("a", b"USER PIN=1\n")]),
            pack_plain(b"USER PIN=1\n"),
            gzip.decompress(pack([("a", b"x")])),
        ),
        4096,
    ),
    "envelope": Target(envelope, _QUERIES),
}

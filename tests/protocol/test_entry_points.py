"""Whatever reads what comes in: its time and memory grow with the input's length, and no faster."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from zkpush.crypto.sealing import decode_public, decode_value
from zkpush.device.files import secret_of
from zkpush.device.tokens import token_of
from zkpush.handlers.people.tables import USER
from zkpush.protocol.addresses import forwarded_for, parse_networks
from zkpush.protocol.dialect import Dialect, dialect_of
from zkpush.protocol.envelope import NotOpened, Step, decode_step, looks_sealed, unreadable_form
from zkpush.protocol.errors import TerminalError, refusal
from zkpush.protocol.handshake import decode_hello, decode_transfer_flag
from zkpush.protocol.hybrid import negotiate_types
from zkpush.protocol.options import merge
from zkpush.protocol.packets import PacketError, PacketLimits, expand, pack_plain
from zkpush.protocol.photos import decode_photo, parse_name
from zkpush.protocol.replies import decode_replies
from zkpush.protocol.reports import OPTIONS
from zkpush.protocol.requests import Upload, check_stamp, parse_arguments, read_query
from zkpush.protocol.serials import check_serial
from zkpush.protocol.text import shown
from zkpush.protocol.uploads import UploadDecoder
from zkpush.protocol.validity import not_valid
from zkpush.protocol.verification import find_pin
from zkpush.resources.file import find_range

from .. import cost
from ..declared import RECORD_TABLES

DECODER = UploadDecoder([*RECORD_TABLES, OPTIONS], PacketLimits())
PROXIES = parse_networks(["127.0.0.0/8", "192.0.2.0/24"])
TABLES = ("OPERLOG", "INFO", "NEW", *(table.name for table in (*RECORD_TABLES, OPTIONS)))
GB18030 = Dialect(encoding="gb18030", device_type="pid")


def text(data: bytes) -> str:
    """The same as text."""
    return data.decode("latin-1")


def of_table(name: str, dialect: Dialect) -> Callable[[bytes], object]:
    """The decoder of the uploads of a table."""
    return lambda data: DECODER.decode(Upload(name, data, stamp="1", name="1.jpg"), dialect)


def packed(data: bytes) -> None:
    """A packet of these bytes, and these bytes as one."""
    for packet in (data, pack_plain(data)):
        with contextlib.suppress(PacketError):
            expand(packet)


def value_of(data: bytes) -> None:
    """Values of the exchange."""
    for step in Step:
        decode_value(decode_step(step, data))
    decode_public(data)


def query(data: bytes) -> None:
    """The arguments of a request."""
    decode_hello(parse_arguments(data))
    read_query(data)


def options(data: bytes) -> None:
    """Options that are known, and the types that follow from them."""
    known = {"MultiBioDataSupport": text(data), "MultiBioVersion": text(data)}
    negotiate_types(known, {"face_version": text(data)})
    merge(known, dict.fromkeys(text(data).split(",")[:1], text(data)))


ENTRY_POINTS: dict[str, Callable[[bytes], object]] = {
    **{f"upload of {name}": of_table(name, Dialect()) for name in TABLES},
    "upload in GB18030": of_table("OPERLOG", GB18030),
    "attendance in GB18030": of_table("ATTLOG", GB18030),
    "answers": lambda data: decode_replies(data, "utf-8"),
    "verification": lambda data: find_pin(data, "utf-8", USER.field("pin")),
    "packet": packed,
    "photo": lambda data: decode_photo(data, "utf-8", "1.jpg"),
    "name of a photo": lambda data: parse_name(text(data)),
    "query": query,
    "exchange": value_of,
    "form": lambda data: (unreadable_form(data), looks_sealed(False, data)),
    "stamp": lambda data: check_stamp(text(data)),
    "serial number": lambda data: check_serial(text(data)),
    "versions": lambda data: dialect_of(text(data), text(data), text(data)),
    "transfer flag": lambda data: decode_transfer_flag(text(data)),
    "options": options,
    "validity": lambda data: not_valid(text(data), None, text(data), "2026-01-05 08:00:00"),
    "forwarded": lambda data: forwarded_for("127.0.0.1", data, PROXIES),
    "range": lambda data: find_range(data, 1000),
    "url of a file": lambda data: secret_of(text(data)),
    "cookie": token_of,
    "refusal": lambda data: (refusal(text(data)), shown(text(data))),
}
HEADS = (
    b"USER PIN=1 Name=a",
    b"1\t2026-01-05 08:00:00",
    b"ID=1&Return=0&CMD=DATA\n",
    b"PIN=20260105080000-1.jpg\n",
)
PIECES = (b" ", b"\t", b"\n", b"a", b"0", b"a\n", b"a=,", b"&a=", b"\xff", b"\0", b"127.0.0.1,")
REFUSED = (TerminalError, NotOpened, LookupError, ValueError)


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_is_linear_in_what_it_reads(name: str) -> None:
    """Of whatever piece an input has many, reading it costs in proportion."""
    entry = ENTRY_POINTS[name]

    def run(data: bytes) -> None:
        with contextlib.suppress(*REFUSED):
            entry(data)

    for head in HEADS:
        for piece in PIECES:
            data = head + b"x\n"
            cost.check_linear(lambda length: cost.pumped(data, len(head), piece, length), run)  # noqa: B023
    longest = cost.pumped(b"PIN=1\n", 6, b"PIN=1\tX=\n", cost.LENGTHS[-1])
    cost.Budget().check(lambda: run(longest), len(longest))

"""Long bodies of terminals: decoded in parts of bounded size, on threads."""

from __future__ import annotations

import gzip
import threading

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, fail, gatherResults

from zkpush.interfaces import StoreError
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.packets import PacketLimits
from zkpush.protocol.parts import decode_parts
from zkpush.protocol.rejects import MOST_REJECTS
from zkpush.protocol.reports import OPTIONS
from zkpush.protocol.requests import Upload
from zkpush.protocol.uploads import UploadDecoder

from ..declared import RECORD_TABLES
from ..rig import Rig
from .callers import LINE, MIB, UPLOAD, held


@pytest.fixture
def decodes(monkeypatch) -> list[tuple[int, bool, int]]:
    """Of each decoding: bytes, whether it was on the reactor's thread, and how many ran at once."""
    seen: list[tuple[int, bool, int]] = []
    decode = UploadDecoder.decode
    running = []

    def spy(self, upload, *rest, **more):
        running.append(None)
        is_reactor = threading.current_thread() is threading.main_thread()
        seen.append((len(upload.body), is_reactor, len(running)))
        try:
            return decode(self, upload, *rest, **more)
        finally:
            running.pop()

    monkeypatch.setattr(UploadDecoder, "decode", spy)
    return seen


def rows(count: int, first: int = 1) -> bytes:
    """Different punches."""
    return b"".join(
        b"%d\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n" % pin for pin in range(first, first + count)
    )


@pytest.mark.parametrize("count", [1, 100, 1000, 20_000, 60_000])
@pytest_twisted.ensureDeferred
async def test_only_a_few_kib_are_decoded_on_the_reactor(rig: Rig, decodes, count: int) -> None:
    """A long body is decoded on a thread, in parts of bounded size; every record is stored."""
    await rig.exchange("T1")
    body = rows(count)
    assert (await rig.post(UPLOAD % "T1", body)).body == b"OK: %d" % count
    assert sum(size for size, _, _ in decodes) == len(body)
    for size, is_reactor, _ in decodes:
        assert size <= 300_000
        assert is_reactor is (size <= 8192)
    stored = await rig.store.read(
        lambda tx: tx.connection.exec_driver_sql("SELECT count(*) FROM attendance").scalar()
    )
    assert stored == count


@pytest_twisted.ensureDeferred
async def test_the_stamp_of_a_long_body_comes_with_its_last_part(rig: Rig) -> None:
    """A terminal whose upload broke in the middle is asked for all of it again."""
    await rig.exchange("T1")
    write, units = rig.store.write, []

    def failing(unit, risky=False):
        units.append(unit)
        return fail(StoreError("the disk is full")) if len(units) == 3 else write(unit, risky)

    rig.store.write = failing
    body = rows(40_000)
    reply = await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=77", body)
    assert reply.status == 503
    assert b"OK" not in reply.raw
    rig.store.write = write
    assert b"ATTLOGStamp=0\n" in (await rig.exchange("T1")).body
    reply = await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=77", body)
    assert reply.body == b"OK: 40000"
    assert b"ATTLOGStamp=77\n" in (await rig.exchange("T1")).body
    stored = await rig.store.read(
        lambda tx: tx.connection.exec_driver_sql("SELECT count(*) FROM attendance").scalar()
    )
    assert stored == 40_000


@pytest_twisted.ensureDeferred
async def test_long_bodies_are_decoded_one_after_the_other(make_rig, decodes) -> None:
    """However many come at once; short ones get their turn in between."""
    rig = await make_rig()
    for number in range(4):
        await rig.exchange(f"T{number}")
    long = [
        Deferred.fromCoroutine(rig.post(UPLOAD % f"T{number}", rows(40_000))) for number in range(3)
    ]
    short = await rig.post(UPLOAD % "T3", LINE)
    assert short.body == b"OK: 1"
    assert not all(one.called for one in long)
    assert [reply.body for reply in await gatherResults(long)] == [b"OK: 40000"] * 3
    assert max(at_once for size, _, at_once in decodes if size > 8192) == 1


@pytest_twisted.ensureDeferred
async def test_a_gzip_bomb_is_decoded_in_parts_and_charged(rig: Rig, decodes, monkeypatch) -> None:
    """1 KB of a packet that expands to 1 MiB of bad lines: on a thread, within the budget."""
    await rig.exchange("T1")
    charges = []
    budget = rig.terminals.gate.budget
    decode = budget.decode
    monkeypatch.setattr(budget, "decode", lambda size: charges.append(size) or decode(size))
    bomb = gzip.compress(b"a\n" * (MIB // 2), mtime=0)
    assert len(bomb) < 2000
    reply = await rig.post("cdata?SN=T1&table=OPERLOG&ContentType=tgz", bomb)
    assert reply.status == 200
    assert charges
    assert charges[0] >= 2 * MIB
    assert held(rig) == 0
    assert all(size <= 300_000 and not is_reactor for size, is_reactor, _ in decodes)
    assert len(await rig.items("/rejects")) < 10


@pytest_twisted.ensureDeferred
async def test_a_long_body_of_bad_lines_makes_a_bounded_number_of_rejects(rig: Rig) -> None:
    """All its parts together keep as many line by line as one upload may."""
    await rig.exchange("T1")
    body = b"".join(b"bad %d\n" % number for number in range(100_000))
    assert (await rig.post(UPLOAD % "T1", body)).status == 200
    rejects = await rig.store.read(
        lambda tx: tx.connection.exec_driver_sql("SELECT count(*) FROM rejects").scalar()
    )
    assert MOST_REJECTS <= rejects <= MOST_REJECTS + 10


@pytest.mark.parametrize(
    ("table", "body", "size", "parts"),
    [
        ("ATTLOG", LINE * 4, 70, [64, 64]),
        ("ATTLOG", LINE * 4, 10, [32, 32, 32, 32]),
        ("OPERLOG", b"USER PIN=1\nUSER PIN=22\nx", 12, [11, 12, 1]),
        ("USERINFO", b"PIN=1\n" + b"PIN=" + b"2" * 50 + b"\nPIN=3", 10, [6, 55, 5]),
        ("ATTPHOTO", b"PIN=1.jpg\nsize=3\n\0\n\n\n" * 4, 10, None),
        ("options", b"A=1\nB=2\n" * 9, 10, None),
        ("nobody", b"a\nb\n" * 9, 10, None),
        ("nobody", b"USER PIN=1\n" * 3, 12, [11, 11, 11]),
    ],
)
def test_a_body_is_cut_at_the_ends_of_its_lines(table, body, size, parts, monkeypatch) -> None:
    """No line is in two parts, nothing is left out, and what is not of lines stays whole."""
    decoder = UploadDecoder([*RECORD_TABLES, OPTIONS], PacketLimits())
    seen: list[bytes] = []
    decode = decoder.decode
    monkeypatch.setattr(
        decoder,
        "decode",
        lambda upload, *a, **k: seen.append(upload.body) or decode(upload, *a, **k),
    )
    contents = [*decode_parts(decoder, Upload(table, body, "5"), Dialect(), size)]
    assert b"".join(seen) == body
    assert [len(part) for part in seen] == (parts or [len(body)])
    assert [one.stamp for one in contents] == [None] * (len(contents) - 1) + ["5"]
    whole = decode(Upload(table, body, "5"), Dialect())
    assert sum(one.count for one in contents) == whole.count
    assert sum(one.unread for one in contents) == whole.unread

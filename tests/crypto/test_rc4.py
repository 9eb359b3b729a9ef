"""RC4 with a configured key: attendance records are opened, nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.crypto.rc4 import RC4Suite
from zkpush.protocol.envelope import Direction, NotOpened, Opened, Place

from . import peer
from .sessions import SN, place

SUITE = RC4Suite()
KEY = peer.fixed("rc4", 16)
RECORDS = "1001\t2026-03-02 08:59:58\t0\t1\t\t0\t0\n李\t2026-03-02 09:00:00\t0\t1\n".encode()


def test_the_stream_is_that_of_rfc_6229() -> None:
    """The cipher that old firmware has, by a published vector: key 0102030405."""
    stream = bytes.fromhex("b2396305f03dc027ccc3524a0a1118a8")
    sealed = bytes(a ^ b for a, b in zip(b"1\t2026-03-02 08:", stream, strict=True))
    assert SUITE.open(bytes([1, 2, 3, 4, 5]), place(), sealed).body == b"1\t2026-03-02 08:"


@given(st.sampled_from([5, 7, 8, 10, 16, 20, 24, 32]), st.integers(0, 9))
def test_attendance_records_are_opened(length: int, times: int) -> None:
    """With every size of key; the key is all there is to a session, and the replies are plain."""
    key = peer.fixed("rc4", length)
    session = SUITE.begin(SN, key, b"")
    assert session.answer == b""
    body = RECORDS * times
    opened = SUITE.open(session.state, place(), peer.rc4(key, body))
    assert opened == Opened(body, None)


def test_only_uploads_of_attendance_are_covered() -> None:
    """As `EncryptFlag=1…` says; nothing else is opened, and no reply is sealed."""
    covered = place(f"cdata?SN={SN}&table=AttLog")
    assert SUITE.covers(covered, Direction.REQUEST)
    assert not SUITE.covers(covered, Direction.REPLY)
    others: list[Place] = [
        place(f"cdata?SN={SN}&table=OPERLOG"),
        place(f"cdata?SN={SN}"),
        place(f"fdata?SN={SN}&table=ATTLOG"),
        place(f"cdata?SN={SN}&table=ATTLOG", "GET"),
    ]
    for other in others:
        assert not SUITE.covers(other, Direction.REQUEST)
        with pytest.raises(NotOpened):
            SUITE.open(KEY, other, peer.rc4(KEY, RECORDS))
    with pytest.raises(ValueError, match="does not cover replies"):
        SUITE.seal(KEY, covered, None, b"OK: 1")


def test_there_is_no_exchange() -> None:
    """A public key or a factor is refused."""
    assert not SUITE.exchanges
    with pytest.raises(NotOpened):
        SUITE.begin(SN, KEY, b"P1")
    with pytest.raises(NotOpened):
        SUITE.agree(KEY, b"R1")


@pytest.mark.parametrize("key", [b"", b"x", b"x" * 6, b"x" * 33])
def test_a_key_of_no_size_is_refused(key: bytes) -> None:
    """Above all one that is empty; what is said does not repeat it."""
    for attempt in (
        lambda: SUITE.check_secret(key),
        lambda: SUITE.begin(SN, key, b""),
        lambda: SUITE.open(key, place(), b""),
    ):
        with pytest.raises(ValueError, match="of one of 5, 7, 8, 10, 16, 20, 24, 32") as refused:
            attempt()
        assert "xxx" not in str(refused.value)


def test_what_another_key_makes_is_refused() -> None:
    """So that it stays on the terminal, and is not acknowledged as garbage."""
    for number in range(50):
        sealed = peer.rc4(peer.fixed(f"another {number}", 16), RECORDS)
        with pytest.raises(NotOpened):
            SUITE.open(KEY, place(), sealed)
    for other in (RECORDS, peer.rc4(KEY, b"a text, and no columns"), peer.rc4(KEY, b"1\t\0\n")):
        with pytest.raises(NotOpened):
            SUITE.open(KEY, place(), other)


def test_the_key_is_not_shown() -> None:
    """Neither in what a session is represented by, nor in the suite."""
    session = SUITE.begin(SN, b"a key of 16 byte", b"")
    assert "a key of" not in repr(session) + repr(SUITE)
    assert "RC4" in SUITE.weakness

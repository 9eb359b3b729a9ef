"""A long sealed body is opened where it holds up nobody."""

from __future__ import annotations

import threading

import pytest
import pytest_twisted

from zkpush.crypto.suite import SealingSuite
from zkpush.device.sealedrequests import SHORT_SEALED

from ..rig import Rig
from ..sealed import SealedTerminal

UPLOAD = "cdata?SN=T1&table=ATTLOG&Stamp=1"


@pytest.mark.parametrize("count", [1, 2000])
@pytest_twisted.ensureDeferred
async def test_long_sealed_bodies_are_opened_on_a_thread(rig: Rig, monkeypatch, count: int) -> None:
    """The reactor opens what is short, and nothing longer; every record is stored once."""
    terminal = SealedTerminal(rig)
    await terminal.begin()
    reactor_thread, opened = threading.get_ident(), []
    open_ = SealingSuite.open

    def watched(suite, state, place, sealed):
        opened.append((len(sealed), threading.get_ident() == reactor_thread))
        return open_(suite, state, place, sealed)

    monkeypatch.setattr(SealingSuite, "open", watched)
    body = b"".join(b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin for pin in range(1, count + 1))
    assert await terminal.post(UPLOAD, body) == b"OK: %d" % count
    assert max(opened)[0] >= len(body)
    for size, is_reactor in opened:
        assert is_reactor is (size <= SHORT_SEALED)
    stored = await rig.store.read(
        lambda tx: tx.connection.exec_driver_sql("SELECT count(*) FROM attendance").scalar()
    )
    assert stored == count

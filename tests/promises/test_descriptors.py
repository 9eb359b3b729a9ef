"""File descriptors: how many connections terminals and people may have."""

from __future__ import annotations

import pathlib
import socket

import pytest

from zkpush.descriptors import OWN_FILES, TooFewDescriptors, share_descriptors

from ..daemon.process import Daemon


@pytest.mark.parametrize(
    ("soft", "hard", "people", "expected"),
    [
        (500, 700, 0, (700, 572, 0)),
        (500, 5000, 0, (1128, 1000, 0)),
        (3000, 5000, 0, (3000, 1000, 0)),
        (500, None, 64, (1192, 1000, 64)),
        (None, None, 64, (None, 1000, 64)),
        (200, 200, 64, (200, 54, 18)),
        (256, 256, 1000, (256, 96, 32)),
        (171, 171, 64, (171, 33, 10)),
        (169, 169, 64, None),
        (64, 64, 64, None),
        (10, 10, 0, None),
    ],
)
def test_descriptors_are_shared_out(soft, hard, people, expected) -> None:
    """Own files first, then a part for people, the rest for terminals; too few are an error."""
    if expected is None:
        with pytest.raises(TooFewDescriptors, match="ulimit -n"):
            share_descriptors(soft, hard, 1000, people)
        return
    found = share_descriptors(soft, hard, 1000, people)
    assert (found.limit, found.terminals, found.people) == expected
    if found.limit is not None:
        assert found.terminals + found.people + OWN_FILES <= found.limit


@pytest.mark.long
def test_a_daemon_with_few_descriptors_says_so_and_serves(tmp_path: pathlib.Path) -> None:
    """`ulimit -n 200`: it takes fewer connections, and a punch is stored beside 300 idle ones."""
    with Daemon(tmp_path, descriptors=200) as daemon:
        daemon.exchange("T1")
        port = daemon.terminals.port
        idle = []
        try:
            for _ in range(300):
                idle.append(socket.create_connection(("127.0.0.1", port), timeout=20))
            for pin in range(5):
                line = b"%d\t2026-01-05 08:00:00\t0\t1\n" % (pin + 1)
                assert daemon.upload("T1", line) == (200, b"OK: 1")
            assert len(daemon.api("GET", "devices")["items"]) == 1
        finally:
            for sock in idle:
                sock.close()
        daemon.terminate()
        assert "may open 200 files" in daemon.output()


def test_a_daemon_with_too_few_descriptors_does_not_start(tmp_path: pathlib.Path) -> None:
    """It says what is wrong, and what to do."""
    with pytest.raises(AssertionError) as failure:
        Daemon(tmp_path, descriptors=90)
    assert "cannot start: this process may open 90 files" in str(failure.value)
    assert "LimitNOFILE" in str(failure.value)

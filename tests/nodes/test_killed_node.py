"""Two daemons on one PostgreSQL, one of them killed under load."""

from __future__ import annotations

import itertools
import pathlib
import threading

from ..daemon.process import Daemon
from ..daemon.test_process import ERRORS, wait_until
from ..keys import KEY


def test_a_node_that_is_killed_takes_no_acknowledged_record_with_it(
    tmp_path: pathlib.Path, postgres_url: str
) -> None:
    """Terminals go on with the other node; what either acknowledged is stored, and once."""
    acknowledged: set[str] = set()
    pins = itertools.count(1)
    stop = threading.Event()
    key = tmp_path / "key"
    key.write_text(KEY.hex())
    key.chmod(0o600)
    env = {"ZKPUSH_KEY_FILE": str(key)}
    with (
        Daemon(tmp_path / "one", "--database", postgres_url, env=env) as one,
        Daemon(tmp_path / "other", "--database", postgres_url, env=env) as other,
    ):
        for sn in ("T1", "T2"):
            one.exchange(sn)

        def push(sn: str, nodes: list[Daemon]) -> None:
            """A terminal behind a balancer: each record is sent again until it is acknowledged."""
            turns = itertools.cycle(nodes)
            while not stop.is_set():
                pin = str(next(pins))
                body = f"{pin}\t2026-01-05 08:00:00\t0\t1\n".encode()
                while not stop.is_set():
                    try:
                        status, reply = next(turns).upload(sn, body)
                    except (*ERRORS, OSError):
                        continue
                    assert (status, reply) == (200, b"OK: 1")
                    acknowledged.add(pin)
                    break

        threads = [
            threading.Thread(target=push, args=(sn, nodes))
            for sn in ("T1", "T2")
            for nodes in ([one, other], [other, one])
        ]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(acknowledged) >= 100)
        one.kill()
        killed_at = len(acknowledged)
        wait_until(lambda: len(acknowledged) >= killed_at + 100)
        stop.set()
        for thread in threads:
            thread.join()
        stored = other.pins()
    assert acknowledged <= set(stored)
    assert len(stored) == len(set(stored))

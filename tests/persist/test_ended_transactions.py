"""The transaction of a slow plugin is ended from another thread while it writes."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

PROGRAM = """
import contextlib, sqlite3, sys, threading
from zkpush.persist.sqlite_transactions import MarkedConnection

def connect():
    return sqlite3.connect(
        sys.argv[1], factory=MarkedConnection, isolation_level=None, check_same_thread=False
    )

def write(connection, begun):
    with contextlib.suppress(sqlite3.Error, SystemError):
        for number in range(20_000):
            connection.execute(f"INSERT INTO t VALUES (?) -- {number}", (number,))
            if number == 2:
                begun.set()

connect().execute("CREATE TABLE t (a)")
for _ in range(2000):
    connection, begun = connect(), threading.Event()
    connection.execute("BEGIN IMMEDIATE")
    thread = threading.Thread(target=write, args=(connection, begun))
    thread.start()
    begun.wait()
    connection.abort()
    thread.join()
    connection.close()
print(connect().execute("SELECT count(*) FROM t").fetchone()[0])
"""
SECONDS = 120
"""Two threads that wait for each other do so for ever."""


@pytest.mark.long
def test_a_transaction_is_ended_while_its_thread_writes(tmp_path: pathlib.Path) -> None:
    """Neither thread waits for the other, and nothing of any transaction is stored."""
    run = [sys.executable, "-c", PROGRAM, str(tmp_path / "some.sqlite")]
    ended = subprocess.run(run, capture_output=True, text=True, timeout=SECONDS, check=True)
    assert ended.stdout == "0\n"

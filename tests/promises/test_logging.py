"""The log never holds up the daemon: what nothing reads is lost, and counted."""

from __future__ import annotations

import fcntl
import os
import pathlib
import re
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Iterator

import pytest

from zkpush.logstream import MOST_BYTES, LogStream

from ..cli.program import eventually
from ..daemon.process import Daemon

LINES = 5000
"""Several times what a pipe and the buffer hold, for the daemon's lines and for the stream's."""
LAST = 100
SECONDS = 30
TERMINALS = [f"T{number}" for number in range(4)]
"""No terminal may ask too often."""
WORDS = "A verifier may log what it likes. " * 200
PROLIX = f'''\
"""A verifier that logs so much that a few questions fill any buffer."""

from twisted.logger import Logger
from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.interfaces import IVerifier
from zkpush.values.people import Verdict


@implementer(IPlugin, IVerifier)
class Prolix:
    """Lets nobody in."""

    name = "prolix"
    _log = Logger()

    def verify(self, device, request):
        """Decide."""
        self._log.info("{{words}}", words={WORDS!r})
        return Verdict(False, "closed")


prolix = Prolix()
'''
LOST = r"zkpush: (\d+) lines of the log are lost"
QUESTION = "PIN=7"
PIPE_BYTES = 4096


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe of the size that pipes have."""
    reading, writing = os.pipe()
    yield reading, writing
    for end in (reading, writing):
        os.close(end)


def metric(daemon: Daemon, name: str) -> float:
    """A figure of the daemon."""
    url = f"http://{daemon.manage.netloc}/metrics"
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
    assert found
    return float(found[1])


def chatter(daemon: Daemon, lines: int) -> None:
    """Make the daemon log for each request; all are answered."""
    connection = daemon.connect()
    for number in range(lines):
        sn = TERMINALS[number % len(TERMINALS)]
        connection.request("POST", f"/iclock/cdata?SN={sn}&type=PostVerifyData", QUESTION)
        with connection.getresponse() as response:
            assert response.status == 200
            response.read()
    connection.close()


def read_some(descriptor: int) -> bytes:
    """What is in a pipe now."""
    os.set_blocking(descriptor, False)
    data = b""
    try:
        while part := os.read(descriptor, 65536):
            data += part
    except BlockingIOError:
        pass
    return data


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
def test_a_log_that_nobody_reads_does_not_stop_the_daemon(tmp_path: pathlib.Path) -> None:
    """It serves on and stops when told; lost lines are counted, and written once there is room."""
    plugins = tmp_path / "theirs" / "twisted" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "prolix_verifier.py").write_text(PROLIX)
    config = tmp_path / "zkpush.toml"
    config.write_text('[verification]\nverifier = "prolix"\n')
    env = {"PYTHONPATH": str(tmp_path / "theirs")}
    with Daemon(tmp_path, "--config", str(config), env=env, stdout=subprocess.PIPE) as daemon:
        pipe = daemon.process.stdout
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        for sn in TERMINALS:
            daemon.exchange(sn)
        needed = 2 * (MOST_BYTES + PIPE_BYTES) // len(WORDS)
        chatter(daemon, needed)
        assert daemon.upload(TERMINALS[0], b"7\t2026-03-01 08:00:00\t0\t1\n")[0] == 200
        assert daemon.pins() == ["7"]
        lost = metric(daemon, "zkpush_log_lines_lost_total")
        assert lost > 0
        text = b""

        def reported() -> bytes | None:
            nonlocal text
            text += read_some(pipe.fileno())
            return re.search(rb"(\d+) lines of the log are lost", text)

        found = eventually("a count of lost lines", reported)
        assert int(found[1]) == lost
        chatter(daemon, needed)
        daemon.terminate()
        assert daemon.process.wait(SECONDS) == -signal.SIGTERM
        pipe.close()


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
def test_the_last_lines_reach_whoever_reads(tmp_path: pathlib.Path) -> None:
    """The end of the process waits for them, for a bounded time."""
    with Daemon(tmp_path, stdout=subprocess.PIPE) as daemon:
        for sn in TERMINALS:
            daemon.exchange(sn)
        chatter(daemon, LAST)
        daemon.terminate()
        out, _ = daemon.process.communicate(timeout=SECONDS)
    assert out.count(b"by the verifier known") == LAST
    assert out.rstrip().endswith(b"Server Shut Down.")


@pytest.mark.parametrize("flags", [("--logfile", "zkpush.log"), ("--logfile", "-")])
def test_other_places_for_the_log_work_as_before(
    tmp_path: pathlib.Path, flags: tuple[str, ...]
) -> None:
    """A log file of twistd, and standard output that is a file."""
    where = [str(tmp_path / word) if word.endswith(".log") else word for word in flags]
    with Daemon(tmp_path, twistd=where) as daemon:
        daemon.exchange("T1")
        daemon.terminate()
        printed = daemon.output()
    file = tmp_path / "zkpush.log"
    text = file.read_text() if file.exists() else printed
    assert "Terminal T1 is new" in text
    assert "Server Shut Down" in text


def test_a_reader_that_comes_back_gets_whole_lines(pipe: tuple[int, int]) -> None:
    """In their order, with the number of those that were lost in their place."""
    reading, writing = pipe
    stream = LogStream(writing, most_bytes=10_000)
    for number in range(LINES):
        stream.write(f"line {number:06d} of the log of a daemon that nobody reads for a while\n")
    assert 0 < stream.lost < LINES
    received: list[bytes] = []

    def read() -> None:
        while part := os.read(reading, 65536):
            received.append(part)
            if b"the end" in b"".join(received)[-20:]:
                return

    reader = threading.Thread(target=read)
    reader.start()
    assert stream.finish(SECONDS)
    stream.write("the end\n")
    reader.join(SECONDS)
    lines = b"".join(received).decode().splitlines()
    numbers = [int(line.split()[1]) for line in lines if line.startswith("line ")]
    assert numbers == sorted(set(numbers))
    told = [int(found[1]) for line in lines if (found := re.match(LOST, line))]
    assert sum(told) == stream.lost
    assert len(numbers) + stream.lost == LINES
    assert lines[-1] == "the end"


def test_a_descriptor_that_does_not_block_loses_nothing(pipe: tuple[int, int]) -> None:
    """Workers share theirs with code that sets it so."""
    reading, writing = pipe
    os.set_blocking(writing, False)
    stream = LogStream(writing)
    for _ in range(LINES):
        stream.write("x" * 50 + "\n")
    received = 0
    while received < 51 * LINES:
        received += len(os.read(reading, 65536))
    assert stream.finish(SECONDS)
    assert stream.lost == 0


def test_a_log_that_is_closed_does_not_stop_the_daemon(pipe: tuple[int, int]) -> None:
    """Whoever read it has gone for good: lines are counted, and nothing raises."""
    _, writing = pipe
    copy = os.dup(writing)
    stream = LogStream(copy)
    os.close(copy)
    stream.write("one\ntwo\n")
    assert stream.finish(SECONDS)
    assert stream.lost == 2

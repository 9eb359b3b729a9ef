"""Files on their way when the daemon is stopped."""

from __future__ import annotations

import hashlib
import http.client
import pathlib
import time

import pytest

from .process import Daemon

FIRMWARE = hashlib.shake_128(b"firmware").digest(20_000_000)
PATIENCE = 5


def fetching(daemon: Daemon) -> http.client.HTTPResponse:
    """A terminal that has begun to fetch firmware."""
    daemon.exchange("T1")
    connection = http.client.HTTPConnection(daemon.manage.hostname, daemon.manage.port, timeout=30)
    headers = {"Authorization": f"Bearer {daemon.token}"}
    connection.request("POST", "/api/v1/files?name=emfw.cfg", FIRMWARE, headers)
    assert connection.getresponse().status == 201
    connection.close()
    command = {"command": "UPGRADE", "params": {"file": "1", "form": "2"}}
    daemon.api("POST", "devices/T1/commands", command)
    _, line = daemon.request("GET", "getrequest?SN=T1")
    url = line.partition(b"url=")[2].split()[0].decode()
    terminal = daemon.connect()
    terminal.request("GET", f"/iclock/file?SN=T1&url={url}")
    return terminal.getresponse()


@pytest.mark.long
def test_a_file_arrives_whole_while_the_daemon_stops(tmp_path: pathlib.Path) -> None:
    """Who reads it gets the end of it, also what waits in the daemon when all of it is read."""
    with Daemon(tmp_path) as daemon:
        response = fetching(daemon)
        daemon.terminate()
        content = bytearray()
        while part := response.read(500_000):
            content += part
            time.sleep(0.02)
        assert content == FIRMWARE
        daemon.process.wait(20)


@pytest.mark.long
def test_who_does_not_read_does_not_hold_up_the_end(tmp_path: pathlib.Path) -> None:
    """The daemon waits a few seconds for a terminal that takes nothing."""
    with Daemon(tmp_path) as daemon:
        response = fetching(daemon)
        began = time.monotonic()
        daemon.terminate()
        daemon.process.wait(20)
        assert time.monotonic() - began < PATIENCE + 10
        response.close()

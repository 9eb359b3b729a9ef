"""An upload passes few modules, so that its way can be read."""

from __future__ import annotations

import pathlib
import sys
import threading
from collections.abc import Callable
from types import FrameType

import pytest_twisted

import zkpush

from ..rig import Rig, Wire

ROOT = pathlib.Path(zkpush.__file__).parent
MOST_MODULES = 15
"""Modules of an upload of one punch; a change that adds one says why."""
MOST_LINES = 400
ENCRYPTION = (
    "crypto/",
    "device/sealedrequests.py",
    "device/sessiongate.py",
    "protocol/envelope.py",
)
UPLOAD = (
    b"POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999 HTTP/1.1\r\nHost: server\r\n"
    b"Content-Length: 32\r\n\r\n7\t2026-01-05 08:00:%02d\t0\t1\t0\t0\t0\n"
)


class Watch:
    """The modules of ours whose functions are called, on all threads that begin meanwhile."""

    def __init__(self) -> None:
        self.is_on = False
        self.modules: set[str] = set()

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """Note a call."""
        if self.is_on and event == "call":
            path = pathlib.Path(frame.f_code.co_filename)
            if path.is_relative_to(ROOT):
                self.modules.add(path.relative_to(ROOT).as_posix())


async def modules_of_an_upload(make_rig: Callable, tmp_path: pathlib.Path) -> set[str]:
    """The modules that one upload on a kept connection passes, on the reactor and the writer."""
    watch = Watch()
    threading.setprofile(watch)  # the writer's thread begins with the daemon
    try:
        rig: Rig = await make_rig(database=f"sqlite:///{tmp_path / 'zkpush.sqlite'}")
    finally:
        threading.setprofile(None)
    await rig.exchange()
    wire = Wire("192.0.2.7")
    channel = rig.terminals.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    for second in range(3):
        wire.clear()
        watch.is_on = second == 2  # what is made once has been made
        before = sys.getprofile()
        sys.setprofile(watch)
        try:
            channel.dataReceived(UPLOAD % second)
            while not wire.value():
                await wire.changed()
        finally:
            sys.setprofile(before)
            watch.is_on = False
        assert wire.value().endswith(b"OK: 1")
    return {module for module in watch.modules if not module.startswith("testing/")}


@pytest_twisted.ensureDeferred
async def test_an_upload_passes_few_modules_of_a_readable_length(make_rig, tmp_path) -> None:
    """A reader who follows one punch from the socket to the disk opens few files."""
    modules = await modules_of_an_upload(make_rig, tmp_path)
    assert {"http/channel.py", "persist/writer.py"} <= modules  # both threads are watched
    assert len(modules) <= MOST_MODULES, sorted(modules)
    lengths = {one: len((ROOT / one).read_text().splitlines()) for one in modules}
    assert {one for one, length in lengths.items() if length > MOST_LINES} == set()


@pytest_twisted.ensureDeferred
async def test_a_plain_session_passes_no_module_of_encryption(make_rig, tmp_path) -> None:
    """Encryption stands behind the gate of sessions, which a plain upload does not reach."""
    modules = await modules_of_an_upload(make_rig, tmp_path)
    assert {one for one in modules if one.startswith(ENCRYPTION)} == set()

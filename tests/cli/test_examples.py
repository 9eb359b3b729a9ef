"""The examples of every `--help` work, one after the other, on one server."""

from __future__ import annotations

import pathlib
import shlex
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import pytest_twisted
from click.testing import CliRunner
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread, deferToThread

from zkpush.cli import main, running

from ..server.test_access_data import JPEG
from .program import Daemon
from .test_help import EXAMPLE, LEAVES, helped

A, B, FRESH = "3434174801234", "3434174805678", "3434174809999"
Words = tuple[str, ...]
NEVER_RUN = {
    ("attendance", "follow"): "it does not end",
    ("attendance", "verify"): "it waits for terminals",
    ("database", "drop"): "the daemon has to be stopped",
    ("database", "forget-templates"): "the daemon has to be stopped",
    ("database", "rotate-key"): "the daemon has to be stopped",
    ("database", "upgrade"): "the daemon has to be stopped",
    ("forwarders", "test"): "the receiver does not exist",
    ("simulate",): "it has a reactor of its own, and takes long",
}
FIRST = [
    ("areas", "put"),
    ("users", "put"),
    ("devices", "approve"),
    ("access", "put"),
    ("files", "add"),
    ("forwarders", "add"),
    ("tokens", "create"),
    ("accounts", "add"),
    ("commands", "send"),
]
"""Commands that make what others show and change."""
LAST = [
    ("access", "delete"),
    ("accounts", "remove"),
    ("commands", "cancel"),
    ("files", "remove"),
    ("forwarders", "delete"),
    ("jobs", "cancel"),
    ("rejects", "delete"),
    ("tokens", "revoke"),
    ("users", "delete"),
    ("users", "erase"),
    ("devices", "block"),
    ("devices", "retire"),
    ("devices", "replace"),
    ("areas", "delete"),
]
"""Commands that end it."""
LEFT_OUT = (" --wait", " --follow")
"""Options that wait for terminals, or for ever."""
STATUS = {("doctor",): 1}
"""Highest exit status of an example; 0 for others."""


def in_order() -> list[Words]:
    """All leaves, in an order in which their examples can be run."""
    between = [words for words in LEAVES if words not in {*NEVER_RUN, *FIRST, *LAST}]
    return [*FIRST, *between, *LAST]


@pytest.fixture
def scene(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A server with what the examples name, and the files that they name."""
    daemon = Daemon(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZKPUSH_DATA", str(daemon.data))
    monkeypatch.setattr(running, "react", blocking)
    for name, content in {
        "firmware-8.0.4.bin": b"firmware",
        "notice.jpg": JPEG,
        "ann.jpg": JPEG,
    }.items():
        (tmp_path / name).write_bytes(content)
    first, second = daemon.terminal(A), daemon.terminal(B)
    for pin in ("21", "22", "23", "24"):
        daemon.api("PUT", f"users/{pin}", {"name": "Ann", "areas": ["North"]})
        first.upload("OPERLOG", f"USER PIN={pin}\tName=Ann")
        second.upload("OPERLOG", f"USER PIN={pin}\tName=Bert\tPri=14")
    first.upload("ATTLOG", "x\tnot-a-time\n")
    photo = b"PIN=20260301080000-7.jpg\nSN=1\nsize=3\nCMD=uploadphoto\0" + JPEG[:3]
    assert first.ask("POST", "cdata", "&table=ATTPHOTO&Stamp=1", photo) == b"OK"
    daemon.api("PATCH", f"devices/{A}", {"area": "North"})
    yield daemon
    daemon.stop()


def blocking(work: Callable[[Any], Coroutine[Deferred[Any], Any, None]]) -> None:
    """Run the work of a command, which is on a thread, on the reactor of the tests."""
    blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(work(reactor)))


def prepared(daemon: Daemon, words: Words, line: str) -> str:
    """Fill the ids of what is there into an example; renew what an example before has ended."""

    def newest(path: str) -> str:
        items = daemon.api("GET", path)["items"]
        return str(items[0]["id"]) if items else "0"

    if words[0] == "users":
        daemon.api("PUT", "users/7", {"name": "Ann"})
    elif words[0] == "conflicts" and words[1] == "settle":
        line = line.replace(" 3 ", f" {newest('conflicts')} ")
    elif words == ("conflicts", "decide"):
        line = line.replace(" 3 ", f" {newest('conflicts/punches')} ")
        if "--one-person" in line:  # after the conflict
            daemon.api("POST", f"conflicts/{newest('conflicts')}", {"keep": "stored"})
    elif words in {("rejects", "show"), ("rejects", "delete")}:
        line = line.replace(" 12", f" {newest('rejects')}")
    elif words in {("files", "get"), ("files", "remove")}:
        line = line.replace(" 3", f" {newest('files')}")
    elif words == ("photos", "save"):
        line = line.replace(" 3", f" {newest('photos')}")
    elif words == ("devices", "replace"):
        daemon.api("PUT", f"devices/{A}", {"state": "approved"})
        line = line.replace(B, FRESH)
    elif words == ("areas", "delete"):
        for sn in (A, B, FRESH):
            daemon.api("PATCH", f"devices/{sn}", {"area": None})
    for example, path in (("mwx7taaez4j8gy", "commands"), ("mwx7taaez4k2qp", "jobs")):
        if example in line:
            line = line.replace(example, newest(f"{path}?order=desc"))
    for option in LEFT_OUT:
        line = line.replace(option, "")
    for data in ("/var/lib/zkpush", "data", "DIR"):
        line = line.replace(f"--data {data} ", f"--data {daemon.data} ")
    folder = daemon.data.parent / "punches"
    folder.mkdir(exist_ok=True)
    return line.partition(" > ")[0].replace("/srv/punches", str(folder))


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_every_example_works(scene: Daemon) -> None:
    """Each can be typed as it is, with the ids and names that there are."""
    wrong: list[str] = []
    assert {*FIRST, *LAST, *NEVER_RUN} <= LEAVES.keys()
    for words in in_order():
        found = EXAMPLE.search(helped(words))
        assert found is not None
        for example in found[1].splitlines():
            line = prepared(scene, words, example.strip())
            result = await deferToThread(CliRunner().invoke, main, shlex.split(line)[1:])
            if result.exit_code > STATUS.get(words, 0):
                wrong.append(f"{line}: {result.output} {result.exception!r}")
    assert wrong == []

"""A verifier of somebody else decides who is let in, in a daemon of its own (12.8.3)."""

from __future__ import annotations

import pathlib
import time

import pytest

from .process import Daemon

THEIRS = '''\
"""Decides after asking elsewhere, which takes a while, or for ever, or does not work."""

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.interfaces import IVerifier
from zkpush.values.people import Verdict


@implementer(IPlugin, IVerifier)
class EvenNumbers:
    """Lets in users with an even number."""

    name = "even"

    def verify(self, device, request):
        """Decide."""
        if request.pin == "0":
            return Deferred()
        if request.pin is None:
            raise LookupError("nobody")
        even = int(request.pin) % 2 == 0
        reason = f"{request.pin} is odd, and this is {device.sn}"
        return deferLater(reactor, 0.05, Verdict, even, "" if even else reason)


even = EvenNumbers()
'''
ASK = "cdata?SN=R1&type=PostVerifyData"
UNDECIDED = b"This could not be verified now; try again.\n"


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with the plugin, and the configuration that chooses it."""
    plugins = tmp_path / "theirs" / "twisted" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "even_numbers.py").write_text(THEIRS)
    configuration = '[verification]\nverifier = "even"\ndeadline_seconds = 1\n'
    (tmp_path / "zkpush.toml").write_text(configuration)
    return tmp_path


@pytest.mark.long
def test_a_package_decides_who_is_let_in(folder: pathlib.Path) -> None:
    """It is found in its folder, may take its time, and has a deadline; others do not wait."""
    environment = {"PYTHONPATH": str(folder / "theirs")}
    config = str(folder / "zkpush.toml")
    with Daemon(folder / "data", "--config", config, env=environment) as daemon:
        daemon.exchange("R1")
        assert daemon.request("POST", ASK, b"PIN=2") == (200, b"OK")
        assert daemon.request("POST", ASK, b"PIN=3") == (200, b"3 is odd, and this is R1\n")
        assert daemon.request("POST", ASK, b"") == (200, UNDECIDED)
        slow = daemon.connect()
        began = time.monotonic()
        slow.request("POST", f"/iclock/{ASK}", b"PIN=0")
        assert daemon.request("GET", "getrequest?SN=R1") == (200, b"OK")
        assert daemon.upload("R1", b"7\t2026-03-01 08:00:00\t0\t1") == (200, b"OK: 1")
        response = slow.getresponse()
        assert (response.status, response.read()) == (200, UNDECIDED)
        assert time.monotonic() - began >= 1
        slow.close()
        daemon.terminate()
        output = daemon.output()
    assert "the verifier even failed (LookupError in " in output
    assert "the verifier even has not decided within 1 seconds" in output


def test_a_verifier_whose_package_is_missing_ends_the_start(folder: pathlib.Path) -> None:
    """The daemon does not start without what its configuration names, and says so in one line."""
    with pytest.raises(AssertionError, match="there is no verifier 'even'; there are known"):
        Daemon(folder / "data", "--config", str(folder / "zkpush.toml"))

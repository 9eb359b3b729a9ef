"""Messages that say at once what is wrong and what to do."""

from __future__ import annotations

import os
import pathlib
import pty

import pytest
from twisted.internet import reactor

from zkpush.endpoints import server_endpoint

from ..promises.starting import refusal
from .program import SECONDS, Daemon, failed


@pytest.mark.parametrize(
    "text", ["tcp:99999", "tcp:port=65536", "ssl:70000:privateKey=a", "haproxy:tcp:99999"]
)
def test_a_port_that_there_is_not(text: str) -> None:
    """One line names the bounds, before anything is opened."""
    with pytest.raises(ValueError, match="a port is a number from 0 to 65535"):
        server_endpoint(reactor, text, lambda files: pytest.fail("no files are asked for"))


def test_a_daemon_does_not_start_on_such_a_port(tmp_path: pathlib.Path) -> None:
    """It ends with one line, which names the endpoint and the bounds."""
    line = refusal(tmp_path / "data", "--listen", "tcp:99999")
    assert "tcp:99999" in line
    assert "a port is a number from 0 to 65535" in line


def test_a_url_with_tls_at_a_port_without(daemon: Daemon) -> None:
    """It is said at once, for the API and for simulated terminals."""
    url = daemon.url.replace("http:", "https:")
    run = daemon.zkpush("--url", url, "--token", "x", "devices", "list")
    assert failed(run) == f"Error: {url} speaks HTTP without TLS: use http://."
    server = daemon.terminals.replace("http:", "https:")
    run = daemon.zkpush("simulate", "--server", server, "--duration", "1")
    assert "the server's port has no TLS: use http://" in run.stderr


@pytest.mark.parametrize("words", [["CLEAR DATA"], ["SHELL", "command=ls"]])
def test_what_cannot_be_taken_back_asks_first(daemon: Daemon, words: list[str]) -> None:
    """At a keyboard; nothing is queued without a yes, in words or as an option."""
    sn = f"ASK{len(words)}"
    daemon.terminal(sn)

    def queued() -> int:
        return len(daemon.api("GET", f"devices/{sn}/commands")["items"])

    for number, (answer, status) in enumerate([("n", 1), ("y", 0)]):
        keyboard, screen = pty.openpty()
        process = daemon.start("commands", "send", sn, *words, stdin=screen)
        os.write(keyboard, f"{answer}\n".encode())
        _, err = process.communicate(timeout=SECONDS)
        os.close(keyboard)
        os.close(screen)
        assert (process.returncode, queued()) == (status, number)
        assert "Queue it? [y/N]" in err
    daemon.zkpush("commands", "send", sn, *words)
    assert queued() == 2

"""Messages that say at once what is wrong and what to do."""

from __future__ import annotations

import os
import pathlib
import pty

import pytest
from twisted.internet import reactor

from zkpush.endpoints import server_endpoint

from ..promises.starting import refusal
from .program import SECONDS, Daemon, failed, misused, said


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
    assert failed(run) == f"Error: {server} speaks HTTP without TLS: use {daemon.terminals}."


def answered(daemon: Daemon, answer: str, *words: str) -> tuple[int, str]:
    """Run a command at a keyboard, and answer its question; its status and its message."""
    keyboard, screen = pty.openpty()
    process = daemon.start(*words, stdin=screen)
    os.write(keyboard, f"{answer}\n".encode())
    _, err = process.communicate(timeout=SECONDS)
    os.close(keyboard)
    os.close(screen)
    return process.returncode, err


@pytest.mark.long
def test_what_deletes_for_good_asks_first(daemon: Daemon, tmp_path: pathlib.Path) -> None:
    """At a keyboard, nothing is deleted without a yes; `--yes` and scripts are not asked."""
    terminal = daemon.terminal("ASKDEL")
    hook = {"kind": "webhook", "url": "http://127.0.0.1:1", "allow_private": True}
    (tmp_path / "file.bin").write_bytes(b"content")

    def make() -> dict[str, tuple[str, ...]]:
        """One of each, with the words that delete it."""
        terminal.upload("ATTLOG", f"x\tnot-a-time-{os.urandom(4).hex()}\n")
        reject = daemon.api("GET", "rejects?device=ASKDEL&limit=1")["items"][0]["id"]
        daemon.api("POST", "forwarders", {"name": "askdel", **hook})
        file = said(daemon.zkpush("files", "add", str(tmp_path / "file.bin"))).strip()
        return {
            "rejects": ("rejects", "delete", str(reject)),
            "forwarders": ("forwarders", "delete", "askdel"),
            "files": ("files", "remove", file),
        }

    def count(what: str) -> int:
        return len(daemon.api("GET", what)["items"])

    words = make()
    for what, line in words.items():
        there = count(what)
        status, err = answered(daemon, "n", *line)
        assert (status, count(what)) == (1, there)
        assert "[y/N]" in err
        assert answered(daemon, "y", *line)[0] == 0
        assert count(what) == there - 1
    for what, line in make().items():
        there = count(what)
        assert "[y/N]" not in answered(daemon, "", *line, "--yes")[1]
        assert count(what) == there - 1
    for line in make().values():
        said(daemon.zkpush(*line))


@pytest.mark.long
@pytest.mark.parametrize("words", [["CLEAR DATA"], ["SHELL", "command=ls"]])
def test_what_cannot_be_taken_back_asks_first(daemon: Daemon, words: list[str]) -> None:
    """Nothing is queued without a yes: at a keyboard, or in a script as an option."""
    sn = f"ASK{len(words)}"
    daemon.terminal(sn)

    def queued() -> int:
        return len(daemon.api("GET", f"devices/{sn}/commands")["items"])

    for number, (answer, status) in enumerate([("n", 1), ("y", 0)]):
        ended, err = answered(daemon, answer, "commands", "send", sn, *words)
        assert (ended, queued()) == (status, number)
        assert "Queue it? [y/N]" in err
    refused = failed(daemon.zkpush("commands", "send", sn, *words), 2)
    assert "If that is meant, give --yes. Nothing was done." in refused
    assert queued() == 1
    said(daemon.zkpush("commands", "send", sn, *words, "--yes"))
    assert queued() == 2


def test_workers_are_a_number(tmp_path: pathlib.Path) -> None:
    """The error says which numbers there may be."""
    for text in ("zero", "0", "65"):
        line = refusal(tmp_path / "data", "--workers", text)
        assert f"workers: '{text}' is not an integer from 1 to 64" in line


def test_mistyped_keys_of_a_terminal() -> None:
    """All are named, with what was meant."""
    text = failed(misused("devices", "set", "SN1", "timezon=UTC", "dely=5", "alias=x"), 2)
    assert "'timezon' (did you mean timezone?), 'dely' (did you mean Delay" in text
    assert "'alias'" not in text


def test_values_that_cannot_occur(daemon: Daemon) -> None:
    """A list with such a filter fails, and says what was meant."""
    for words, meant in (
        (("problems", "list", "--code", "no zon"), "Did you mean no zone?"),
        (("rejects", "list", "--table", "ATLOG"), "Did you mean ATTLOG?"),
        (("rejects", "retry", "--table", "ATLOG"), "Did you mean ATTLOG?"),
        (("commands", "list", "--command", "REBOT"), "Did you mean REBOOT?"),
        (("commands", "list", "--job", "foo"), "There is no job foo"),
    ):
        assert meant in failed(daemon.zkpush(*words)), words
        if words[1] == "list" and "--job" not in words:
            assert meant in failed(daemon.zkpush(*words, "--json"))


def test_a_refusal_of_a_new_key_is_one_line(daemon: Daemon) -> None:
    """Nothing stands before it, not even an empty line of a progress bar."""
    run = daemon.zkpush("database", "rotate-key")
    assert run.returncode == 1
    assert run.stderr.startswith("Error: a daemon uses the database")

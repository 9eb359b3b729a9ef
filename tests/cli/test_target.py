"""How the command line finds the API, and what it says if it does not."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import click
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock, StringTransport

from zkpush.cli.client import Api
from zkpush.cli.target import Given, Target
from zkpush.runfile import directory_mark

from .program import SECONDS, Daemon, environment, failed, misused, said, start, zkpush


def directory(path: pathlib.Path, url: str, token: str = "") -> pathlib.Path:
    """A data directory that says the API is at `url`."""
    run = {"pid": 1, "listen": [], "manage": url}
    belongs = {"data": str(path), "directory": directory_mark(path)}
    (path / "run.json").write_text(json.dumps({**run, **belongs}))
    if token:
        (path / "admin.token").write_text(f"{token}\n")
    return path


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("http://192.0.2.5:8082", "http://192.0.2.5:8082"),
        ("http://0.0.0.0:8082", "http://127.0.0.1:8082"),
        ("http://:::8082", "http://[::1]:8082"),
        ("http://[::]:8082", "http://[::1]:8082"),
        ("http://2001:db8::5:8082", "http://[2001:db8::5]:8082"),
        ("https://0.0.0.0:443", "https://127.0.0.1:443"),
    ],
)
def test_everywhere(tmp_path: pathlib.Path, written: str, asked: str) -> None:
    """A daemon that listens on every address is reached over loopback."""
    target = Given(directory(tmp_path, written, "t"), None, None).target()
    assert (target.url, target.token) == (asked, "t")


@pytest.mark.parametrize("written", ["UNIXAddress('/run/zkpush')", "http://nowhere"])
def test_no_http_address(tmp_path: pathlib.Path, written: str) -> None:
    """An API that is not on TCP is said to be out of reach."""
    with pytest.raises(click.ClickException, match="give it a tcp endpoint as --manage"):
        Given(directory(tmp_path, written), None, None).target()


def test_data_directory(daemon: Daemon) -> None:
    """The data directory says where the daemon is, as an option or a variable."""
    daemon.terminal("FOUND", approved=False)
    listing = said(zkpush("devices", "list", env=environment(ZKPUSH_DATA=str(daemon.data))))
    assert "FOUND" in listing
    assert "FOUND" in said(daemon.zkpush("devices", "list"))


def test_other_machine(daemon: Daemon) -> None:
    """A URL and a token reach a daemon without its directory, as options or variables."""
    said(zkpush("--url", f"{daemon.url}/", "--token", daemon.token, "devices", "list", "--json"))
    variables = environment(ZKPUSH_URL=daemon.url, ZKPUSH_TOKEN=daemon.token)
    said(zkpush("devices", "list", "--json", env=variables))


def test_command_line_wins(daemon: Daemon) -> None:
    """A directory on the command line hides the URL of a variable."""
    env = environment(ZKPUSH_URL="http://127.0.0.1:1")
    said(zkpush("--data", str(daemon.data), "devices", "list", "--json", env=env))


def test_token_stays_here(daemon: Daemon) -> None:
    """The token of a directory in a variable is not sent to a URL on the command line."""
    env = {"ZKPUSH_DATA": str(daemon.data)}
    run = misused("--url", daemon.url, "devices", "list", env=env)
    assert failed(run, 2) == "Error: --url needs a token: --token or ZKPUSH_TOKEN."


def test_both_on_command_line(daemon: Daemon) -> None:
    """A URL and a directory said together are the address and the token."""
    data = ("--data", str(daemon.data))
    said(zkpush(*data, "--url", daemon.url, "devices", "list", "--json", env=environment()))


def test_nothing_said() -> None:
    """Without a daemon to talk to, the options are named."""
    assert failed(misused("devices", "list"), 2) == (
        "Error: No daemon is named: give --data DIR (or ZKPUSH_DATA) on its machine, "
        "or --url and --token (or ZKPUSH_URL and ZKPUSH_TOKEN)."
    )


def test_no_directory(tmp_path: pathlib.Path) -> None:
    """A directory that is not there is named."""
    missing = tmp_path / "missing"
    assert failed(misused("--data", str(missing), "devices", "list")) == (
        f"Error: There is no data directory {missing}: "
        "give the --data that the daemon was started with."
    )


def test_no_run_file(tmp_path: pathlib.Path) -> None:
    """For a directory without a running daemon, the error says how to start one."""
    assert failed(misused("--data", str(tmp_path), "devices", "list")) == (
        f"Error: No daemon is running on {tmp_path}. "
        f"Start it with: twistd -n zkpush --data {tmp_path} "
        "(and the other options that it has, such as --config or --listen)"
    )


def test_data_of_another_user(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the command to type as its owner, and the way through the API."""
    directory(tmp_path, "http://127.0.0.1:1", "t")
    owner = pwd.getpwuid(tmp_path.stat().st_uid).pw_name
    read = pathlib.Path.read_bytes, pathlib.Path.read_text

    for name in (None, "run.json", "admin.token"):

        def refuse(path: pathlib.Path, name: str | None = name) -> None:
            if name in (None, path.name):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))

        monkeypatch.setattr(pathlib.Path, "read_bytes", lambda p: refuse(p) or read[0](p))
        monkeypatch.setattr(
            pathlib.Path, "read_text", lambda p, **more: refuse(p) or read[1](p, **more)
        )
        for words in (["devices", "list"], ["doctor"], ["doctor", "SN1"]):
            assert failed(misused("--data", str(tmp_path), *words)) == (
                f"Error: Cannot read {tmp_path / (name or 'run.json')}: Permission denied. Run "
                f"this as the user that the daemon runs as: `sudo -u {owner} zkpush …`; or give "
                "--url and --token (or ZKPUSH_URL and ZKPUSH_TOKEN)."
            )


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
def test_a_directory_that_is_closed_to_others(tmp_path: pathlib.Path) -> None:
    """Nothing before the command itself looks at the directory."""
    data = directory(tmp_path, "http://127.0.0.1:1", "t")
    data.chmod(0o700)
    code = (
        "import os, sys, zkpush.handlers.terminals.cli, zkpush.cli.client, encodings.idna\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "zkpush.cli.main(sys.argv[1:], prog_name='zkpush')"
    )
    # As another user, it cannot write a report of its coverage.
    env = {name: value for name, value in environment().items() if not name.startswith("COV")}
    run = subprocess.run(
        [sys.executable, "-c", code, "--data", data, "devices", "list"],
        capture_output=True,
        text=True,
        env=env,
    )
    assert "`sudo -u root zkpush …`" in failed(run)


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_damaged_directory(tmp_path: pathlib.Path, content: str) -> None:
    """A run.json that says nothing is named."""
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(click.ClickException, match=r"run\.json does not say where the daemon is"):
        Given(tmp_path, None, None).target()


def test_unreadable(tmp_path: pathlib.Path) -> None:
    """A file that cannot be read is named, with what to do."""
    directory(tmp_path, "http://127.0.0.1:8082")
    with pytest.raises(click.ClickException, match=r"Cannot read .*admin\.token: No such file"):
        Given(tmp_path, None, None).target()
    (tmp_path / "run.json").unlink()
    (tmp_path / "run.json").mkdir()
    with pytest.raises(click.ClickException, match=r"Cannot read .*run\.json: .* --url and"):
        Given(tmp_path, None, None).target()


def test_not_running(tmp_path: pathlib.Path) -> None:
    """A daemon that has stopped is said not to run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    directory(tmp_path, url, "t")
    assert failed(zkpush("--data", str(tmp_path), "devices", "list")) == (
        f"Error: The daemon is not running: nothing answers at {url}. "
        f"Start it with: twistd -n zkpush --data {tmp_path} "
        "(and the other options that it has, such as --config or --listen)"
    )
    assert failed(zkpush("--url", url, "--token", "t", "devices", "list")) == (
        f"Error: Nothing answers at {url}: check --url, and that the daemon is running there."
    )


def test_token_refused(daemon: Daemon, tmp_path: pathlib.Path) -> None:
    """A token that is not taken is said to be wrong, with where it is from."""
    assert failed(daemon.zkpush("--token", "wrong", "devices", "approve", "T1")) == (
        f"Error: {daemon.url} refused the token: check --token or ZKPUSH_TOKEN."
    )
    directory(tmp_path, daemon.url, "stale")
    assert failed(zkpush("--data", str(tmp_path), "devices", "list")) == (
        f"Error: {daemon.url} refused the token in {tmp_path}/admin.token: another daemon "
        "answers there. Check that the daemon of that directory is running."
    )


def test_no_url() -> None:
    """Something that is no URL is a mistake of usage."""
    message = failed(zkpush("--url", "http://büro:8082", "--token", "t", "devices", "list"), 2)
    assert message.startswith("Error: http://büro:8082 is not a URL that can be asked: ")


def test_no_scheme() -> None:
    """A URL without a scheme is a mistake of usage."""
    run = misused("--url", "localhost:8082", "--token", "t", "devices", "list")
    assert failed(run, 2) == "Error: --url must begin with http:// or https://."


def test_no_password_in_a_url() -> None:
    """It would be shown in messages; what is wrong with it is said without it."""
    run = misused("--url", "http://ann:pass-4711@hr.example.com", "--token", "t", "devices", "list")
    assert failed(run, 2) == "Error: --url takes no user and password; give --token instead."
    assert "4711" not in run.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("--token=pass-4711",),
        ("--tokn=pass-4711", "devices", "list"),
        ("--url", "http://127.0.0.1:8082", "devices", "list", "--token=pass-4711"),
        ("--url", "ftp://x", "--token", "pass-4711", "devices", "list"),
        ("--token", "pass-4711", "tokens", "create", "x", "--scope", "all"),
    ],
)
def test_a_token_is_never_repeated(args: tuple[str, ...]) -> None:
    """Whatever is wrong with a command line, its message can be shown to anybody."""
    run = misused(*args)
    assert (run.returncode, "4711" in run.stdout + run.stderr) == (2, False)


def test_no_such_host() -> None:
    """A name that is not known is said to be so."""
    run = zkpush("--url", "http://host.invalid", "--token", "t", "devices", "list")
    assert failed(run).startswith("Error: Cannot connect to http://host.invalid: DNS lookup failed")


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), (200, b"{}"), (302, b"")])
def test_something_else(serve: Callable[..., str], status: int, body: bytes) -> None:
    """A server that is not zkpush is told apart."""
    url = serve(lambda method, path: (status, body))
    assert failed(zkpush("--url", url, "--token", "t", "devices", "list")) == (
        f"Error: The server at {url} is not the API of zkpush (status {status}): "
        "check --url, or the daemon's --manage."
    )


def test_hung_up(serve: Callable[..., str]) -> None:
    """A connection that ends without an answer is said to have failed."""
    url = serve(lambda method, path: None)
    message = failed(zkpush("--url", url, "--token", "t", "devices", "list"))
    assert message.startswith(f"Error: The connection to {url} failed: ")


def test_interrupt(serve: Callable[..., str]) -> None:
    """An interrupt ends a request that is not answered yet."""
    asked, ended = threading.Event(), threading.Event()

    def reply(method: str, path: str) -> None:
        asked.set()
        ended.wait(SECONDS)

    process = start("--url", serve(reply), "--token", "t", "devices", "list")
    assert asked.wait(SECONDS)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=SECONDS)
    ended.set()
    assert (process.returncode, err.splitlines()[-1]) == (1, "Aborted!")


def test_slow() -> None:
    """A server that does not answer is given up after a minute."""
    reactor = MemoryReactorClock()
    api = Api(Target("http://127.0.0.1:8082", "t"), reactor)
    failures: list[object] = []
    Deferred.fromCoroutine(api.get("devices", "T1")).addErrback(failures.append)
    protocol = reactor.tcpClients[0][2].buildProtocol(None)
    protocol.makeConnection(StringTransport())
    reactor.advance(59)
    assert failures == []
    reactor.advance(1)
    assert failures[0].value.message == ("http://127.0.0.1:8082 did not answer within 60 seconds.")

"""`zkpush doctor`."""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import re
import stat

import pytest

from zkpush.datalock import DirectoryLock
from zkpush.runfile import directory_mark

from .program import Daemon, environment, failed, said, zkpush


def test_a_terminal_is_examined(daemon: Daemon) -> None:
    """A line for each check, advice below it, and what to do next; status 1 for an error."""
    daemon.terminal("DOC1", approved=False)
    text = said(daemon.zkpush("doctor", "DOC1"), status=1)
    assert "error    admission   It is pending: " in text
    advice = "If it is yours, approve it: `zkpush devices approve DOC1`."
    assert f"-> {advice}" in text
    assert text.splitlines()[-1].startswith(f"Next: {advice}")
    found = json.loads(said(daemon.zkpush("doctor", "DOC1", "--json"), status=1))
    assert found["state"] == "error"
    assert found["checks"][0]["name"] == "connection"
    message = failed(daemon.zkpush("doctor", "DOC9"))
    assert message.startswith("Error: There is no terminal DOC9: it has not reached this server.")


def test_an_installation_is_examined_with_and_without_a_daemon(tmp_path: pathlib.Path) -> None:
    """Through the API while the daemon runs, and from its data directory after it ended."""
    data = tmp_path / "data"
    daemon = Daemon(data)
    try:
        text = said(daemon.zkpush("doctor"))
        assert f"Open: {daemon.terminals}, {daemon.url}." in text
    finally:
        daemon.stop()
    run = zkpush("--data", str(data), "doctor", "--json", env=environment(TZ="UTC"))
    found = json.loads(said(run, status=1))
    by_name = {check["name"]: check for check in found["checks"]}
    assert {name: check["state"] for name, check in by_name.items()} == {
        **dict.fromkeys(("disk", "modes", "zone", "database", "audit", "plugins"), "ok"),
        "ports": "unknown",
        "daemon": "error",
    }
    assert by_name["daemon"]["detail"] == f"No daemon is running on {data}."
    others = "(and the other options that it has, such as --config or --listen)"
    assert found["next"] == f"Start it: twistd -n zkpush --data {data} {others}"
    assert not any(stat.S_IMODE(path.stat().st_mode) & 0o077 for path in data.iterdir())
    (data / "key").chmod(0o644)
    config = tmp_path / "zkpush.toml"
    config.write_text('listen = ["ssl:8443:privateKey=/none.pem"]\n')
    run = zkpush("--data", str(data), "doctor", "--config", str(config), env=environment())
    text = said(run, status=1)
    assert "mode 0644" in text
    assert f"`chmod 0600 {data / 'key'}`" in text
    assert "error    ports" in text
    assert f"Start it: twistd -n zkpush --data {data} --config {config} (and" in text


@pytest.mark.parametrize("knows_url", [False, True])
def test_a_daemon_that_starts_is_not_said_to_be_stopped(
    tmp_path: pathlib.Path, knows_url: bool
) -> None:
    """A process holds the directory: at a first start, and after one that ended without a stop."""
    lock = DirectoryLock(tmp_path)
    lock.take({"pid": os.getpid(), "started_at": "now"})
    for name in ("admin.token", "key"):
        (tmp_path / name).write_text("t")
        (tmp_path / name).chmod(0o600)
    if knows_url:
        run = {
            "manage": "http://127.0.0.1:9",
            "data": str(tmp_path),
            "directory": directory_mark(tmp_path),
        }
        (tmp_path / "run.json").write_text(json.dumps(run))
    try:
        text = said(zkpush("--data", str(tmp_path), "doctor", env=environment(TZ="UTC")))
        assert (
            f"warning  daemon   The daemon (process {os.getpid()}) does not answer: it is" in text
        )
        assert text.splitlines()[-1] == "Next: Try again in a minute; its log says how far it is."
        message = failed(zkpush("--data", str(tmp_path), "devices", "list"))
        assert f"process {os.getpid()}" in message
        assert "starting" in message
        assert "Start it" not in text + message
    finally:
        lock.release()


def test_an_empty_directory_is_not_taken_for_damage(tmp_path: pathlib.Path) -> None:
    """Its mode and the start are the advice, and no key is missed."""
    tmp_path.chmod(0o755)
    run = zkpush("--data", str(tmp_path), "doctor", env=environment(TZ="UTC"))
    text = said(run, status=1)
    assert re.findall("^error +([a-z]+)", text, re.MULTILINE) == ["daemon", "modes"]
    assert f"Next: No daemon has run on {tmp_path}: is this the right --data?" in text
    assert f"-> Mend this: `chmod 0700 {tmp_path}`." in text
    assert "holds no token and no key" in text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_the_owner_of_a_directory_is_named(tmp_path: pathlib.Path) -> None:
    """With the commands that run as that user, or with more rights."""
    nobody = pwd.getpwnam("nobody")
    tmp_path.chmod(0o755)
    os.chown(tmp_path, nobody.pw_uid, -1)
    text = said(zkpush("--data", str(tmp_path), "doctor", env=environment(TZ="UTC")), status=1)
    assert f"others may use {tmp_path} (mode 0755, owner nobody)" in text
    assert f"`sudo chmod 0700 {tmp_path}`" in text
    assert f"`sudo -u nobody twistd -n zkpush --data {tmp_path}`" in text


def test_another_machine_is_not_examined_from_here(tmp_path: pathlib.Path) -> None:
    """What does not answer at a URL says nothing of a directory here."""
    run = zkpush("--url", "http://127.0.0.1:9", "--token", "x", "doctor", env=environment())
    assert failed(run).startswith("Error: Nothing answers at http://127.0.0.1:9")
    missing = zkpush("--data", str(tmp_path / "none"), "doctor", env=environment())
    assert "There is no data directory" in failed(missing)


def test_commands_to_paste_reach_the_daemon_that_was_named(daemon: Daemon) -> None:
    """They have the options of the command line, also in errors, and no token."""
    daemon.terminal("PASTE1", approved=False)
    data = str(daemon.data)
    examined = said(zkpush("--data", data, "doctor", "PASTE1"), status=1)
    assert f"`zkpush --data {data} devices approve PASTE1`" in examined
    assert "`zkpush devices" not in examined
    url = ("--url", daemon.url, "--token", daemon.token)
    examined = said(zkpush(*url, "doctor", "PASTE1"), status=1)
    assert f"`zkpush --url {daemon.url} devices approve PASTE1`" in examined
    assert daemon.token not in examined
    message = failed(zkpush("--data", data, "problems", "list", "--device", "NOBODY"))
    assert f"zkpush --data {data} devices list" in message
    listed = zkpush("--data", data, "problems", "list")
    assert f"`zkpush --data {data} devices list --state pending`" in listed.stderr
    assert "`zkpush doctor" not in listed.stderr


def test_terminals_that_are_refused_are_counted_below_the_problems(daemon: Daemon) -> None:
    """Those that are pending and those that are blocked, which are no problems."""
    for number, state in enumerate(("pending", "blocked", "blocked")):
        daemon.terminal(f"COUNTED{number}", approved=False)
        if state == "blocked":
            said(daemon.zkpush("devices", "block", f"COUNTED{number}"))
    told = daemon.zkpush("problems", "list").stderr
    for state, least in (("pending", 1), ("blocked", 2)):
        listed = json.loads(said(daemon.zkpush("devices", "list", "--state", state, "--json")))
        assert {one["state"] for one in listed} == {state}
        assert len(listed) >= least
        assert re.search(rf"{len(listed)} terminals? (is|are) {state}, which is no problem", told)

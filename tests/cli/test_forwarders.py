"""`zkpush forwarders`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .program import SECONDS, Daemon, eventually, failed, said

Serve = Callable[..., str]


def added(daemon: Daemon, name: str, url: str, *more: str) -> str:
    """Add a forwarder; its secret."""
    options = ("--url", url, "--allow-private", *more)
    return said(daemon.zkpush("forwarders", "add", name, *options)).strip()


@pytest.fixture
def terminal_pair() -> Iterator[tuple[int, int]]:
    """The two ends of a pseudo terminal: that of the user, and that of the program."""
    ends = os.openpty()
    yield ends
    for end in ends:
        os.close(end)


def typed(daemon: Daemon, ends: tuple[int, int], key: str, text: str, *args: str) -> bytes:
    """Run a command, and type a text when it asks for `key`; what the screen shows of that."""
    user, program = ends
    run = daemon.start(*args, stdin=program, start_new_session=True)
    try:
        prompt = f"{key}: "
        assert run.stderr.read(len(prompt)) == prompt
        os.write(user, f"{text}\n".encode())
        out, err = run.communicate(timeout=SECONDS)
    finally:
        run.kill()
    assert run.returncode == 0, err
    os.write(program, b"$")  # the screen has something to show
    screen = os.read(user, 1000)
    assert text not in out + err
    return screen


def shown(daemon: Daemon, name: str) -> dict[str, Any]:
    """A forwarder as JSON."""
    found: dict[str, Any] = json.loads(said(daemon.zkpush("forwarders", "show", name, "--json")))
    return found


def test_a_forwarder_is_added_tested_and_deleted(daemon: Daemon, serve: Serve) -> None:
    """The secret is alone on stdout, for scripts; `test` says what came back, in words."""
    url = serve(lambda method, path: (200, b"welcome") if method == "POST" else None)
    run = daemon.zkpush("forwarders", "add", "hook1", "--url", url, "--allow-private")
    secret = said(run).strip()
    assert secret.startswith("whsec_")
    assert "it is not shown again" in run.stderr
    assert secret not in said(daemon.zkpush("forwarders", "list", "--json"))
    assert "HTTP 200 OK: welcome" in said(daemon.zkpush("forwarders", "test", "hook1"))
    assert said(daemon.zkpush("forwarders", "rotate", "hook1")).strip().startswith("whsec_")
    said(daemon.zkpush("forwarders", "set", "hook1", "--event", "user"))
    assert shown(daemon, "hook1")["events"] == ["user"]
    said(daemon.zkpush("forwarders", "delete", "hook1"))
    assert "no forwarder hook1" in failed(daemon.zkpush("forwarders", "show", "hook1"))


@pytest.mark.long
def test_a_failing_receiver_is_seen_and_paused(daemon: Daemon, serve: Serve) -> None:
    """Its last error is in the list of attempts; a paused one sends nothing."""
    url = serve(lambda method, path: (500, b"broken") if method == "POST" else None)
    rules = '{"since": "2020-01-01", "devices": ["FORWARD2"]}'
    added(daemon, "hook2", url, "--rules", rules)
    assert "Not delivered" in failed(daemon.zkpush("forwarders", "test", "hook2"))
    terminal = daemon.terminal("FORWARD2")
    terminal.punch(["7\t2026-03-01 08:00:00\t0\t1"])
    eventually("an attempt", lambda: shown(daemon, "hook2")["last_error"])
    attempts = json.loads(said(daemon.zkpush("forwarders", "deliveries", "hook2", "--json")))
    assert attempts[0]["words"] == "HTTP 500 Internal Server Error: broken"
    said(daemon.zkpush("forwarders", "pause", "hook2"))
    assert shown(daemon, "hook2")["state"] == "paused"
    said(daemon.zkpush("forwarders", "resume", "hook2"))
    assert shown(daemon, "hook2")["state"] == "active"
    assert json.loads(said(daemon.zkpush("forwarders", "dead", "hook2", "--json"))) == []
    replayed = said(daemon.zkpush("forwarders", "replay", "hook2", "--dead"))
    assert "0 events are sent again" in replayed
    period = ("--since", "2020-01-01", "--until", "2099-01-01")
    assert "Say what to discard" in daemon.zkpush("forwarders", "discard", "hook2").stderr
    counted = said(daemon.zkpush("forwarders", "discard", "hook2", *period, "--dry-run"))
    assert "0 dead letters would be discarded" in counted
    discarded = said(daemon.zkpush("forwarders", "discard", "hook2", "--all", "--yes"))
    assert "0 dead letters are discarded" in discarded
    counted = said(daemon.zkpush("forwarders", "replay", "hook2", *period, "--dry-run"))
    assert "1 event would be sent again" in counted
    said(daemon.zkpush("forwarders", "replay", "hook2", *period))
    assert "cancelled" in said(daemon.zkpush("forwarders", "replay", "hook2", "--cancel"))
    said(daemon.zkpush("forwarders", "delete", "hook2"))


@pytest.mark.long
def test_a_password_is_asked_for(daemon: Daemon, terminal_pair: tuple[int, int]) -> None:
    """It is not shown while it is typed, is text even if it is digits, and replaces no setting."""
    settings = {
        "host": "mail.example.com",
        "user": "zkpush",
        "sender": "zkpush@example.com",
        "recipients": '["anna@example.com"]',
    }
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    new = ("forwarders", "add", "alarm", "--kind", "smtp", *options)
    assert "Set both" in failed(daemon.zkpush(*new))
    screen = typed(daemon, terminal_pair, "password", "4711", *new, "--ask", "password")
    assert b"4711" not in screen
    assert shown(daemon, "alarm")["settings"]["password"] is None
    change = ("forwarders", "set", "alarm", "--ask", "sender")
    assert b"alarm@" not in typed(daemon, terminal_pair, "sender", "alarm@example.com", *change)
    found = shown(daemon, "alarm")["settings"]
    assert (found["sender"], found["host"]) == ("alarm@example.com", "mail.example.com")
    said(daemon.zkpush("forwarders", "delete", "alarm"))


def test_mistakes(daemon: Daemon) -> None:
    """A URL that is none, rules that are no JSON, and a replay of nothing are explained."""
    plain = daemon.zkpush("forwarders", "add", "x", "--url", "http://payroll.example.com")
    assert "plain http would send the events unencrypted" in failed(plain)
    rules = daemon.zkpush("forwarders", "add", "x", "--url", "https://x.example", "--rules", "{")
    assert "not JSON" in failed(rules, 2)
    assert "replay" in daemon.zkpush("forwarders", "replay", "--help").stdout
    assert failed(daemon.zkpush("forwarders", "replay", "x"), 2)

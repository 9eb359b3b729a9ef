"""`zkpush forwarders`."""

from __future__ import annotations

import json
from collections.abc import Callable

from .program import Daemon, eventually, failed, said

Serve = Callable[..., str]


def added(daemon: Daemon, name: str, url: str, *more: str) -> str:
    """Add a forwarder; its secret."""
    options = ("--url", url, "--allow-private", *more)
    return said(daemon.zkpush("forwarders", "add", name, *options)).strip()


def shown(daemon: Daemon, name: str) -> dict[str, object]:
    """A forwarder as JSON."""
    found: dict[str, object] = json.loads(said(daemon.zkpush("forwarders", "show", name, "--json")))
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


def test_a_failing_receiver_is_seen_and_paused(daemon: Daemon, serve: Serve) -> None:
    """Its last error is in the list of attempts; a paused one sends nothing."""
    url = serve(lambda method, path: (500, b"broken") if method == "POST" else None)
    added(daemon, "hook2", url, "--rules", '{"since": "2020-01-01"}')
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
    assert "0 events" in replayed
    said(daemon.zkpush("forwarders", "delete", "hook2"))


def test_mistakes(daemon: Daemon) -> None:
    """A URL that is none, rules that are no JSON, and a replay of nothing are explained."""
    plain = daemon.zkpush("forwarders", "add", "x", "--url", "http://payroll.example.com")
    assert "plain http would send the events unencrypted" in failed(plain)
    rules = daemon.zkpush("forwarders", "add", "x", "--url", "https://x.example", "--rules", "{")
    assert "not JSON" in failed(rules, 2)
    assert "replay" in daemon.zkpush("forwarders", "replay", "--help").stdout
    assert failed(daemon.zkpush("forwarders", "replay", "x"), 2)

"""`zkpush tokens` and `zkpush audit`."""

from __future__ import annotations

import csv
import io
import json

from zkpush import __version__

from .program import Daemon, cells, environment, failed, misused, said, zkpush


def audited(daemon: Daemon, *args: str) -> list[dict[str, str]]:
    """What `audit list` knows."""
    return json.loads(said(daemon.zkpush("audit", "list", "--json", *args)))


def test_a_token_is_printed_once(daemon: Daemon) -> None:
    """Alone on stdout, for scripts; then it works from another machine, and only as it may."""
    run = daemon.zkpush("tokens", "create", "print1", "--scope", "read", "--scope", "read")
    token = said(run).strip()
    assert token.startswith("zkp_")
    assert run.stderr == "Token print1; it is not shown again:\n"
    assert token not in said(daemon.zkpush("tokens", "list"))
    env = environment(ZKPUSH_URL=daemon.url, ZKPUSH_TOKEN=token)
    said(zkpush("devices", "list", env=env))
    assert "scope 'write'" in failed(zkpush("devices", "approve", "X1", env=env))


def test_tokens_are_listed(daemon: Daemon) -> None:
    """With what they are for, who made them, and when they are over."""
    created = daemon.zkpush(
        *("tokens", "create", "list1", "--scope", "write", "--scope", "read"),
        *("--expires", "2126-01-01", "--json"),
    )
    made = json.loads(said(created))
    assert made["token"].startswith("zkp_")
    (line,) = (line for line in cells(said(daemon.zkpush("tokens", "list"))) if line[0] == "list1")
    assert line[1:4] == ["read,", "write", "all"]
    assert line[6:] == ["token", "admin", "2126-01-01", "00:00:00"]
    items = json.loads(said(daemon.zkpush("tokens", "list", "--json")))
    (item,) = (item for item in items if item["name"] == "list1")
    assert item == {key: value for key, value in made.items() if key != "token"}


def test_a_token_is_limited_to_areas(daemon: Daemon) -> None:
    """It has the areas that were named, and is refused where it cannot be limited."""
    for area in ("Wing", "Attic"):
        said(daemon.zkpush("areas", "put", area))
    words = ("tokens", "create", "north1", "--scope", "read", "--area", "Wing", "--area", "Attic")
    made = json.loads(said(daemon.zkpush(*words, "--json")))
    assert made["areas"] == ["Attic", "Wing"]
    env = environment(ZKPUSH_URL=daemon.url, ZKPUSH_TOKEN=made["token"])
    assert said(zkpush("devices", "list", "--json", env=env)).strip() == "[]"
    assert "limited to areas" in failed(zkpush("files", "list", env=env))


def test_a_token_is_revoked(daemon: Daemon) -> None:
    """It is refused then; what is not there cannot be revoked."""
    token = said(daemon.zkpush("tokens", "create", "gone1", "--scope", "read")).strip()
    assert said(daemon.zkpush("tokens", "revoke", "gone1")) == "The token gone1 is revoked.\n"
    run = zkpush("devices", "list", env=environment(ZKPUSH_URL=daemon.url, ZKPUSH_TOKEN=token))
    assert "refused the token" in failed(run)
    assert token not in run.stderr
    message = failed(daemon.zkpush("tokens", "revoke", "gone1"))
    assert message == "Error: There is no token gone1. See: zkpush tokens list"


def test_mistakes() -> None:
    """A token is for something, and there are no other scopes."""
    without = misused("tokens", "create", "x")
    assert (without.returncode, "Missing option '--scope'" in without.stderr) == (2, True)
    assert "'all' is not one of 'attendance', 'read'," in (
        failed(misused("tokens", "create", "x", "--scope", "all"), 2)
    )


def test_the_command_line_is_in_the_audit_log(daemon: Daemon) -> None:
    """Who did what with it; the filters choose, and a person sees a table."""
    said(daemon.zkpush("tokens", "create", "audit1", "--scope", "read"))
    said(daemon.zkpush("devices", "approve", "AUDIT1", "--add"))
    (made,) = (
        item
        for item in audited(daemon, "--action", "create token", "--actor", "token admin")
        if item["subject"] == "token audit1"
    )
    assert made["detail"] == f"read; by zkpush-cli/{__version__} from 127.0.0.1"
    since = audited(daemon, "--since", made["recorded_at"][:19] + "Z")
    assert "terminal AUDIT1" in [item["subject"] for item in since]
    assert audited(daemon, "--until", "2020-01-01") == []
    titles, *lines = said(daemon.zkpush("audit", "list", "--action", "add terminal")).splitlines()
    assert titles.split() == [
        "ID",
        "Recorded",
        "(UTC)",
        "Actor",
        "Action",
        "Subject",
        "Users",
        "Detail",
    ]
    assert any("token admin  add terminal  terminal AUDIT1" in line for line in lines)


def test_the_audit_log_is_exported(daemon: Daemon) -> None:
    """All of it, as CSV; not as two things at once."""
    said(daemon.zkpush("tokens", "create", "export1", "--scope", "read"))
    rows = list(csv.DictReader(io.StringIO(said(daemon.zkpush("audit", "list", "--csv")))))
    assert [int(row["id"]) for row in rows] == list(range(1, len(rows) + 1))
    assert "token export1" in [row["subject"] for row in rows]
    both = failed(daemon.zkpush("audit", "list", "--csv", "--json"), 2)
    assert both == "Error: --csv and --json exclude each other."

"""Plugins are contained: one that misbehaves, in whatever way, harms itself only."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

import pytest
import pytest_twisted

from ..daemon.misbehaving import (
    NEVER_RETURNS,
    behave,
    configured,
    environment,
    kept_by_plugin,
    send,
)
from ..daemon.process import Daemon
from ..daemon.test_process import wait_until
from ..rig import Rig

LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
DEADLINE = 30


@pytest.mark.long
@pytest.mark.parametrize("way", NEVER_RETURNS)
def test_a_plugin_that_does_not_return_holds_up_nobody(tmp_path: pathlib.Path, way: str) -> None:
    """Others are served, it is a problem, and the daemon stops all the same."""
    flags = configured(tmp_path, "[plugins]\ntime_limit_seconds = 1\n")
    behave(tmp_path, way)
    with Daemon(tmp_path, *flags, env=environment(tmp_path)) as daemon:
        for sn in ("T1", "T2"):
            daemon.exchange(sn)
        assert send(daemon, "T1", 7) == (200, b"OK: 2")
        for number in range(20):
            body = f"{number}\t2026-01-05 08:00:00\t0\t1\n".encode()
            assert daemon.upload("T2", body) == (200, b"OK: 1")

        def is_stuck() -> bool:
            problems = daemon.api("GET", "problems")["items"]
            return any(problem["code"] == "plugin stuck" for problem in problems)

        wait_until(is_stuck)
        shown = daemon.plugin("unruly")
        assert (shown["state"], shown["waiting"]) == ("failing", 1)
        assert send(daemon, "T2", 8) == (200, b"OK: 2")
        daemon.terminate()
        daemon.process.wait(DEADLINE)
    assert "The record handler unruly has not returned; its lines wait" in daemon.output()


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("way", ["exits", "stored exits", "stored raises", "interrupts"])
def test_an_exit_of_a_plugin_is_answered_and_the_daemon_stops(
    tmp_path: pathlib.Path, way: str, inline: bool
) -> None:
    """What would end a process ends one call of the plugin, and SIGTERM works as ever."""
    flags = configured(tmp_path, '[plugins]\ninline = ["unruly"]\n' if inline else "")
    behave(tmp_path, way)
    with Daemon(tmp_path, *flags, env=environment(tmp_path)) as daemon:
        daemon.exchange("T1")
        answered = b"OK: 1" if inline and not way.startswith("stored") else b"OK: 2"
        assert send(daemon, "T1", 7) == (200, answered)
        assert daemon.upload("T1", LINE) == (200, b"OK: 1")
        wait_until(lambda: "record handler unruly failed" in daemon.printed())
        daemon.terminate()
        daemon.process.wait(DEADLINE)
        output = daemon.output()
    assert "terminal T1, table UNRULY" in output
    assert "s3cret" not in output


@pytest.mark.parametrize(("setting", "is_shown"), [("false", False), ("true", True)])
def test_messages_of_plugins_are_logged_where_that_is_switched_on(
    tmp_path: pathlib.Path, setting: str, is_shown: bool
) -> None:
    """The plugin, the terminal and the table always; what an exception says only then."""
    flags = configured(tmp_path, f"[plugins]\nlog_messages = {setting}\n")
    behave(tmp_path, "raises")
    with Daemon(tmp_path, *flags, env=environment(tmp_path)) as daemon:
        daemon.exchange("T1")
        send(daemon, "T1", 7)
        wait_until(lambda: "terminal T1, table UNRULY: ValueError" in daemon.printed())
        daemon.terminate()
        output = daemon.output()
    assert ("s3cret of unruly" in output, "Traceback" in output) == (is_shown, is_shown)


@pytest.mark.long
def test_one_poison_line_stops_its_own_terminal_only(tmp_path: pathlib.Path) -> None:
    """Lines of one terminal keep their order; those of others go on."""
    behave(tmp_path, "raises")
    with Daemon(tmp_path, env=environment(tmp_path)) as daemon:
        for sn in ("T1", "T2"):
            daemon.exchange(sn)
        send(daemon, "T1", 1)
        wait_until(lambda: daemon.plugin("unruly")["last_error"] == "ValueError")
        behave(tmp_path)
        for number in (2, 3):
            send(daemon, "T1", number)
        send(daemon, "T2", 9)
        wait_until(lambda: "9" in kept_by_plugin(tmp_path, None))
        daemon.settle("unruly")
        assert daemon.plugin("unruly")["state"] == "ok"
    assert kept_by_plugin(tmp_path, None) == ["1", "2", "3", "9"]


@pytest.mark.long
def test_lines_of_a_plugin_that_is_gone_stay_until_it_is_back(tmp_path: pathlib.Path) -> None:
    """It is shown as missing, with what waits for it; installed again, it stores that."""
    behave(tmp_path, "raises")
    with Daemon(tmp_path, env=environment(tmp_path)) as daemon:
        daemon.exchange("T1")
        assert send(daemon, "T1", 7) == (200, b"OK: 2")
        daemon.terminate()
        daemon.output()
    with Daemon(tmp_path) as daemon:
        shown = daemon.plugin("unruly")
        assert (shown["state"], shown["waiting"], shown["package"]) == ("missing", 1, None)
        (problem,) = daemon.api("GET", "problems")["items"]
        assert (problem["code"], problem["subject"]) == ("plugin missing", "plugin unruly")
        assert send(daemon, "T1", 8) == (200, b"OK: 1")
        (reject,) = daemon.api("GET", "rejects")["items"]
        assert reject["reason"] == "no handler takes lines of UNRULY"
        daemon.terminate()
        daemon.output()
    behave(tmp_path)
    with Daemon(tmp_path, env=environment(tmp_path)) as daemon:
        daemon.settle("unruly")
        # What was not understood while it was gone is read again, too.
        wait_until(lambda: kept_by_plugin(tmp_path, None) == ["7", "8"])


@pytest.mark.long
def test_a_plugin_that_cannot_make_its_tables_has_its_lines_wait(tmp_path: pathlib.Path) -> None:
    """The start goes on, the plugin is failing, and once it can, its lines are stored."""
    behave(tmp_path, "prepare exits")
    with Daemon(tmp_path, env=environment(tmp_path)) as daemon:
        daemon.exchange("T1")
        assert send(daemon, "T1", 7) == (200, b"OK: 2")
        assert daemon.plugin("unruly")["state"] == "failing"
        problems = daemon.api("GET", "problems")["items"]
        assert "plugin failing" in [problem["code"] for problem in problems]
        behave(tmp_path)
        daemon.settle("unruly")
        assert daemon.plugin("unruly")["state"] == "ok"
    assert kept_by_plugin(tmp_path, None) == ["7"]


def test_what_waits_for_plugins_is_listed_and_counted(tmp_path: pathlib.Path) -> None:
    """By the command line and in the metrics, with the age of the oldest."""
    behave(tmp_path, "raises")
    with Daemon(tmp_path, env=environment(tmp_path)) as daemon:
        daemon.exchange("T1")
        send(daemon, "T1", 7)
        wait_until(lambda: daemon.plugin("unruly")["last_error"] == "ValueError")
        program = pathlib.Path(sys.executable).parent / "zkpush"
        listed = subprocess.run(
            [program, "--data", tmp_path, "plugins", "list"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "COLUMNS": "300"},
        ).stdout
        lines = [line.split() for line in listed.splitlines()]
        (shown,) = [words for words in lines if words[:3] == ["unruly", "record", "handler"]]
        assert (shown[4], shown[5], shown[-1]) == ("failing", "1", "ValueError")
        metrics = daemon.metrics()
    assert 'zkpush_plugin_inbox{plugin="unruly"} 1.0' in metrics
    assert 'zkpush_plugin_inbox_oldest_seconds{plugin="unruly"}' in metrics


@pytest_twisted.ensureDeferred
async def test_one_bad_line_of_a_mixed_body_is_kept_and_the_rest_stored(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler of ours that raises costs its own lines: they are rejects, under its name."""
    from zkpush.handlers.people.handler import PeopleHandler

    healthy = PeopleHandler.persist

    def poisoned(self, tx, device, batch, now):
        healthy(self, tx, device, batch, now)
        if any(row[0] == "13" for row in batch.rows):
            raise KeyError("poison")

    monkeypatch.setattr(PeopleHandler, "persist", poisoned)
    await rig.exchange("T1")
    body = (
        b"OPLOG 4\t14\t2026-01-05 08:00:00\t0\t0\t0\t0\nUSER PIN=12\tName=Ann\nUSER PIN=13\tName=B"
    )
    for _ in range(2):
        reply = await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", body)
        assert (reply.status, reply.body) == (200, b"OK: 1")
    assert len(await rig.items("/operations")) == 1
    assert await rig.items("/users") == []
    (reject,) = await rig.items("/rejects")
    assert (reject["table"], reject["reason"]) == ("USER", "the handler people failed (KeyError)")


def test_an_admission_policy_of_a_package_decides(tmp_path: pathlib.Path) -> None:
    """`--admission office` takes the policy of that name, which sees exchange and address."""
    behave(tmp_path)
    flags = ("--admission", "office")
    with Daemon(tmp_path, *flags, env=environment(tmp_path)) as daemon:
        hello = "options=all&pushver=2.4.1"
        assert daemon.request("GET", f"cdata?SN=C1&{hello}&language=83")[0] == 200
        assert daemon.request("GET", f"cdata?SN=E1&{hello}&language=69")[0] == 403
        assert daemon.request("GET", "getrequest?SN=N1")[0] == 403
        behave(tmp_path, "admit exits")
        status, reply = daemon.request("GET", f"cdata?SN=C2&{hello}&language=83")
        assert (status, b"OK" in reply) == (503, False)
        behave(tmp_path)
        assert daemon.request("GET", f"cdata?SN=C2&{hello}&language=83")[0] == 200
        states = {one["sn"]: one["state"] for one in daemon.api("GET", "devices")["items"]}
    assert states == {"C1": "approved", "E1": "pending", "C2": "approved"}


def test_an_admission_policy_that_is_not_there_is_named(tmp_path: pathlib.Path) -> None:
    """The start ends with one line, which lists those that are there."""
    with pytest.raises(AssertionError, match="admission: there is no policy 'office'; there are "):
        Daemon(tmp_path, "--admission", "office")


@pytest.mark.parametrize("how", ["exits", "runs out of memory", "raises"])
def test_a_verifier_that_exits_is_replaced_by_the_fallback(
    tmp_path: pathlib.Path, how: str
) -> None:
    """The terminal has an answer, and the next request is asked about again."""
    behave(tmp_path, f"verify {how}")
    flags = configured(tmp_path, '[verification]\nverifier = "unruly"\n')
    with Daemon(tmp_path, *flags, env=environment(tmp_path)) as daemon:
        daemon.exchange("T1")
        ask = "cdata?SN=T1&type=PostVerifyData"
        began = time.monotonic()
        assert daemon.request("POST", ask, b"PIN=2")[1].startswith(b"This could not be verified")
        assert time.monotonic() - began < DEADLINE
        behave(tmp_path)
        assert daemon.request("POST", ask, b"PIN=2") == (200, b"OK")
        daemon.terminate()
        daemon.process.wait(DEADLINE)


def test_a_plugin_module_that_exits_when_it_is_imported_costs_itself_only(
    tmp_path: pathlib.Path,
) -> None:
    """The daemon starts, and names the module."""
    folder = tmp_path / "theirs" / "twisted" / "plugins"
    folder.mkdir(parents=True)
    (folder / "exiting_plugin.py").write_text("raise SystemExit(3)\n")
    with Daemon(tmp_path / "data", env={"PYTHONPATH": str(folder.parent.parent)}) as daemon:
        daemon.exchange("T1")
        daemon.terminate()
        output = daemon.output()
    assert "exiting_plugin" in output


STORE = '''\
"""Stores of another package: SQLite under another name."""

from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.interfaces import IMaintainedStoreFactory
from zkpush.persist.sqlite import SQLiteStores


@implementer(IPlugin, IMaintainedStoreFactory)
class Theirs:
    schemes = ("theirs",)

    def open(self, url, key, reactor):
        return SQLiteStores().open(url.replace("theirs:", "sqlite:"), key, reactor)

    def open_database(self, url, key, *, alone, existing):
        url = url.replace("theirs:", "sqlite:")
        return SQLiteStores().open_database(url, key, alone=alone, existing=existing)


theirs = Theirs()
'''


@pytest.mark.long
def test_a_store_of_a_package_works_in_the_daemon_and_in_maintenance(
    tmp_path: pathlib.Path,
) -> None:
    """What the daemon has stored in it, `zkpush database` can check, and seal under a new key."""
    folder = tmp_path / "theirs" / "twisted" / "plugins"
    folder.mkdir(parents=True)
    (folder / "their_stores.py").write_text(STORE)
    env = {"PYTHONPATH": str(folder.parent.parent)}
    data = tmp_path / "data"
    url = f"theirs:///{tmp_path / 'db.sqlite'}"
    with Daemon(data, "--database", url, env=env) as daemon:
        daemon.exchange("T1")
        assert daemon.upload("T1", LINE) == (200, b"OK: 1")
        daemon.terminate()
        daemon.output()
    program = pathlib.Path(sys.executable).parent / "zkpush"
    for words in (["check"], ["rotate-key"]):
        done = subprocess.run(
            [program, "--data", data, "database", *words, "--database", url],
            capture_output=True,
            text=True,
            env={**os.environ, **env},
        )
        assert done.returncode == 0, done.stderr
    with Daemon(data, "--database", url, env=env) as daemon:
        assert daemon.pins() == ["7"]

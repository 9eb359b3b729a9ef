"""A handler of somebody else, in a package of its own, is as privileged as ours."""

from __future__ import annotations

import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys

import pytest

from .process import Daemon

EXAMPLE = pathlib.Path(__file__).parent.parent.parent / "examples" / "visitors"
USER = b"USER PIN=12\tName=Ann\tPri=0\tPasswd=\tCard=\tGrp=1\tTZ=0000000000000000"
FIRST = b"VISITOR PIN=7\tHost=12\tCompany=Example Ltd.\tArrived=2026-03-01 08:00:00"
SECOND = b"VISITOR PIN=8\tHost=12\tArrived=2026-03-01 08:05:00"


def visitors(data: pathlib.Path) -> list[tuple[str, ...]]:
    """What the plugin's own table holds."""
    connection = sqlite3.connect(data / "zkpush.sqlite")
    query = "SELECT device, pin, host, company, arrived FROM visitors ORDER BY pin"
    rows = connection.execute(query).fetchall()
    connection.close()
    return rows


@pytest.mark.long
def test_a_package_adds_a_record_type_with_a_table_of_its_own(tmp_path: pathlib.Path) -> None:
    """Its lines are stored once, beside ours, and survive a SIGKILL."""
    with Daemon(tmp_path, env={"PYTHONPATH": str(EXAMPLE)}) as daemon:
        daemon.exchange("R1")
        body = b"\n".join([USER, FIRST, b"VISITOR PIN=none\tArrived=2026-03-01 08:01:00"])
        for _ in range(2):
            answer = daemon.request("POST", "cdata?SN=R1&table=OPERLOG&Stamp=1", body)
            assert answer == (200, b"OK: 2")
        own = b"PIN=8\tHost=12\tArrived=2026-03-01 08:05:00"
        assert daemon.request("POST", "cdata?SN=R1&table=visitor&Stamp=1", own) == (200, b"OK: 1")
        daemon.settle("visitors")
        daemon.kill()
    expected = [
        ("R1", "7", "12", "Example Ltd.", "2026-03-01 08:00:00"),
        ("R1", "8", "12", None, "2026-03-01 08:05:00"),
    ]
    assert visitors(tmp_path) == expected

    with Daemon(tmp_path, env={"PYTHONPATH": str(EXAMPLE)}) as daemon:
        assert daemon.request("POST", "cdata?SN=R1&table=OPERLOG&Stamp=2", SECOND)[1] == b"OK: 1"
        daemon.settle("visitors")
        (user,) = daemon.api("GET", "users")["items"]
        assert (user["pin"], user["name"]) == ("12", "Ann")
        (reject,) = daemon.api("GET", "rejects")["items"]
        assert (reject["table"], reject["reason"][:4]) == ("VISITOR", "PIN:")
    assert visitors(tmp_path) == expected


def test_without_the_package_its_lines_are_kept(tmp_path: pathlib.Path) -> None:
    """What no handler takes is not counted, and not lost."""
    with Daemon(tmp_path) as daemon:
        daemon.exchange("R1")
        answer = daemon.request("POST", "cdata?SN=R1&table=OPERLOG&Stamp=1", USER + b"\n" + FIRST)
        assert answer == (200, b"OK: 1")
        (reject,) = daemon.api("GET", "rejects")["items"]
        assert reject["reason"] == "no handler takes lines of VISITOR"


@pytest.mark.parametrize(("noun", "table"), [("attendance", "ATTLOG"), ("people", "USER")])
def test_a_package_that_claims_one_of_our_tables_is_an_error(
    tmp_path: pathlib.Path, noun: str, table: str
) -> None:
    """Two claims on one name end the start with one clear line."""
    plugins = tmp_path / "claims" / "twisted" / "plugins"
    plugins.mkdir(parents=True)
    plugins.joinpath("claims.py").write_text(
        "from twisted.plugin import IPlugin\n"
        "from zope.interface import classImplements\n"
        "from visitors.handler import VisitorHandler\n"
        "classImplements(VisitorHandler, IPlugin)\n"
        f"from zkpush.handlers.{noun}.tables import {table}\n"
        f"VisitorHandler.tables = ({table},)\n"
        "claims = VisitorHandler()\n"
    )
    path = os.pathsep.join([str(plugins.parent.parent), str(EXAMPLE)])
    with pytest.raises(AssertionError, match=f"two plugins claim {table}"):
        Daemon(tmp_path / "data", env={"PYTHONPATH": path})


BRINGS = [
    "table VISITOR",
    "record handler visitors",
    "event kind visitors.arrived",
    "problem visitors not deleted",
    "section of the configuration visitors",
    "word visitors",
    "routes",
    "pages",
    "services",
]


def install(site: pathlib.Path) -> None:
    """Put the example where pip would, with what pip writes about it."""
    shutil.copytree(EXAMPLE / "visitors", site / "visitors")
    shutil.copytree(EXAMPLE / "twisted", site / "twisted")
    info = site / "zkpush_visitors-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zkpush-visitors\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[zkpush.words]\nvisitors = visitors.cli:visitors\n")
    (info / "top_level.txt").write_text("twisted\nvisitors\n")


def zkpush(*args: str, path: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Run the command line with a folder on the path."""
    return subprocess.run(
        [pathlib.Path(sys.executable).parent / "zkpush", *args],
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.long
def test_an_installed_package_is_checked_and_listed(tmp_path: pathlib.Path) -> None:
    """`plugins check` finds it before a daemon runs, and `plugins list` while one does."""
    site, data = tmp_path / "site", tmp_path / "data"
    install(site)
    data.mkdir()
    checked = zkpush("plugins", "check", "zkpush-visitors", path=site)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.splitlines() == [
        "ok      capability visitors (zkpush-visitors 2.0)",
        f"        Brings: {', '.join(BRINGS)}",
        "ok      record handler visitors (zkpush-visitors 2.0)",
        "ok      word visitors (zkpush-visitors)",
    ]
    with Daemon(data, env={"PYTHONPATH": str(site)}):
        listed = zkpush("--data", str(data), "plugins", "list", path=site)
    assert listed.returncode == 0, listed.stderr
    lines = [line.split() for line in listed.stdout.splitlines() if line.startswith("visitors")]
    assert [line[: line.index("ok") + 1] for line in lines] == [
        ["visitors", "capability", "zkpush-visitors", "2.0", "ok"],
        ["visitors", "record", "handler", "zkpush-visitors", "2.0", "ok"],
    ]

"""A daemon and five simulated terminals for half a minute; then, what was stored.

The daemon is a real one, on loopback, in a folder of its own that is removed at the end.
"""

from __future__ import annotations

import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

from rich.console import Console
from rich.table import Table

TERMINALS = 5
SECONDS = 25
PUNCHES_A_SECOND = 4
STATUSES = {0: "in", 1: "out"}
STARTED_WITHIN = 30

console = Console()
programs = pathlib.Path(sys.executable).parent


def start_daemon(data: pathlib.Path) -> tuple[subprocess.Popen[bytes], dict[str, object]]:
    """Start `twistd zkpush` on free ports, and wait until it says where it is."""
    daemon = subprocess.Popen(
        [
            programs / "twistd",
            *("--nodaemon", "--pidfile=", f"--logfile={data / 'twistd.log'}", "zkpush"),
            *("--data", data, "--admission", "open"),
            *("--listen", "tcp:0:interface=127.0.0.1"),
            *("--manage", "tcp:0:interface=127.0.0.1"),
        ]
    )
    deadline = time.monotonic() + STARTED_WITHIN
    while not (data / "run.json").exists():
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("The daemon did not start.")
        time.sleep(0.1)
    return daemon, json.loads((data / "run.json").read_text())


def records(api: str, token: str, after: str) -> tuple[list[dict[str, object]], str]:
    """The attendance records that were stored since a cursor, and the next cursor."""
    request = urllib.request.Request(
        f"{api}/api/v1/attendance?limit=1000&after={after}",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request) as reply:
        items = json.load(reply)["items"]
    return items, str(items[-1]["id"]) if items else after


def main() -> None:
    """Run the demonstration."""
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder)
        daemon, where = start_daemon(data)
        try:
            show(data, where)
        finally:
            daemon.terminate()
            daemon.wait()


def show(data: pathlib.Path, where: dict[str, object]) -> None:
    """Run simulated terminals, print punches as they are stored, then the table."""
    api, token = str(where["manage"]), (data / "admin.token").read_text().strip()
    console.print(f"The daemon runs; {TERMINALS} terminals push to it for {SECONDS} s.")
    simulator = subprocess.Popen(
        [
            *(programs / "zkpush", "simulate", "--server", where["listen"][0]),
            *("--devices", str(TERMINALS), "--rate", str(PUNCHES_A_SECOND)),
            *("--duration", str(SECONDS)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    stored: dict[str, list[dict[str, object]]] = collections.defaultdict(list)
    after, running = "0", True
    while running:
        running = simulator.poll() is None
        items, after = records(api, token, after)
        for item in items:
            stored[item["device"]].append(item)
            status = STATUSES.get(item["status"], item["status"])
            console.print(
                f"{item['time']}  terminal {item['device']}  user {item['pin']:>3}  {status}",
                highlight=False,
            )
        time.sleep(0.5)
    print(simulator.stdout.read())
    table = Table(title="What was stored")
    for column, side in (
        ("Terminal", "left"),
        ("Records", "right"),
        ("Users", "right"),
        ("First", "left"),
        ("Last", "left"),
    ):
        table.add_column(column, justify=side)
    for sn, items in sorted(stored.items()):
        times = sorted(item["time"] for item in items)
        table.add_row(
            sn, str(len(items)), str(len({item["pin"] for item in items})), times[0], times[-1]
        )
    table.add_row("all", str(sum(map(len, stored.values()))), "", "", "", style="bold")
    console.print(table)
    if simulator.returncode:
        raise SystemExit("Some punches were not acknowledged; see above.")


if __name__ == "__main__":
    main()

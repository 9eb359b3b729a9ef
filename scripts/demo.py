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
import urllib.error
import urllib.request

from rich.console import Console
from rich.table import Table

TERMINALS = 5
SECONDS = int(sys.argv[1]) if sys.argv[1:] else 25
"""How long the terminals run."""
PUNCHES_A_SECOND = 4
USERS = 8
STATUSES = {0: "in", 1: "out"}
STARTED_WITHIN = 30
KINDS = {
    "attendance": "attendance?record_type=all",
    "operations": "operations",
    "photos": "photos",
    "errors": "errors",
    "idcards": "idcards",
}
"""The lists of the API that are shown; people are counted at the end."""
COMMANDS = (
    ("DATA UPDATE USERINFO", {"PIN": "100", "Name": "Ann"}),
    ("DATA QUERY USERINFO", {"PIN": "100"}),
    ("DATA UPDATE FACE", {"PIN": "100", "FID": "0", "TMP": "A" * 32}),
    ("SHELL", {"command": "uname -a"}),
)
"""What each terminal is asked. Not every model knows faces: the server refuses the command then."""

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


def listed(api: str, token: str, path: str, after: str) -> tuple[list[dict[str, object]], str]:
    """The items of a list of the API since a cursor, and the next cursor."""
    request = urllib.request.Request(
        f"{api}/api/v1/{path}{'&' if '?' in path else '?'}limit=1000&after={after}",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request) as reply:
        items = json.load(reply)["items"]
    return items, str(items[-1].get("id", after)) if items else after


def described(api: str, token: str) -> set[str]:
    """The terminals that have said whether they know faces."""
    devices, _ = listed(api, token, "devices", "0")
    return {str(one["sn"]) for one in devices if one["functions"]["face"] is not None}


def ask(api: str, token: str, sn: str, command: str, params: dict[str, str]) -> str | None:
    """Queue a command for a terminal; the reason if the server refuses it."""
    request = urllib.request.Request(
        f"{api}/api/v1/devices/{sn}/commands",
        data=json.dumps({"command": command, "params": params}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        urllib.request.urlopen(request).close()
    except urllib.error.HTTPError as error:
        with error:
            return str(json.load(error)["detail"])
    return None


def told(kind: str, item: dict[str, object]) -> str:
    """A record in words; nothing for those that would be too many."""
    if kind == "attendance":
        status = STATUSES.get(item["status"], item["status"])
        return f"{item['time']}  terminal {item['device']}  user {item['pin']:>3}  {status}"
    if kind == "operations":
        return f"{item['time']}  terminal {item['device']}  {item['meaning'].lower()}"
    return ""


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
    """Run simulated terminals, print records as they are stored, then the table."""
    api, token = str(where["manage"]), (data / "admin.token").read_text().strip()
    console.print(f"The daemon runs; {TERMINALS} terminals push to it for {SECONDS} s.")
    simulator = subprocess.Popen(
        [
            *(programs / "zkpush", "simulate", "--server", where["listen"][0], "--everything"),
            *("--devices", str(TERMINALS), "--users", str(USERS), "--rate", str(PUNCHES_A_SECOND)),
            *("--duration", str(SECONDS)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    refused: dict[str, list[tuple[str, str]]] = {}
    stored = {kind: collections.Counter() for kind in KINDS}
    after, running, found = dict.fromkeys(KINDS, "0"), True, True
    while running or found:  # some records are stored a moment after they were acknowledged
        running, found = simulator.poll() is None, False
        for sn in sorted(described(api, token) - refused.keys()):
            answers = [(name, ask(api, token, sn, name, params)) for name, params in COMMANDS]
            refused[sn] = [(name, why) for name, why in answers if why is not None]
        for kind, path in KINDS.items():
            items, after[kind] = listed(api, token, path, after[kind])
            found = found or bool(items)
            stored[kind].update(item["device"] for item in items)
            # What terminals hold from the beginning is too much to read.
            for line in filter(None, (told(kind, item) for item in items[-PUNCHES_A_SECOND:])):
                console.print(line, highlight=False)
        time.sleep(0.5)
    print(simulator.stdout.read())
    table = Table(title="What was stored")
    table.add_column("Terminal")
    for kind in KINDS:
        table.add_column(kind.capitalize(), justify="right")
    for sn in sorted(stored["attendance"]):
        table.add_row(sn, *(str(stored[kind][sn]) for kind in KINDS))
    totals = (str(stored[kind].total()) for kind in KINDS)
    table.add_row("all", *totals, style="bold")
    console.print(table)
    table = Table(title="What the terminals were asked")
    for column in ("Terminal", "Command", "State", "Meaning", "Result"):
        table.add_column(column)
    for sn in sorted(refused):
        for command in listed(api, token, f"devices/{sn}/commands", "0")[0]:
            result = ", ".join(f"{k}={v}" for k, v in (command["result"] or {}).items())
            named = (command[name] or "" for name in ("command", "state", "meaning"))
            table.add_row(sn, *named, result)
        for command, why in refused[sn]:
            table.add_row(sn, command, "refused", why)
    console.print(table)
    users, _ = listed(api, token, "users", "0")
    console.print(f"And {len(users)} people, with their templates and photos.")
    if simulator.returncode:
        raise SystemExit("Some records were not acknowledged; see above.")


if __name__ == "__main__":
    main()

"""Generated clients in Python and TypeScript: strict, and used against a daemon."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any

import pytest

from ..cli.program import Daemon

pytestmark = pytest.mark.long

SOURCES = pathlib.Path(__file__).parent / "typescript"
NODE = pathlib.Path(sys.prefix) / "node" / "node_modules"
CONFIG = '{"content_type_overrides": {"application/openmetrics-text": "text/plain"}}'
"""The generator knows no OpenMetrics; they are a text."""


def ran(*words: object, folder: pathlib.Path, **variables: str) -> str:
    """The output of a program that succeeds."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_python_client_is_generated_and_works(
    filled: Daemon,
    described: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The generator leaves nothing out; the client reads typed items, and errors as such."""
    (tmp_path / "config.json").write_text(CONFIG)
    ran(
        *(sys.executable, "-m", "openapi_python_client", "generate", "--path", described),
        *("--meta", "none", "--output-path", tmp_path / "zkpush_client"),
        *("--config", tmp_path / "config.json", "--fail-on-warning"),
        folder=tmp_path,
        PATH=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    module: Any = importlib.import_module("zkpush_client")
    client = module.AuthenticatedClient(
        base_url=filled.url, token=filled.token, raise_on_unexpected_status=True
    )

    def asked(tag: str, name: str, *arguments: object, **more: object) -> Any:
        call: Any = importlib.import_module(f"zkpush_client.api.{tag}.{name}")
        return call.sync(*arguments, client=client, **more)

    first = asked("attendance", "get_attendance", limit=1)
    rest = asked("attendance", "get_attendance", after=first.next_)
    assert [punch.status_meaning for punch in (*first.items, *rest.items)] == [
        "Check in",
        "Check out",
    ]
    assert rest.next_ is None
    assert asked("attendance", "get_attendance", after=rest.cursor).items == []
    assert first.items[0].received_at.year >= 2026
    assert asked("devices", "get_devices_by_sn", "T1").sn == "T1"
    assert asked("devices", "get_devices_by_sn", "T9").status == 404
    assert asked("attendance", "get_attendance", since="yesterday").detail.startswith("since: ")
    for name in [one for one in sys.modules if one.split(".")[0] == "zkpush_client"]:
        del sys.modules[name]


@pytest.mark.skipif(
    not NODE.is_dir() and "CI" not in os.environ, reason="make test had no npm to install tsc with"
)
def test_a_typescript_client_is_generated_and_works(
    filled: Daemon, described: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """A program on the generated types compiles under `tsc --strict`, and does its work."""
    folder = tmp_path / "typescript"
    shutil.copytree(SOURCES, folder)
    tools = folder / "node_modules" / ".bin"
    (folder / "node_modules").symlink_to(NODE)
    ran(tools / "openapi-typescript", described, "--output", "schema.ts", folder=folder)
    ran(tools / "tsc", "--project", ".", folder=folder)
    found = ran(
        *("node", "built/client.js"),
        folder=folder,
        ZKPUSH_URL=filled.url,
        ZKPUSH_TOKEN=filled.token,
    )
    assert json.loads(found) == {
        "words": ["Check in", "Check out"],
        "later": 0,
        "alias": "Gate",
        "missing": 404,
        "queued": "queued",
    }

"""Schemathesis finds no failure of the server, and no reply that is not described."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest

from ..cli.program import Daemon

pytestmark = pytest.mark.long

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
EXAMPLES = 4
CONFIG = """
[parameters]
"path.sn" = "T1"
"path.pin" = "7"
"path.name" = "menu"
"""
"""What there is: otherwise nearly all requests would ask for what is not there."""


@pytest.mark.usefixtures("no_cover")
def test_replies_are_as_described(filled: Daemon, described: pathlib.Path) -> None:
    """Requests made from the schemas, right and wrong ones, to every operation but the stream."""
    config = described.parent / "schemathesis.toml"
    config.write_text(CONFIG)
    done = subprocess.run(
        [
            pathlib.Path(sys.executable).parent / "schemathesis",
            *("--config-file", str(config), "run", str(described)),
            *("--url", filled.url, "--header", f"Authorization: Bearer {filled.token}"),
            *("--checks", CHECKS, "--phases", "examples,fuzzing", "--seed", "1"),
            *("--max-examples", str(EXAMPLES), "--exclude-path", "/api/v1/events"),
            *("--generation-database", "none", "--no-color"),
        ],
        cwd=described.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    found = re.search(r"([0-9]+) generated, ([0-9]+) passed", done.stdout)
    assert found is not None, done.stdout[-2000:]
    assert int(found[1]) == int(found[2]) >= 48 * 2

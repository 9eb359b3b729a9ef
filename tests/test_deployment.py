"""The unit of systemd that docs/deployment.md shows."""

from __future__ import annotations

import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import textwrap

import pytest

from zkpush.options import Options

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "deployment.md"
UNIT = textwrap.dedent(re.findall(r"```ini\n(.*?)```", PAGE.read_text(), re.DOTALL)[0])
PROGRAM = "/opt/zkpush/bin/twistd"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="without systemd")
def test_systemd_takes_the_unit(tmp_path: pathlib.Path) -> None:
    """With no word about it; only the program is another one here."""
    unit = tmp_path / "zkpush.service"
    assert UNIT.count(PROGRAM) == 1
    unit.write_text(UNIT.replace(PROGRAM, sys.executable))
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_daemon_takes_the_options_of_the_unit() -> None:
    """Those behind the name of the plugin."""
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    program, *words = shlex.split(line)
    assert program == PROGRAM
    given = words[words.index("zkpush") + 1 :]
    options = Options()
    options.parseOptions(given)
    assert options["data"] == "/var/lib/zkpush"

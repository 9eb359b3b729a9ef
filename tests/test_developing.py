"""The example in docs/developing.md works: its files, in a copy of zkpush, and its tests."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from zkpush.persist.migrate import head_revision

pytestmark = pytest.mark.long

ROOT = pathlib.Path(__file__).parent.parent
PAGE = ROOT / "docs" / "developing.md"
BLOCK = re.compile(
    r"\*\*`([^`]+)`\*\*[^*`]*?(?:`[^`]*`[^*`]*?)*\n\n```(?:python|text)\n(.*?)```", re.DOTALL
)
FIELD_BEFORE = "    timezone: Annotated["
CHECKED = [
    "tests/golden/test_wire.py",
    "tests/server/test_doorbells.py",
    "tests/server/test_command_sections.py",
    "tests/persist/test_migrations.py",
    "tests/protocol/test_density.py",
    "tests/protocol/test_fields.py",
    "tests/protocol/test_tables.py",
    "tests/test_capabilities.py",
    "tests/test_discovery.py",
]
"""Tests that fail if a part of the noun is missing, or is not stated."""
SELECTED = (
    "doorbells or MELODY or RINGLOG or every_command or every_kind or every_pattern or agree "
    "or table or capabilities or handlers"
)


def files() -> dict[str, str]:
    """The files of the page, with the numbers of the migrations."""
    last = head_revision()
    text = PAGE.read_text().replace("MMMM", last).replace("NNNN", f"{int(last) + 1:04d}")
    return dict(BLOCK.findall(text))


def write(folder: pathlib.Path) -> None:
    """Write the files; what the page adds to a file is added to it."""
    for name, text in files().items():
        file = folder / name
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        elif name.startswith("twisted/"):
            file.write_text(file.read_text() + text)
        else:
            before, found, after = file.read_text().partition(FIELD_BEFORE)
            assert found
            file.write_text(before + text + found + after)


@pytest.mark.usefixtures("no_cover")
def test_the_example_works(tmp_path: pathlib.Path) -> None:
    """A record type, an attribute and a command need no more than the files of the page."""
    assert len(files()) == 16
    ignored = shutil.ignore_patterns("__pycache__", "dropin.cache")
    for name in ("zkpush", "twisted", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    write(tmp_path)
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rewrite-golden", "-k", SELECTED]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *CHECKED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout

"""Comparison of outputs with golden files, and the option that rewrites the files."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

FOLDER = pathlib.Path(__file__).parent


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a golden file, or write it there with `--rewrite-golden`."""

    def check(name: str, text: str) -> None:
        file = FOLDER / name
        if request.config.getoption("rewrite_golden"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.exists(), f"{name} is missing; docs/developing.md says how to write it"
        assert text == file.read_text(encoding="utf-8"), f"{name} differs"

    return check

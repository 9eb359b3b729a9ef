"""A reader finds the code of what the manual names by searching for the name."""

from __future__ import annotations

import json
import pathlib
import re

ROOT = pathlib.Path(__file__).parent.parent
DESCRIBED = ROOT / "tests" / "golden" / "openapi.json"
LITERAL = re.compile(r'"/*(/[^"\s]*)"')
"""A path that stands in the code as a whole."""


def test_each_path_of_the_api_stands_in_the_code() -> None:
    """As one text, with its variables in angle brackets, and not put together from parts."""
    code = "".join(path.read_text() for path in (ROOT / "zkpush").rglob("*.py"))
    written = {re.sub(r"<[^>]*>", "{}", path) for path in LITERAL.findall(code)}
    paths = {path.removeprefix("/api/v1") for path in json.loads(DESCRIBED.read_bytes())["paths"]}
    assert len(paths) > 50
    assert {path for path in paths if re.sub(r"{[^}]*}", "{}", path) not in written} == set()

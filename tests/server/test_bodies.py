"""Mistakes in JSON bodies: each is named in words, with what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted

from zkpush.manage.routes import PREFIX

from ..rig import Rig

WRONG = ({"a": 1}, "?", -1, ["?"], True)
"""Values of which no member takes all."""
PYTHON = ("Expected", "`str`", "`int`", "$.", "Struct", "unset", "UNSET")
"""Words that a person who sends JSON does not know."""


def members(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Find the members of all bodies: method, path and name."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            if "$ref" in schema:
                name = schema["$ref"].rpartition("/")[2]
                for member in document["components"]["schemas"][name]["properties"]:
                    yield method.upper(), re.sub("{[a-z]+}", "1", path), member


@pytest_twisted.ensureDeferred
async def test_no_mistake_in_a_body_is_told_in_the_words_of_python(rig: Rig) -> None:
    """For every member of every body, and for every kind of value."""
    document = (await rig.api("GET", "/openapi.json")).json
    seen = 0
    for method, path, member in members(document):
        for value in WRONG:
            found = await rig.api(method, path.removeprefix(PREFIX), {member: value})
            if found.status == 400:
                assert not any(word in found.json["detail"] for word in PYTHON), found.json
                seen += f"{member}: it is " in found.json["detail"]
    assert seen > 100


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("PATCH", "/devices/T1", {"token": "maybe"}, ["token: it is one of check, ", "require:"]),
        ("PATCH", "/devices/T1", {"alais": "x"}, ["no member `alais`; did you mean alias?"]),
        ("PATCH", "/devices/T1", {"timezone": "Berlin"}, ["did you mean Europe/Berlin?"]),
        (
            "POST",
            "/commands",
            {"commands": [{"comand": "INFO"}], "all": True, "window": {"begin": "2"}},
            [
                "`commands[0].comand`; did you mean command?",
                "window.begin: it is",
                "`window.end` is",
            ],
        ),
        (
            "POST",
            "/forwarders",
            {"name": "files", "kind": "csv"},
            ["settings: `folder` is missing", "Absolute path", "such as folder=/srv/punches"],
        ),
        ("POST", "/tokens", {"name": "x", "scopes": ["reed"]}, ["scopes", "read"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_mistake_names_the_member_and_what_is_allowed(
    rig: Rig, method: str, path: str, body: dict[str, Any], words: list[str]
) -> None:
    """Members of members too, and with an example where one is declared."""
    await rig.exchange()
    refused = await rig.api(method, path, body)
    assert refused.status == 400
    for word in words:
        assert word in refused.json["detail"]
    assert refused.json["detail"][-2:] not in ("?.", "..")

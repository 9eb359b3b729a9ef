"""The description of the API is valid, complete, and says what is enforced."""

from __future__ import annotations

import http.client
import json
import pathlib
import random
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from zkpush.simulator.picture import draw

from ..cli.program import SECONDS, Daemon
from ..filled import PICTURE


@pytest.fixture(scope="module")
def document(described: pathlib.Path) -> dict[str, Any]:
    """The description."""
    found: dict[str, Any] = json.loads(described.read_text())
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of each operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_it_is_valid_openapi(document: dict[str, Any]) -> None:
    """The validator of the specification finds nothing."""
    validate(document)


def test_every_operation_has_a_name_a_tag_and_its_statuses(document: dict[str, Any]) -> None:
    """Names are unique; nothing is left to `default` or a wildcard; each reply has a schema."""
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names)) > 40
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert operation["tags"], where
        assert "security" in operation, where
        statuses = set(operation["responses"])
        assert all(re.fullmatch("[2-5][0-9]{2}", status) for status in statuses), where
        if operation["security"]:
            assert {"401", "403", "503"} <= statuses, where
        if "{" in path:
            assert "404" in statuses, where
        if operation["parameters"] or "requestBody" in operation:
            assert "400" in statuses, where
        for status, reply in operation["responses"].items():
            if status != "204":
                assert all("schema" in kind for kind in reply["content"].values()), where
        for parameter in operation["parameters"]:
            assert parameter["schema"].get("default", "stated") not in (None, ""), where


FIXED = {
    "PUT /devices/{sn}": ("/devices/NEW", {"alias": "New"}),
    "PATCH /devices/{sn}": ("/devices/T1", {"alias": "Gate"}),
    "DELETE /devices/{sn}": ("/devices/NEW", None),
    "POST /devices/{sn}/recompute": ("/devices/T1/recompute", {}),
    "POST /devices/{sn}/commands": ("/devices/T1/commands", {"command": "CHECK"}),
    "POST /attendance/verify": ("/attendance/verify", {"devices": ["T1"]}),
    "POST /commands": ("/commands", {"command": "CHECK", "devices": ["T1"]}),
    "POST /devices/{sn}/resend": ("/devices/T1/resend", {"table": "ATTLOG"}),
    "POST /devices/{sn}/door": ("/devices/T1/door", {}),
    "POST /devices/{sn}/reboot": ("/devices/T1/reboot", {}),
    "PUT /devices/{sn}/users/{pin}": ("/devices/T1/users/7", {}),
    "DELETE /devices/{sn}/users/{pin}": ("/devices/T1/users/7", None),
    "PUT /users/{pin}": ("/users/77", {"name": "Ann"}),
    "DELETE /users/{pin}": ("/users/77", None),
    "PUT /users/{pin}/photo": ("/users/7/photo", draw(random.Random(1))),
    "DELETE /users/{pin}/photo": ("/users/7/photo", None),
    "POST /users/{pin}/enrol": ("/users/7/enrol", {"device": "T1", "what": "card"}),
    "POST /users/{pin}/send": ("/users/7/send", {"devices": ["T1"]}),
    "GET /areas/{name}": ("/areas/default", None),
    "GET /areas/{name}/distribution": ("/areas/default/distribution", None),
    "GET /areas/{name}/drift": ("/areas/default/drift", None),
    "POST /devices/{sn}/adopt": ("/devices/T1/adopt", {"dry_run": True}),
    "GET /areas/{name}/{table}": ("/areas/default/work-codes", None),
    "PUT /areas/{name}/{table}/{key}": ("/areas/default/work-codes/10", {"name": "Assembly"}),
    "GET /areas/{name}/{table}/{key}/terminals": (
        "/areas/default/work-codes/10/terminals",
        None,
    ),
    "DELETE /areas/{name}/{table}/{key}": ("/areas/default/work-codes/10", None),
    "PUT /areas/{name}": ("/areas/made", {"description": "Made"}),
    "DELETE /areas/{name}": ("/areas/made", None),
    "POST /users/import": ("/users/import?dry_run=true", b"pin,name\n79,Ann\n"),
    "POST /files": ("/files?name=more.bin", PICTURE),
    "POST /tokens": ("/tokens", {"name": "made", "scopes": ["read"]}),
    "DELETE /tokens/{name}": ("/tokens/made", None),
    "POST /accounts": ("/accounts", {"name": "made", "scopes": ["read"]}),
    "PATCH /accounts/{name}": ("/accounts/made", {"scopes": ["read"]}),
    "POST /accounts/{name}/link": ("/accounts/made/link", None),
    "POST /forwarders": ("/forwarders", {"name": "made", "url": "https://payroll.example.com"}),
    "PATCH /forwarders/{id}": ("/forwarders/1", {"events": ["user"]}),
    "POST /forwarders/{id}/replay": ("/forwarders/1/replay", {"ids": []}),
    "POST /forwarders/{id}/discard": ("/forwarders/1/discard", {"ids": []}),
    "POST /rejects/retry": ("/rejects/retry", {}),
}
"""Requests that work, by operation; the others are GETs of what there is."""
LAST = ("DELETE",)
"""What removes comes after all others."""


def requested(method: str, path: str, daemon: Daemon) -> tuple[str, Any]:
    """The target and body of a request that works."""
    short = path.removeprefix("/api/v1")
    fixed = FIXED.get(f"{method} {short}")
    if fixed is not None:
        return f"/api/v1{fixed[0]}", fixed[1]
    first = short.split("/")[1]
    if short == "/console/link":
        daemon.api("DELETE", "accounts/made")  # the link is for the first account
    if (method, short) == ("DELETE", "/accounts/{name}"):
        daemon.api("POST", "accounts", {"name": "leaver", "scopes": ["read"]})
        return path.replace("{name}", "leaver"), None
    if short == "/attendance/verify/{id}":
        made: Any = daemon.api("POST", "attendance/verify", {"devices": ["T1"]})
        return path.replace("{id}", made["id"]), None
    if short == "/devices/{sn}/copy":
        daemon.terminal("T6")
        daemon.api("PATCH", "devices/T6", {"state": "approved"})
        return path.replace("{sn}", "T6"), {"from": "T1", "dry_run": True}
    if short == "/areas/{name}/repair":
        daemon.api("PUT", "areas/Mended", {"distributes": True})
        return path.replace("{name}", "Mended"), {}
    if short == "/devices/{sn}/repair":
        daemon.terminal("T5")
        daemon.api("PATCH", "devices/T5", {"state": "approved", "area": "Repaired"})
        daemon.api("PUT", "areas/Repaired", {"distributes": True})
        return path.replace("{sn}", "T5"), None
    if short == "/conflicts/{id}":
        daemon.api("PUT", "users/78", {"name": "Ann"})
        daemon.terminal("T3").upload("OPERLOG", "USER PIN=78\tName=Eve\n")
        (conflict,) = daemon.api("GET", "conflicts?pin=78")["items"]
        return path.replace("{id}", str(conflict["id"])), {"keep": "stored"}
    if short == "/conflicts/punches/{id}":
        daemon.api("PUT", "users/80", {"name": "Ann"})
        daemon.terminal("T3").upload("OPERLOG", "USER PIN=80\tName=Eve\n")
        (claim,) = daemon.api("GET", "conflicts/punches?pin=80")["items"]
        return path.replace("{id}", str(claim["id"])), {"owner": "other"}
    if short in ("/devices/{sn}/replace", "/devices/{sn}/retire"):
        sn = short.rpartition("/")[2].upper()
        daemon.api("PUT", f"devices/{sn}", {"alias": "Old"})
        return path.replace("{sn}", sn), {"by": "SUCCESSOR"} if sn == "REPLACE" else None
    if short == "/users/{pin}/enrol/{id}":
        made = daemon.api("POST", "users/7/enrol", {"device": "T1", "what": "card"})
        return path.replace("{pin}", "7").replace("{id}", made["id"]), None
    if short == "/users/{pin}/earlier/{id}":
        daemon.api("PUT", "users/79", {"name": "Ann"})
        daemon.api("DELETE", "users/79")
        daemon.api("PUT", "users/79", {"name": "Eve"})
        (earlier,) = daemon.api("GET", "users/79/earlier")["items"]
        return path.replace("{pin}", "79").replace("{id}", str(earlier["id"])), None
    if "{id}" in path:
        listed: Any = daemon.api("GET", "devices/T1/commands" if first == "commands" else first)
        path = path.replace("{id}", str(listed["items"][-1]["id"]))
    body = {} if method == "POST" else None
    return path.replace("{sn}", "T1").replace("{pin}", "7"), body


def asked(method: str, target: str, body: Any, daemon: Daemon) -> tuple[int, str, bytes]:
    """Status, content type and body of a reply; of a stream, no body."""
    parts = urlsplit(daemon.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=SECONDS)
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
    headers = {"Authorization": f"Bearer {daemon.token}"}
    connection.request(method, target, content, headers)
    reply = connection.getresponse()
    kind = (reply.getheader("Content-Type") or "").partition(";")[0]
    found = b"" if kind == "text/event-stream" else reply.read()
    connection.close()
    return reply.status, kind, found


@pytest.mark.long
def test_every_operation_succeeds_as_described(document: dict[str, Any], filled: Daemon) -> None:
    """Each has a request that reaches its 2xx, with a described content type and schema."""
    ordered = sorted(operations(document), key=lambda one: one[0] in LAST)
    for method, path, operation in ordered:
        where = f"{method} {path}"
        target, body = requested(method, path, filled)
        status, kind, content = asked(method, target, body, filled)
        assert 200 <= status < 300, (where, status, content)
        reply = operation["responses"][str(status)]
        if status == 204:
            assert content == b"", where
            continue
        assert kind in reply["content"], (where, kind)
        if kind == "application/json":
            schema = {**reply["content"][kind]["schema"], "components": document["components"]}
            Draft202012Validator(schema).validate(json.loads(content))


def test_every_refusal_is_described(document: dict[str, Any], filled: Daemon) -> None:
    """Without a token, with a wrong parameter, and for what is not there."""
    for method, path, operation in operations(document):
        if not operation["security"]:
            continue
        target = re.sub(r"{(\w+)}", lambda name: "999999" if name[1] == "id" else "none", path)
        for url in (target, f"{target}?nothing=1"):
            status, kind, content = asked(method, url, None, filled)
            assert str(status) in operation["responses"], (method, url, status, content)
            if status >= 400:
                assert kind == "application/problem+json"
    status, _, _ = asked("POST", "/api/v1/devices", None, filled)
    assert status == 405

"""The OpenAPI 3.1 description of the API, derived from the routes and their types.

It lists every status that an operation can return, as generated clients know no others. The stable
id of an operation is its method and path (`get_devices_by_sn`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from ..model import MOST_ID
from .errors import CONTENT_TYPE, ProblemDetails
from .limits import WholeSite
from .routes import MOST_KEY, PREFIX, Route

_REF = "#/components/schemas/{name}"
_JSON = "application/json"
_NAMES = re.compile(r"<(?:(\w+):)?(\w+)>", re.ASCII)
_NO_NAME = re.compile(r"[^0-9A-Za-z_]+", re.ASCII)
_INSTANT = re.compile(r"\w+_at|utc", re.ASCII)
_TEXT = re.compile(r"text/|application/(?:x-ndjson|openmetrics)", re.ASCII)
_PROBLEMS = {
    HTTPStatus.BAD_REQUEST: "A parameter or the body is wrong; `detail` names it",
    HTTPStatus.UNAUTHORIZED: "There is no token, or it is not valid",
    HTTPStatus.FORBIDDEN: "The token has not the scope",
    HTTPStatus.NOT_FOUND: "There is no such thing",
    HTTPStatus.CONFLICT: "The state of the thing does not allow it",
    HTTPStatus.GONE: "What is stored is damaged or was removed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too long",
    HTTPStatus.SERVICE_UNAVAILABLE: "The server cannot do it now; `detail` says why",
}
_HEADERS: dict[str, dict[str, object]] = {
    "idempotency_key": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same key again returns what the first request made",
        "schema": {"type": "string", "minLength": 1, "maxLength": MOST_KEY},
    },
    "last_event_id": {
        "name": "Last-Event-ID",
        "in": "header",
        "required": False,
        "description": "The id of the event after which to go on",
        "schema": {"type": "string"},
    },
}
"""Headers that a route may take."""


def describe(routes: Sequence[Route], version: str) -> dict[str, object]:
    """Describe an API."""
    kinds = [
        ProblemDetails,
        *(kind for route in routes for kind in (route.body, route.returns) if kind),
    ]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    by_kind = dict(zip(map(id, kinds), schemas, strict=True))
    bodies = [route.body for route in routes if route.body is not None]
    taken = msgspec.json.schema_components(bodies, ref_template=_REF)[1]
    for name, schema in components.items():
        _add_formats(schema)
        _settle_defaults(schema, is_sent=name not in taken)
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        path = _NAMES.sub(r"{\2}", route.rule)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, by_kind)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "zkpush",
            "version": version,
            "description": "The API of zkpush, the server that attendance terminals push to.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "The management endpoint"}],
        "tags": [{"name": name} for name in sorted({_tag(route) for route in routes})],
        # The same order, whichever capability a route belongs to.
        "paths": {path: dict(sorted(paths[path].items())) for path in sorted(paths)},
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, schemas: dict[int, dict[str, Any]]) -> dict[str, object]:
    needs = "" if route.scope is None else f"Needs the scope `{route.scope.value}`."
    if isinstance(route.limited, WholeSite):
        needs += f" Refused to tokens that are limited to areas: {route.limited.why}"
    operation: dict[str, object] = {
        "operationId": _operation_id(route),
        "tags": [_tag(route)],
        "summary": route.summary,
        "description": needs or "Needs no token.",
        "security": [] if route.scope is None else [{"token": []}],
        "parameters": [
            *_path_parameters(route),
            *_query_parameters(route),
            *(_HEADERS[name] for name in route.takes if name in _HEADERS),
        ],
        "responses": {
            str(route.status.value): _success(route, schemas),
            **_failures(route, schemas),
        },
    }
    if route.body is not None:
        content: dict[str, object] = {_JSON: {"schema": schemas[id(route.body)]}}
        operation["requestBody"] = {"content": content, "required": True}
    if route.content is not None:
        content = {"application/octet-stream": {"schema": _BYTES}}
        operation["requestBody"] = {"content": content, "required": True}
    return operation


_BYTES: dict[str, object] = {"type": "string", "format": "binary"}


def _operation_id(route: Route) -> str:
    parts = _NAMES.sub(r"by_\2", route.rule.removeprefix(PREFIX)).strip("/")
    return _NO_NAME.sub("_", f"{route.method.lower()}_{parts}")


def _tag(route: Route) -> str:
    return route.rule.removeprefix(PREFIX).strip("/").split("/")[0].removesuffix(".json")


def _success(route: Route, schemas: dict[int, dict[str, Any]]) -> dict[str, object]:
    described: dict[str, object] = {"description": route.status.phrase}
    content: dict[str, object] = {}
    if route.returns is not None:
        content[_JSON] = {"schema": schemas[id(route.returns)]}
    for kind in (*route.forms, *route.produces):
        content[kind] = {"schema": {"type": "string"} if _TEXT.match(kind) else _BYTES}
    if content:
        described["content"] = content
    if route.forms:
        described["headers"] = {
            "X-Cursor": {
                "description": "As CSV and lines of JSON: the `cursor` to go on from later",
                "schema": {"type": "string"},
            }
        }
    return described


def _failures(route: Route, schemas: dict[int, dict[str, Any]]) -> dict[str, object]:
    problem = {CONTENT_TYPE: {"schema": schemas[id(ProblemDetails)]}}
    found: dict[str, object] = {}
    for status in _statuses(route):
        content: dict[str, object] = dict(problem)
        if route.scope is None and route.returns is not None:
            content[_JSON] = {"schema": schemas[id(route.returns)]}
        found[str(status.value)] = {"description": _PROBLEMS[status], "content": content}
    return found


def _statuses(route: Route) -> list[HTTPStatus]:
    """Return the error statuses that an operation can return."""
    if route.scope is None:
        return [HTTPStatus.SERVICE_UNAVAILABLE]
    statuses = {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
    if "<" in route.path:
        statuses |= {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
    if route.query is not None or route.body is not None or route.content is not None:
        statuses.add(HTTPStatus.BAD_REQUEST)
    if route.method != "GET":
        statuses |= {HTTPStatus.CONFLICT, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
    if route.produces:
        statuses.add(HTTPStatus.GONE)
    return sorted(statuses)


def _path_parameters(route: Route) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 0, "maximum": MOST_ID}
            if kind == "int"
            else {"type": "string", "minLength": 1},
        }
        for kind, name in _NAMES.findall(route.rule)
    ]


def _query_parameters(route: Route) -> list[dict[str, object]]:
    if route.query is None:
        return []
    _, components = msgspec.json.schema_components([route.query], ref_template=_REF)
    described = components[route.query.__name__]
    properties, required = described["properties"], described.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": schema.pop("description", ""),
            "schema": _without_null(schema),
        }
        for name, schema in properties.items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an argument without null: an absent argument is not null."""
    if schema.get("default", "") is None:
        del schema["default"]
    if "enum" in schema:
        schema["enum"] = [value for value in schema["enum"] if value is not None]
        schema.setdefault("type", "string")
    options = [part for part in schema.pop("anyOf", ()) if part.get("type") != "null"]
    return {**schema, **options[0]} if options else schema


def _add_formats(schema: dict[str, Any]) -> None:
    """Set the format of date-time values in a view."""
    for name, described in schema.get("properties", {}).items():
        if not _INSTANT.fullmatch(name):
            continue
        for part in (described, *described.get("anyOf", ())):
            if part.get("type") == "string":
                part["format"] = "date-time"


def _settle_defaults(schema: dict[str, Any], *, is_sent: bool) -> None:
    """Mark the properties that are always present: values with a default are always sent."""
    properties = schema.get("properties", {})
    always = [name for name, described in properties.items() if "default" in described]
    for name in always:
        del properties[name]["default"]
    if is_sent and always:
        required = {*schema.get("required", ()), *always}
        schema["required"] = [name for name in properties if name in required]

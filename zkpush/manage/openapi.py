"""OpenAPI 3.1, from the routes and their types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from .errors import ProblemDetails
from .routes import Route

_REF = "#/components/schemas/{name}"


def describe(routes: Sequence[Route], version: str) -> dict[str, object]:
    """The description of an API."""
    kinds = [
        ProblemDetails,
        *(kind for route in routes for kind in (route.body, route.returns) if kind),
    ]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    by_kind = dict(zip(map(id, kinds), schemas, strict=True))
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, path, by_kind)
    return {
        "openapi": "3.1.0",
        "info": {"title": "zkpush", "version": version},
        # In one order, whichever capability a route is of.
        "paths": {path: dict(sorted(paths[path].items())) for path in sorted(paths)},
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, path: str, schemas: dict[int, dict[str, Any]]) -> dict[str, object]:
    operation: dict[str, object] = {
        "summary": route.summary,
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in re.findall(r"{(\w+)}", path)
            ),
            *_query_parameters(route),
        ],
        "responses": {
            str(route.status.value): _content(schemas, route.returns, route.status.phrase),
            "default": {
                "description": "What went wrong, and what to do",
                "content": {"application/problem+json": {"schema": schemas[id(ProblemDetails)]}},
            },
        },
    }
    if route.scope is not None:
        operation["security"] = [{"token": []}]
        operation["description"] = f"Needs the scope `{route.scope.value}`."
    if route.body is not None:
        operation["requestBody"] = {**_content(schemas, route.body, ""), "required": True}
        del operation["requestBody"]["description"]  # type: ignore[attr-defined]
    if route.content is not None:
        bytes_: dict[str, object] = {"application/octet-stream": {}}
        operation["requestBody"] = {"content": bytes_, "required": True}
    return operation


def _content(schemas: dict[int, dict[str, Any]], kind: object, text: str) -> dict[str, object]:
    described: dict[str, object] = {"description": text}
    if kind is not None:
        described["content"] = {"application/json": {"schema": schemas[id(kind)]}}
    return described


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
            "schema": schema,
        }
        for name, schema in properties.items()
    ]

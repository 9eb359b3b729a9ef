"""Allowed values of arguments and settings, in words, from their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_KINDS = {"integer": "an integer", "number": "a number", "boolean": "true or false"}
_OTHER_KINDS = {"null": "null", "object": "an object"}
TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
"""Pattern of a time of day, to the minute."""
FORMS = {TIME_OF_DAY: "as HH:MM, such as 04:00"}
"""Patterns in words."""


def allowed_values(hint: Any) -> str:
    """Describe the allowed values of an argument: choices or bounds, and their meaning."""
    meaning = msgspec.json.schema(hint).get("description", "")
    words = simple_values(hint)
    if words is None:
        return meaning[:1].lower() + meaning[1:] if meaning else "a text"
    return f"{words} ({meaning})" if meaning else words


def json_values(hint: Any) -> str:
    """Describe the allowed values of a member of a JSON object, with their meaning."""
    schema: Any = msgspec.json.schema(hint, schema_hook=lambda custom: {"type": "string"})
    parts = [_resolved(schema, part) for part in schema.get("anyOf", [schema])]
    words = " or ".join(_json_words(schema, part) for part in parts)
    meaning = schema.get("description")
    return f"{words} ({meaning})" if meaning else words


def _resolved(schema: Any, part: Any) -> Any:
    return schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part


def _json_words(schema: Any, part: Any) -> str:
    """Describe one type of values."""
    if "enum" in part:
        return f"one of {', '.join(map(str, part['enum']))}"
    kind = part.get("type")
    if kind == "array":
        items = _json_words(schema, _resolved(schema, part["items"]))
        return f"a list{_length(part, 'Items', 'items')}, each item {items}"
    if kind == "string":
        return f"a text{_length(part)}"
    bounds = _bounds(part) if kind in _KINDS else ""
    return f"{_KINDS.get(kind, _OTHER_KINDS.get(kind, 'a value'))}{bounds}"


def _length(schema: Mapping[str, Any], key: str = "Length", what: str = "characters") -> str:
    least, most = schema.get(f"min{key}"), schema.get(f"max{key}")
    texts = [f"of at least {least} {what}"] if least else []
    texts += [f"of at most {most} {what}"] if most is not None else []
    pattern = schema.get("pattern")
    texts += [FORMS.get(pattern, f"of the form {pattern}")] if pattern else []
    return f" {' and '.join(texts)}" if texts else ""


def simple_values(hint: Any) -> str | None:
    """Describe choices, numbers and booleans without their meaning; None for other types."""
    schema: Any = msgspec.json.schema(hint, schema_hook=lambda custom: {"type": "string"})
    parts = (_resolved(schema, part) for part in schema.get("anyOf", [schema]))
    types = [part for part in parts if part.get("type") != "null"]
    choices = [str(choice) for part in types for choice in part.get("enum", ()) if choice]
    if choices:
        return f"one of {', '.join(choices)}"
    kind = _KINDS.get(types[0].get("type")) if len(types) == 1 else None
    return None if kind is None else f"{kind}{_bounds(types[0])}"


def _bounds(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    above = schema.get("exclusiveMinimum")
    if above is not None:
        return f" above {_number(above)}" + (
            "" if most is None else f", of at most {_number(most)}"
        )
    if least is not None and most is not None:
        return f" from {_number(least)} to {_number(most)}"
    if most is not None:
        return f" of at most {_number(most)}"
    return "" if least is None else f" of at least {_number(least)}"


def _number(value: float) -> str:
    """Write a bound in full; `%g` would shorten large ones."""
    return str(int(value)) if value == int(value) else str(value)

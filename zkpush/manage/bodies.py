"""Mistakes in a JSON object, in words, from the types of its members: all are reported at once.

A message names the member and what is allowed, with its meaning. It does not quote the value, which
may be a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard, get_args, get_origin, get_type_hints

import msgspec

from ..protocol.suggestions import did_you_mean
from ..valuewords import json_values


def body_mistakes(kind: Any, body: bytes) -> list[str]:
    """Return the mistakes in the members of a JSON object; empty if it is no object at all."""
    try:
        given = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return []
    if not isinstance(given, dict) or not _is_struct(kind):
        return []
    return [*member_mistakes(kind, given)]


def in_one(mistakes: Iterable[str]) -> str:
    """Join mistakes to one message, with one mark at its end."""
    words = "; ".join(mistakes)
    return words if words.endswith(("?", ".")) else f"{words}."


def member_mistakes(
    kind: type[msgspec.Struct], given: Mapping[str, object], prefix: str = ""
) -> Iterator[str]:
    """Find the mistakes in the members of an object; `prefix` precedes their names."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    hints = get_type_hints(kind, include_extras=True)
    if kind.__struct_config__.forbid_unknown_fields:
        for name in given:
            if name not in fields:
                yield f"there is no member `{prefix}{name[:40]}`; {_instead(name, fields)}"
    for name, field in fields.items():
        hint = hints[field.name]
        if name in given:
            yield from _value_mistakes(hint, given[name], f"{prefix}{name}")
        elif field.required:
            yield f"`{prefix}{name}` is missing; it is {json_values(hint)}{_example(name, hint)}"


def _instead(name: str, fields: Iterable[str]) -> str:
    meant = did_you_mean(name, fields)
    return meant or f"it takes {', '.join(fields)}"


def _value_mistakes(hint: Any, value: object, name: str) -> Iterator[str]:
    """Find the mistakes in a value: those of its members, or that it is not what is allowed."""
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError:
        pass
    else:
        return
    found: list[str] = []
    if isinstance(value, dict):
        for kind in _structs_of(hint):
            found += member_mistakes(kind, value, f"{name}.")
    elif isinstance(value, list):
        for kind in _structs_of(hint):
            for place, one in enumerate(value):
                if isinstance(one, dict):
                    found += member_mistakes(kind, one, f"{name}[{place}].")
    yield from found or [f"{name}: it is {json_values(hint)}{_example(name, hint)}"]


def _structs_of(hint: Any) -> Iterator[type[msgspec.Struct]]:
    """Find the structs in a type, in its parts and in the items of lists."""
    if _is_struct(hint):
        yield hint
    elif get_origin(hint) is not None or get_args(hint):
        for part in get_args(hint):
            if not isinstance(part, msgspec.Meta):
                yield from _structs_of(part)


def _example(name: str, hint: Any) -> str:
    """Return the first declared example of a member, to end a message; empty without one."""
    for meta in getattr(hint, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.examples:
            return f", such as {name}={meta.examples[0]}"
    return ""


def _is_struct(kind: Any) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)

"""Fields of entries as callers see them."""

from __future__ import annotations

from typing import Any

from .declared import BY_NAME
from .fields import FieldKind
from .model import AccessEntry

MEANING = "_meaning"


def shown_fields(entry: AccessEntry) -> dict[str, Any]:
    """Return the fields of an entry with the meanings of codes, and without pictures."""
    found: dict[str, Any] = {}
    for field in BY_NAME[entry.table].fields:
        value = entry.fields.get(field.name)
        if value is None:
            continue
        if field.kind is FieldKind.PICTURE:
            text = str(value)
            found["bytes"] = len(text) * 3 // 4 - text[-2:].count("=")
            continue
        found[field.name] = value
        words = field.words(value)
        if words is not None:
            found[field.name + MEANING] = words
    return found

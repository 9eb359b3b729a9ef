"""Inputs of the form of an entry of access data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .checks import DAYS
from .declared import AccessTable
from .fields import AccessField, FieldKind, is_known
from .labels import CHOICE_LABELS, FIELD_HINTS, FIELD_LABELS
from .weeks import DAY_GROUPS, UNCHANGED_DAYS

_PARAMS, _DAYS = "params.", "days."
"""Beginnings of the names of fields: of an entry, and of groups of days."""
FILE = "file"
"""Name of the field with a file."""


def named_mistakes(
    table: AccessTable, mistakes: Mapping[str, str], groups: Mapping[str, str]
) -> dict[str, str]:
    """Return mistakes by the names of inputs; `groups` are those that days have their text from."""
    pictures = {field.name for field in table.fields if field.kind is FieldKind.PICTURE}
    return {
        name
        if name == "key"
        else FILE
        if name in pictures
        else f"{_DAYS}{groups[name]}"
        if name in groups
        else f"{_PARAMS}{name}": text
        for name, text in mistakes.items()
    }


def day_inputs(table: AccessTable) -> list[dict[str, Any]]:
    """Describe the inputs that give several days one text, for a table with days."""
    if DAYS[0] not in {field.name for field in table.fields}:
        return []
    return [
        {
            "name": f"{_DAYS}{group.name}",
            "label": group.label,
            "help": UNCHANGED_DAYS,
            "kind": "text",
            "required": False,
            "is_needed": False,
            "options": [],
            "value": "",
            "checked": False,
        }
        for group in DAY_GROUPS
    ]


def input_of(table: str, field: AccessField, value: object) -> dict[str, Any]:
    """Describe the input of a field."""
    is_file = field.kind is FieldKind.PICTURE
    text = ", ".join(map(str, value)) if isinstance(value, list) else value
    codes: Any = field.codes
    listed = codes if isinstance(codes, Iterable) else ()
    options: list[tuple[str, str]] = [
        (str(int(one)), one.meaning) for one in listed if is_known(one)
    ]
    if field.choices:
        options = [(one, CHOICE_LABELS[one]) for one in field.choices]
    if options and not field.required and field.default is None:
        options.insert(0, ("", "\N{EN DASH}"))
    return {
        "name": FILE if is_file else f"{_PARAMS}{field.name}",
        "label": FIELD_LABELS[field.name],
        "help": FIELD_HINTS.get((table, field.name)),
        "kind": "file" if is_file else "box" if field.kind is FieldKind.YES else "text",
        "required": field.required and field.name not in DAYS,
        "is_needed": field.required,
        "options": options,
        "value": "" if text is None and field.default is None else text or field.default or "0",
        "checked": value is True,
    }

"""`field=value` arguments of the command line for fields of users."""

from __future__ import annotations

import click

from ...cli.codewords import number_of
from ...protocol.codes import Privilege

_NUMBERS = frozenset({"group", "verify"})
"""Fields of users that are numbers."""


def fields_of(pairs: tuple[str, ...]) -> dict[str, object]:
    """Read `field=value` pairs; an empty value empties a field."""
    body: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{pair!r} is not of the form field=value, such as name=Ann.")
        if name == "areas":
            body[name] = [area.strip() for area in value.split(",") if area.strip()]
        elif not value:
            body[name] = None
        elif name == "privilege":
            body[name] = _privilege(value)
        else:
            body[name] = int(value) if name in _NUMBERS and _is_number(value) else value
    return body


def _privilege(value: str) -> int:
    try:
        return number_of(Privilege, value)
    except ValueError as error:
        raise click.UsageError(f"privilege: {error}") from None


def _is_number(value: str) -> bool:
    return value.removeprefix("-").isdecimal()

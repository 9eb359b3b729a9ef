"""Arguments in the query of a request: parsed by their types, with all mistakes reported at once.

A list also refuses values of a filter that cannot occur, such as the code of no problem. Whether a
value occurs may be known to the database only, so `Known` is called with a transaction.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any, get_type_hints

import attrs
import msgspec
from msgspec import Meta

from ..persist.transaction import Transaction
from ..protocol.suggestions import did_you_mean
from ..valuewords import allowed_values

_CHECK = "check"
"""Key of the check in `Meta.extra`."""

Check = Callable[[str, str], object]
"""Called with the name of an argument and its text; `ValueError` if the text is invalid."""
Known = Callable[[Transaction, str], str | None]
"""Returns why a value of a filter cannot occur, or None if it can; called on a database thread."""


class Mistakes(ValueError):
    """All mistakes of a query, one sentence each."""

    def __init__(self, mistakes: Collection[str]) -> None:
        super().__init__(" ".join(mistakes))


@attrs.frozen
class Argument:
    """An argument in a path or query."""

    name: str
    type: Any
    is_required: bool
    allowed: str
    """Allowed values, in words."""
    checks: tuple[Check, ...]


def checked_by(check: Check, description: str) -> Meta:
    """Describe an argument whose text is checked beyond its type."""
    return Meta(description=description, extra={_CHECK: check})


def suggestion(text: str, names: Collection[str]) -> str:
    """Return a sentence that asks whether a similar name was meant, after a space; empty if none
    is similar."""
    meant = did_you_mean(text, names)
    return f" {meant[:1].upper()}{meant[1:]}" if meant else ""


def no_such(what: str, text: str, names: Collection[str], see: str = "") -> str | None:
    """Return why `text` is none of the names, with a suggestion; None if it is one.

    `see` says where the names are listed; without it, they are listed unless one is similar.
    """
    if text in names:
        return None
    meant = suggestion(text, names)
    if not meant and not see:
        meant = f" There are {', '.join(sorted(names))}."
    return f"There is no {what} {text[:40]!r}.{meant}{see and f' {see}'}"


def parse_query(
    kind: type[msgspec.Struct], given: Mapping[str, str]
) -> tuple[msgspec.Struct | None, list[str]]:
    """Parse the query of a request; return it, or None and all mistakes."""
    mistakes: list[str] = []
    unknown = sorted(given.keys() - set(kind.__struct_fields__))
    if unknown:
        takes = ", ".join(kind.__struct_fields__)
        mistakes.append(f"There is no argument {', '.join(unknown)}; this path takes {takes}.")
    converted: dict[str, object] = {}
    for argument in arguments_of(kind):
        text = given.get(argument.name)
        if text is None:
            if argument.is_required:
                mistakes.append(f"{argument.name}: It is missing; it is {argument.allowed}.")
            continue
        try:
            converted[argument.name] = msgspec.convert(text, argument.type, strict=False)
        except msgspec.ValidationError:
            mistakes.append(f"{argument.name}: {text[:40]!r} is not {argument.allowed}.")
            continue
        for check in argument.checks:
            try:
                check(argument.name, text)
            except ValueError as error:
                mistakes.append(f"{str(error).rstrip('.')}.")
    return (None if mistakes else kind(**converted)), mistakes


@functools.cache
def arguments_of(kind: type[msgspec.Struct]) -> tuple[Argument, ...]:
    """Return the arguments of a query, in the order of their declaration."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        Argument(
            field.name,
            hints[field.name],
            field.required,
            allowed_values(hints[field.name]),
            tuple(
                meta.extra[_CHECK]
                for meta in getattr(hints[field.name], "__metadata__", ())
                if isinstance(meta, Meta) and meta.extra and _CHECK in meta.extra
            ),
        )
        for field in msgspec.structs.fields(kind)
    )

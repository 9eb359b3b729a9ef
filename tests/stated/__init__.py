"""What tests expect of nouns, in the words of the specification: one module for each noun.

Some tests compare everything that zkpush declares with a list that is written by hand, so that
nothing is added unseen: the scope of each route, the fields of each record. A new noun, attribute
or command states its part in a module of this folder, and no list in another test changes.

| Name in a module | Meaning |
|---|---|
| `ROUTES` | the scope of each route, for `test_every_route_asks_for_its_scope` |
| `ATTRIBUTES` | values of an attribute of a terminal, and the scopes to change it |
| `DANGEROUS_COMMANDS` | commands that need the scope `dangerous` |
| `CASES` | a `Case` of each command: its line, its answer, its end |
| `WIRE`, `KEYS`, `SECRETS` | fields of a record type, those of its key, secret ones |
| `BARE`, `UTF8` | record types that are answered with a bare `OK`, or are always UTF-8 |
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any


def stated_mapping(name: str) -> dict[str, Any]:
    """Join the mappings of this name; no two modules state the same."""
    joined: dict[str, Any] = {}
    for found in _all(name):
        assert joined.keys().isdisjoint(found), f"{name} is stated twice"
        joined |= found
    return joined


def stated(name: str) -> list[Any]:
    """Join the sequences of this name."""
    return [one for found in _all(name) for one in found]


def _all(name: str) -> Iterator[Any]:
    for module in pkgutil.iter_modules(__path__):
        found = getattr(import_module(f"{__name__}.{module.name}"), name, None)
        if found is not None:
            yield found

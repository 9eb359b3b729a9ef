"""Code tables of fields: what a value means, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec


class Meant(Protocol):
    """A code with its meaning in words."""

    @property
    def meaning(self) -> str:
        """The meaning in words."""


CodeTable = Callable[[Any], Meant]
"""Called with the value of a field; never raises for a decoded value."""


class CodesBy(msgspec.Struct, frozen=True):
    """Code tables of a field whose meaning depends on another field of the record."""

    field: str
    """The name of the other field."""
    tables: tuple[tuple[object, CodeTable], ...]
    """The relevant values of the other field, each with its code table."""

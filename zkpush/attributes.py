"""Attributes of a terminal: each is declared once, by its annotated field in `model.Device`.

Its column, its place in the API, what an operator may change, the scope that this needs, the audit
log, the command line and docs/attributes.md follow from that field. Only a migration is written
besides.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from .protocol.fields import Scope


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of an attribute of a terminal."""

    meaning: str = ""
    """For people who use the API or the command line."""
    alias: str | None = None
    """The name in the API and on the command line, where it differs."""
    is_shown: bool = False
    """The API shows the value as it is."""
    is_changeable: bool = False
    """An operator may change it."""
    scope: Scope | None = None
    """What a change needs beyond the scope `write`."""
    is_news: bool = False
    """A change is an event."""
    is_told: bool = False
    """The terminal learns it in the exchange (5): a change asks for a new exchange."""
    ends_keys: bool = False
    """A change ends the keys of an encrypted session."""
    is_hidden: bool = False
    """The audit log does not show the value."""
    is_sealed: bool = False
    """The value is encrypted at rest."""
    longest: int | None = None
    """Most characters of a text, or items of a list."""
    check: Callable[[Any], Any] | None = None
    """Returns the value in its usual form; `ValueError` for a bad one."""
    example: str | None = None
    """A value for the command line."""
    body: Any = None
    """The type of a change, where it differs from that of the value."""


class DeclaredAttribute(msgspec.Struct, frozen=True):
    """An attribute with its name and type."""

    field: str
    """The name in `model.Device`, and of the column."""
    hint: Any
    """The type, without annotations."""
    default: Any
    """`msgspec.NODEFAULT` if there is none."""
    own: Attribute

    @property
    def name(self) -> str:
        """The name in the API and on the command line."""
        return self.own.alias or self.field

    @property
    def is_optional(self) -> bool:
        """Whether the value may be None."""
        return types.NoneType in get_args(self.hint)

    @property
    def kind(self) -> Any:
        """The type of a value that is not None."""
        if self.is_optional:
            return next(one for one in get_args(self.hint) if one is not types.NoneType)
        return self.hint

    @property
    def choices(self) -> list[str]:
        """The possible values, where they are listed."""
        kind = self.kind
        is_enum = isinstance(kind, type) and issubclass(kind, StrEnum)
        return [str(one.value) for one in kind] if is_enum else []

    @property
    def is_json(self) -> bool:
        """Whether the column holds JSON."""
        return get_origin(self.kind) in (dict, tuple)

    @property
    def api_type(self) -> Any:
        """The type of the value in the API, with its meaning."""
        return self._described(self.kind)

    @property
    def body_type(self) -> Any:
        """The type of a change in the API, with meaning and limits."""
        kind, longest = self.own.body or self.kind, self.own.longest
        if longest is not None:
            kind = Annotated[kind, msgspec.Meta(max_length=longest)]
        return self._described(kind)

    def _described(self, kind: Any) -> Any:
        whole = Union[kind, None] if self.is_optional else kind  # noqa: UP007 - made at run time
        meaning = self.own.meaning
        return Annotated[whole, msgspec.Meta(description=meaning)] if meaning else whole

    def checked(self, value: Any) -> Any:
        """Check a new value; `ValueError` if it is a bad one."""
        return value if value is None or self.own.check is None else self.own.check(value)


def declared(struct: type[msgspec.Struct]) -> Mapping[str, DeclaredAttribute]:
    """Read the declarations of a struct, by the names of its fields."""
    hints = get_type_hints(struct, include_extras=True)
    found = {}
    for field in msgspec.structs.fields(struct):
        hint, own = hints[field.name], Attribute()
        if get_origin(hint) is Annotated:
            hint, *notes = get_args(hint)
            own = next((note for note in notes if isinstance(note, Attribute)), own)
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        found[field.name] = DeclaredAttribute(field.name, hint, default, own)
    return found

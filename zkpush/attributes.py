"""Attributes of a terminal, each declared once by an annotated field of `model.Device`.

The database column, the API, the audit log, the command line and docs/attributes.md are derived
from that field. Only the migration is written by hand.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from .protocol.fields import SMALL, Scope

_YES_OR_NO = {"yes": True, "no": False}


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of an attribute of a terminal."""

    meaning: str = ""
    """Description, for users of the API and the command line."""
    alias: str | None = None
    """Name in the API and on the command line, where it differs from the field."""
    is_shown: bool = False
    """The API shows the value unchanged."""
    is_changeable: bool = False
    """Operators may change it."""
    scope: Scope | None = None
    """Scope that a change needs in addition to `write`."""
    is_news: bool = False
    """A change adds an event."""
    is_told: bool = False
    """The initialization exchange (5) sends it to the terminal, so a change asks for a new
    exchange."""
    ends_keys: bool = False
    """A change ends the keys of an encrypted session."""
    is_hidden: bool = False
    """The audit log omits the value."""
    is_sealed: bool = False
    """The value is encrypted at rest."""
    longest: int | None = None
    """Maximum number of characters of a text, or of items of a list."""
    minimum: int = 0
    maximum: int = SMALL
    """Bounds of a number."""
    check: Callable[[Any], Any] | None = None
    """Returns the normalized value; raises `ValueError` for an invalid one."""
    words: Callable[[Any], str | None] | None = None
    """Returns the meaning of a value, which the API shows as `NAME_meaning`; called with None,
    too."""
    example: str | None = None
    """Example value for the command line."""
    body: Any = None
    """Type of the value in a change request, where it differs."""


class DeclaredAttribute(msgspec.Struct, frozen=True):
    """An attribute with its name and type."""

    field: str
    """Name in `model.Device`, and of the column."""
    hint: Any
    """Type, without annotations."""
    default: Any
    """`msgspec.NODEFAULT` if there is none."""
    own: Attribute

    @property
    def name(self) -> str:
        """Name in the API and on the command line."""
        return self.own.alias or self.field

    @property
    def is_optional(self) -> bool:
        """Whether the value may be None."""
        return types.NoneType in get_args(self.hint)

    @property
    def kind(self) -> Any:
        """Type of a value that is not None."""
        if self.is_optional:
            return next(one for one in get_args(self.hint) if one is not types.NoneType)
        return self.hint

    @property
    def choices(self) -> list[str]:
        """Allowed values, for an enumerated type."""
        kind = self.kind
        is_enum = isinstance(kind, type) and issubclass(kind, StrEnum)
        return [str(one.value) for one in kind] if is_enum else []

    @property
    def is_json(self) -> bool:
        """Whether the column holds JSON."""
        return get_origin(self.kind) in (dict, tuple)

    @property
    def api_type(self) -> Any:
        """Type of the value in the API, annotated with its description."""
        return self._described(self.kind)

    @property
    def body_type(self) -> Any:
        """Type of the value in a change request, annotated with description and limits."""
        kind, longest = self.own.body or self.kind, self.own.longest
        if longest is not None:
            kind = Annotated[kind, msgspec.Meta(max_length=longest)]
        if kind is int:
            kind = Annotated[kind, msgspec.Meta(ge=self.own.minimum, le=self.own.maximum)]
        return self._described(kind)

    def _described(self, kind: Any) -> Any:
        whole = Union[kind, None] if self.is_optional else kind  # noqa: UP007 - made at run time
        meaning = self.own.meaning
        return Annotated[whole, msgspec.Meta(description=meaning)] if meaning else whole

    def parse(self, text: str) -> Any:
        """Parse a text of the command line that is not empty, or a list.

        Bounds and the check remain for the server. `ValueError` if the text is of another type.
        """
        if self.is_json:
            return [one.strip() for one in text.split(",") if one.strip()]
        if self.kind is int:
            try:
                return int(text)
            except ValueError:
                raise ValueError(f"{self.name}: {text[:40]!r} is not a number.") from None
        if self.kind is bool:
            if text not in _YES_OR_NO:
                raise ValueError(f"{self.name}: {text[:40]!r} is neither yes nor no.")
            return _YES_OR_NO[text]
        return text

    def checked(self, value: Any) -> Any:
        """Return a new value, normalized; `ValueError` if it is invalid."""
        return value if value is None or self.own.check is None else self.own.check(value)


def declared(struct: type[msgspec.Struct]) -> Mapping[str, DeclaredAttribute]:
    """Read the declarations of a struct, by field name."""
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

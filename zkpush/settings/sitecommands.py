"""Settings of site-defined commands and parameters."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class SiteParameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A parameter of a command."""

    name: Annotated[str, Meta(pattern=r"^~?[A-Za-z][A-Za-z0-9_]{0,63}$")]
    """Name on the wire."""
    meaning: Annotated[str, Meta(min_length=1)]
    kind: Literal["text", "integer", "base64", "time"] = "text"
    required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    pattern: str | None = None
    """Regular expression that the whole value must match."""
    secret: Literal["none", "biometrics", "dangerous"] = "dangerous"  # noqa: S105 - a scope
    """Scope needed to see the value; `none` for a public one."""


class SiteCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A command that the catalogue does not have."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]*( [A-Za-z0-9_]+)*$")]
    """Words on the wire before the parameters."""
    meaning: Annotated[str, Meta(min_length=1)]
    parameters: tuple[SiteParameter, ...] = ()
    scope: Literal["write", "dangerous"] = "dangerous"
    repeatable: bool = False
    """Whether the terminal may execute it twice."""
    wait_seconds: Annotated[int, Meta(ge=1)] | None = None


class AddedParameter(SiteParameter, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A parameter that is added to a command of the catalogue."""

    command: str

"""The settings in force: value, default, origin and meaning of every key of the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from ...config import Config, annotations_of, meaning
from ...origins import KEY_FILE, KEY_FILE_MODE, SettingOrigin, SettingOrigins
from ...phrases import Phrase

_OWN = __name__.partition(".")[0]
_VARIABLES = {
    KEY_FILE: Phrase("Another file for the key than `key` in the data directory"),
    KEY_FILE_MODE: Phrase("Widest mode of that file, in octal"),
}


class SettingView(msgspec.Struct, frozen=True, kw_only=True):
    """A setting in force."""

    key: Annotated[
        str, Meta(description="Name in the configuration file, such as `audit.keep_days`")
    ]
    value: Annotated[Any, Meta(description="The value in force; null if unset, or secret")]
    default: Annotated[Any, Meta(description="null if there is none, or if it is secret")]
    origin: Annotated[SettingOrigin, Meta(description="Where the value comes from")]
    origin_meaning: str
    secret: Annotated[bool, Meta(description="Whether the value is secret, and not shown")]
    meaning: str


def settings_in_force(settings: Config, origins: SettingOrigins) -> list[SettingView]:
    """List every setting, in the order of the manual; secret values are left out."""
    return [*_of_section(settings, "", origins), *_of_environment(origins)]


def _of_section(
    section: msgspec.Struct, prefix: str, origins: SettingOrigins
) -> Iterator[SettingView]:
    kind = type(section)
    for field in msgspec.structs.fields(kind):
        value, key = getattr(section, field.name), f"{prefix}{field.name}"
        if isinstance(value, msgspec.Struct):
            yield from _of_section(value, f"{key}.", origins)
            continue
        is_secret = _is_secret(kind, field.name, value)
        yield _view(
            key,
            None if is_secret else _shown(key, value),
            None if is_secret else _shown(key, _default_of(field)),
            origins.origin(key),
            meaning(kind, field.name),
            is_secret=is_secret,
        )


def _of_environment(origins: SettingOrigins) -> Iterator[SettingView]:
    for name, words in _VARIABLES.items():
        yield _view(
            name, origins.environment.get(name), None, origins.origin(name), words, is_secret=False
        )


def _view(
    key: str, value: object, default: object, origin: SettingOrigin, words: str, *, is_secret: bool
) -> SettingView:
    return SettingView(
        key=key,
        value=value,
        default=default,
        origin=origin,
        origin_meaning=origin.meaning,
        secret=is_secret,
        meaning=words,
    )


def _is_secret(kind: type[msgspec.Struct], name: str, value: object) -> bool:
    """Whether a value is secret: as its declaration says.

    Texts of sections of other packages are secret unless declared otherwise; numbers are not.
    """
    hint = annotations_of(kind)[name]
    for meta in getattr(hint, "__metadata__", ()):
        declared = (meta.extra or {}) if isinstance(meta, Meta) else {}
        if "secret" in declared:
            return bool(declared["secret"])
    is_foreign = kind.__module__.partition(".")[0] != _OWN and name not in Config.__struct_fields__
    return is_foreign and not isinstance(value, (bool, int, float, type(None)))


def _default_of(field: Any) -> object:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return None


def _shown(key: str, value: object) -> object:
    """Return a value as JSON has it, without the password of a URL."""
    if isinstance(value, Path):
        return str(value)
    if key == "database" and isinstance(value, str):
        return _without_password(value)
    return msgspec.to_builtins(value)


def _without_password(text: str) -> str | None:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return text if "@" not in text and "?" not in text else None
    return url.set(query={}).render_as_string(hide_password=True)

"""Hybrid identification (spec 3.1, Appendix 10): biometric types that both sides support.

Each side states for each type, by its position in a list such as `0:1:1:0:0:0:0:0:0:0`, whether it
supports templates and photos; types that both support are used. The terminal also reports its
algorithm versions, and its capacities and counts of templates and photos.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from .exchange import OPTION_REPLY
from .facts import VERSIONS, first, plain_names
from .reports import INFO

T = TypeVar("T")
_NUMBER = re.compile(r"[0-9]{1,9}\Z", re.ASCII)
_VERSION = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,6}))?\Z", re.ASCII)
_DEFAULTS = {field.wire: field.default for field in OPTION_REPLY.fields}
_REPORTED = {1: INFO.field("fingerprint_version").name, 2: INFO.field("face_version").name}
"""Types whose versions are also in the update information (spec 9)."""
_MOST_TYPES = 32


class BiometricSupport(msgspec.Struct, frozen=True, kw_only=True):
    """Support for one biometric type between a terminal and this server."""

    type: int
    templates: bool = False
    """Whether templates are exchanged in the unified form (spec 11.12, 12.1.1.6)."""
    photos: bool = False
    """Whether comparison photos are exchanged (spec 11.15, 12.1.1.8)."""
    major_version: int | None = None
    """The terminal's algorithm version; None if it does not report one."""
    minor_version: int | None = None
    template_capacity: int | None = None
    photo_capacity: int | None = None
    template_count: int | None = None
    photo_count: int | None = None


class Hybrid(msgspec.Struct, frozen=True):
    """Support for all biometric types of one terminal."""

    supported: bool
    """Whether the terminal supports hybrid identification at all."""
    types: tuple[BiometricSupport, ...]
    """The types about which anything is known."""

    def of(self, type_: int) -> BiometricSupport:
        """The support for one type."""
        for known in self.types:
            if known.type == type_:
                return known
        return BiometricSupport(type=type_)


def negotiate_types(
    options: Mapping[str, str],
    attributes: Mapping[str, str] = {},
    settings: Mapping[str, str | int] = {},
) -> Hybrid:
    """Determine the types that both sides support.

    `options` are the pushed options (spec 8), `attributes` the update information (spec 9), and
    `settings` this server's options where they differ from the defaults.
    """
    pushed = {name.lower(): value for name, value in options.items()}
    plain = plain_names(options)

    def told(name: str) -> list[str]:
        return _list(pushed.get(name.lower(), ""))

    def shared(name: str) -> list[bool]:
        offered = _list(str(settings.get(name, _DEFAULTS[name])))
        return [_has(one) and _has(other) for one, other in zip(told(name), offered, strict=False)]

    templates, photos = shared("MultiBioDataSupport"), shared("MultiBioPhotoSupport")
    versions = [_version(text) for text in told("MultiBioVersion")]
    held = [
        [_count(text) for text in told(name)]
        for name in (
            "MaxMultiBioDataCount",
            "MaxMultiBioPhotoCount",
            "MultiBioDataCount",
            "MultiBioPhotoCount",
        )
    ]
    types = []
    for number in range(_MOST_TYPES):
        major, minor = _at(versions, number) or (0, 0)
        if not major and number in VERSIONS:
            major, minor = _version(first(plain, VERSIONS[number]) or "")
        if not major and number in _REPORTED:
            major, minor = _version(attributes.get(_REPORTED[number], ""))
        counts = [_at(values, number) for values in held]
        support = BiometricSupport(
            type=number,
            templates=_at(templates, number) or False,
            photos=_at(photos, number) or False,
            major_version=major or None,
            minor_version=minor if major else None,
            template_capacity=counts[0],
            photo_capacity=counts[1],
            template_count=counts[2],
            photo_count=counts[3],
        )
        if support != BiometricSupport(type=number):
            types.append(support)
    supported = bool(told("MultiBioDataSupport") or told("MultiBioPhotoSupport"))
    return Hybrid(supported, tuple(types))


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(":")] if text.strip() else []


def _at(values: Sequence[T], number: int) -> T | None:
    return values[number] if number < len(values) else None


def _has(text: str) -> bool:
    return text not in ("", "0")


def _count(text: str) -> int | None:
    """Parse a positive count; None for 0, which means that the terminal has none."""
    return (int(text) or None) if _NUMBER.match(text) else None


def _version(text: str) -> tuple[int, int]:
    """Parse a version such as `10` or `10.3`; zeros for anything else."""
    found = _VERSION.match(text)
    return (0, 0) if found is None else (int(found[1]), int(found[2] or 0))

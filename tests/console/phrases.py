"""The texts that catalogues translate, as the templates and modules of a package have them."""

from __future__ import annotations

import functools

from zkpush.manage.console.extraction import Found, catalogues_of, packages_of_zkpush


@functools.cache
def phrases_of(package: str) -> tuple[Found, ...]:
    """The phrases of a package; extracted once, which takes a second or two."""
    return tuple(catalogues_of(package).phrases())


def all_texts() -> set[str]:
    """All texts: phrases, and both forms of those with a number."""
    return {
        text
        for package in packages_of_zkpush()
        for one in phrases_of(package)
        for text in ([one] if isinstance(one, str) else one)
    }

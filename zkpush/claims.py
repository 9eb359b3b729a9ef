"""Unique names of capabilities; the names of a plugin begin with the name of the plugin."""

from __future__ import annotations

from collections.abc import Iterable

from .capability import CapabilityError

ENGINE = "zkpush"
"""Owner of names that belong to no capability."""


class Claims:
    """Registry of claimed names of all kinds, with their owners."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}

    def add(self, kind: str, names: Iterable[str], owner: str) -> None:
        """Claim names of a kind, such as `table`; `CapabilityError` if one is already claimed."""
        for name in names:
            claim = f"the {kind} {name}"
            other = self._owners.setdefault(claim, owner)
            if other != owner:
                raise CapabilityError(
                    f"the capabilities {other} and {owner} both claim {claim}; "
                    "uninstall one of them"
                )


def check_prefix(kind: str, names: Iterable[str], owner: str, before: str = "") -> None:
    """Raise `CapabilityError` unless each name of a plugin is its own or begins with it.

    `before` is a prefix that precedes the name of the plugin.
    """
    own = f"{before}{owner}"
    for name in names:
        rest = name.removeprefix(own)
        if rest == name or (rest and rest[0].isalnum()):
            raise CapabilityError(
                f"the capability {owner} brings the {kind} {name}: the names of a plugin begin "
                f"with its own, {own}"
            )

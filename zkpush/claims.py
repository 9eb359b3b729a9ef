"""Names that capabilities claim: each has one owner, and a plugin's begin with its own name."""

from __future__ import annotations

from collections.abc import Iterable

from .capability import CapabilityError

ENGINE = "zkpush"
"""The owner of names that no capability brings."""


class Claims:
    """The claimed names of all kinds, with their owners."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}

    def add(self, kind: str, names: Iterable[str], owner: str) -> None:
        """Claim names of a kind, such as `table`; `CapabilityError` names both owners of one."""
        for name in names:
            claim = f"the {kind} {name}"
            other = self._owners.setdefault(claim, owner)
            if other != owner:
                raise CapabilityError(
                    f"the capabilities {other} and {owner} both claim {claim}; "
                    "uninstall one of them"
                )


def check_prefix(kind: str, names: Iterable[str], owner: str, before: str = "") -> None:
    """`CapabilityError` unless each name of a plugin is its own, or begins with it and a separator.

    `before` stands in front of the plugin's name.
    """
    own = f"{before}{owner}"
    for name in names:
        rest = name.removeprefix(own)
        if rest == name or (rest and rest[0].isalnum()):
            raise CapabilityError(
                f"the capability {owner} brings the {kind} {name}: the names of a plugin begin "
                f"with its own, {own}"
            )

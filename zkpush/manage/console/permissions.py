"""Permissions in words."""

from __future__ import annotations

from collections.abc import Sequence

from ...protocol.fields import Scope
from .phrases import Phrase

SCOPES: Sequence[tuple[Scope, Phrase, Phrase]] = (
    (
        Scope.ATTENDANCE,
        Phrase("See attendance"),
        Phrase("Punches, their files for payroll, and names of people; nothing else"),
    ),
    (Scope.READ, Phrase("See"), Phrase("Terminals, people and attendance")),
    (
        Scope.BIOMETRICS,
        Phrase("See secrets of people"),
        Phrase("Passwords, templates and photos"),
    ),
    (Scope.WRITE, Phrase("Change"), Phrase("People, terminals and ordinary commands")),
    (
        Scope.DANGEROUS,
        Phrase("Dangerous commands"),
        Phrase("Doors, files, firmware, and whatever clears a terminal"),
    ),
    (
        Scope.ADMIN,
        Phrase("Manage the server"),
        Phrase("Accounts, tokens, forwarders, audit, and the protection of terminals"),
    ),
)
"""What an account or a token may be allowed, in words: scope, name and explanation."""


def permission_of(scope: Scope) -> Phrase:
    """Return the name of a permission."""
    return next(name for one, name, _ in SCOPES if one is scope)

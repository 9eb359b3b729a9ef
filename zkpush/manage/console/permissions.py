"""Permissions in words."""

from __future__ import annotations

from ...protocol.fields import Scope
from .phrases import Phrase

SCOPES = (
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

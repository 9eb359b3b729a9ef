"""Services of accounts: the sessions of people, in the process of each node that serves them."""

from __future__ import annotations

from ...manage.services import Contribution, Role, Services
from .administration import AccountAdministration
from .passwords import Passwords
from .sessions import AccountSessions


def contribute(services: Services) -> Contribution:
    """Provide accounts and their sessions."""
    passwords = Passwords(services.clock)
    sessions = AccountSessions(services, passwords)
    return Contribution(
        services=[(Role.NODE, sessions)],
        offers=[passwords, sessions, AccountAdministration(services, passwords)],
        sign_in=sessions,
    )

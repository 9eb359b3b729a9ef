"""Services of accounts: the sessions of people, in the process of each node that serves them."""

from __future__ import annotations

from ...manage.services import Contribution, Role, Services
from .administration import AccountAdministration
from .model import SITE_ZONE
from .passwords import Passwords
from .sessions import AccountSessions
from .store import ConsoleSettingStore


def contribute(services: Services) -> Contribution:
    """Provide accounts and their sessions."""
    passwords = Passwords(services.clock)
    sessions = AccountSessions(services, passwords)
    services.zones.default_to(lambda tx: tx[ConsoleSettingStore].get(SITE_ZONE))
    return Contribution(
        services=[(Role.NODE, sessions)],
        offers=[passwords, sessions, AccountAdministration(services, passwords)],
        sign_in=sessions,
    )

"""Pages of accounts: signing in, one-time links, the own account, and all accounts."""

from __future__ import annotations

from ...manage.console.pages import ConsoleRoute, of_whole_site
from ...manage.console.phrases import Phrase
from ...manage.services import Services
from .managing import AccountPages, OwnAccountPages
from .signing import SigningPages

LIMITED = Phrase("Your account is limited to areas, and accounts are managed for the whole site.")
"""Why the page of all accounts is refused to limited ones."""


def pages(services: Services) -> list[ConsoleRoute]:
    """The pages and forms of accounts."""
    return [
        *SigningPages(services).routes(),
        *OwnAccountPages(services).routes(),
        *of_whole_site(AccountPages(services).routes(), LIMITED),
    ]

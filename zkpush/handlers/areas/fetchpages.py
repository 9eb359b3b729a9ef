"""The button on the page of an area that fetches the people of its terminals."""

from __future__ import annotations

from ...manage.commandviews import ask
from ...manage.console.forms import FormMistakes
from ...manage.console.pages import ConsoleForm, ConsoleRoute, Redirect
from ...manage.console.phrases import Phrase, counted_phrase
from ...manage.console.visits import Visit
from ...manage.limits import AREA_OF_PAGE
from ...manage.services import Services
from ...persist.transaction import Transaction
from ..people.model import QueryPeople
from .areaforms import AreaButton
from .areapages import back_to
from .areaviews import area_thd
from .confirming import area_terminals, unfetched_thd

AT_ONCE = 100
"""Maximum number of terminals that are asked at once."""
ALL_KNOWN = Phrase("No terminal of this area counts more people than are known here.")


class FetchPages:
    """Fetches the people of terminals that count more of them than are known."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    def routes(self) -> list[ConsoleRoute]:
        """Return the form."""
        return [
            ConsoleForm(
                path="/areas/<area>/fetch",
                fields=AreaButton,
                run=self.fetch,
                limited=(AREA_OF_PAGE,),
            )
        ]

    async def fetch(self, visit: Visit, form: AreaButton, area: str) -> Redirect:
        """Let the terminals upload their users, those with the most unknown people first."""

        def find_thd(tx: Transaction) -> dict[str, int]:
            area_thd(tx, area)
            return unfetched_thd(tx, area_terminals(tx, area))

        found = await self._store.read(find_thd)
        if not found:
            raise FormMistakes(ALL_KNOWN)
        chosen = sorted(found, key=lambda sn: (-found[sn], sn))[:AT_ONCE]
        for sn in chosen:
            await ask(self._services, sn, QueryPeople(), visit.caller)
        return back_to(
            area,
            counted_phrase(
                "%(num)s terminal is asked for its people. They come when it connects next, "
                "usually within a minute.",
                "%(num)s terminals are asked for their people. They come when these connect next, "
                "usually within a minute.",
                len(chosen),
            ),
        )

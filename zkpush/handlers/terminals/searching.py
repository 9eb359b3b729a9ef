"""The search for a terminal whose serial number was mistyped."""

from __future__ import annotations

from ...manage.console.pages import NameSearch
from ...manage.console.phrases import Phrase
from ...manage.console.terminalchoice import similar_terminals_thd
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...pathparts import path_part


def terminal_search(services: Services) -> NameSearch:
    """Return the search."""

    async def similar(visit: Visit, text: str) -> list[tuple[str, str]] | None:
        found = await services.store.read(lambda tx: similar_terminals_thd(tx, text, visit.areas))
        return found and [(f"/terminals/{path_part(sn)}", name) for sn, name in found]

    return NameSearch(
        variable="sn",
        path="/terminals",
        field="q",
        label=Phrase("Name or serial number"),
        title=Phrase("All terminals"),
        similar=similar,
    )

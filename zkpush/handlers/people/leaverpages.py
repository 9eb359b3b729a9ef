"""Page of the people who left."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from ...manage.console.forms import FormEntry
from ...manage.console.pages import ConsolePage, ConsoleRoute, View
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...protocol.fields import Scope
from .leavers import leavers_thd

PER_PAGE = 40


class LeaverSearch(msgspec.Struct, frozen=True):
    """Filter and page of the list."""

    q: Annotated[str, Meta(max_length=200)] = ""
    past: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """Number of people on the pages before."""


class LeaverPages:
    """The people who left, and are not erased."""

    def __init__(self, services: Services) -> None:
        self._store = services.store

    def routes(self) -> list[ConsoleRoute]:
        """Return the page."""
        return [
            ConsolePage(
                path="/people/left",
                title=Phrase("People who left"),
                run=self.list,
                query=LeaverSearch,
                limited=(),
            )
        ]

    async def list(self, visit: Visit, query: LeaverSearch) -> View:
        """List people who left."""
        text = query.q.strip()
        found = await self._store.read(lambda tx: leavers_thd(tx, text, visit.areas))
        asked = {"q": text} if text else {}
        end = query.past + PER_PAGE
        return View(
            template="left.html",
            values={
                "people": found[query.past : end],
                "count": len(found),
                "entry": FormEntry({"q": [query.q]}, (), {}),
                "next_query": urlencode({**asked, "past": end}) if len(found) > end else None,
                "first_query": urlencode(asked) if query.past else None,
                "may_erase": visit.allows(Scope.DANGEROUS) and visit.areas is None,
                "is_filtered": bool(text),
            },
        )

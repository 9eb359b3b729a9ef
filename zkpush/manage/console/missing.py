"""Pages in place of those that are not there."""

from __future__ import annotations

from http import HTTPStatus

from ...protocol.fields import Scope
from ..errors import ApiError
from .forms import FormEntry
from .pagemap import FormOnly, PageMap
from .pages import View
from .phrases import Phrase
from .visits import Visit

ENTERED = "entered"
"""Field of a name that cannot be searched for."""


async def error_view(
    pages: PageMap, visit: Visit, method: bytes, path: bytes, status: HTTPStatus, why: str
) -> View:
    """Return the page that says why a request failed.

    If a part of the path names nothing, it is a form with what was entered, the mistake beside it,
    and what may be meant.
    """
    if status is HTTPStatus.NOT_FOUND:
        view = await _search(pages, visit, method, path, why)
        if view is not None:
            return view
    title = Phrase("This did not work") if status.value >= 400 else Phrase("Console")
    return View(template="console/error.html", title=title, values={"why": why}, status=status)


async def _search(
    pages: PageMap, visit: Visit, method: bytes, path: bytes, why: str
) -> View | None:
    try:
        names = pages.match(method, path).names
    except (ApiError, FormOnly):
        return None
    for variable, search in pages.searches.items():
        text = str(names.get(variable, ""))
        if not text or not (visit.allows(Scope.READ) and visit.reaches(search.path)):
            continue
        similar = await search.similar(visit, text)
        if similar is not None:
            field = search.field or ENTERED
            return View(
                template="console/missing.html",
                title=Phrase("Not found"),
                values={
                    "search": search,
                    "field": field,
                    "similar": similar,
                    "entry": FormEntry({field: [text]}, (), {field: why}),
                },
                status=HTTPStatus.NOT_FOUND,
            )
    return None

"""The pages, forms and live parts of all capabilities, by their paths and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import attrs
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from ...model import MOST_ID
from ..errors import ApiError
from ..paths import map_of, parts_in
from .pages import (
    PREFIX,
    Again,
    ConsoleAddition,
    ConsoleForm,
    ConsolePage,
    LivePart,
    NameSearch,
    Redirect,
    View,
)
from .phrases import Phrase
from .visits import Visit

NO_PAGE = Phrase("There is no such page.")
ASK_AGAIN = Phrase("Nothing was changed. Send the form again to see its question.")


class FormOnly(Exception):
    """A path with forms only was opened, such as the address of a question."""

    def __init__(self, above: Redirect) -> None:
        """`above` leads to the page with the form."""
        super().__init__(above)
        self.above = above


@attrs.frozen
class PageTarget:
    """A page or form that a request has found."""

    capability: str
    route: ConsolePage | ConsoleForm
    names: Mapping[str, object]


class PageMap:
    """Finds pages and forms."""

    def __init__(self, additions: Sequence[ConsoleAddition]) -> None:
        self.pages: list[tuple[str, ConsolePage | ConsoleForm]] = []
        """Pages and forms with the names of their capabilities."""
        self.parts: dict[str, tuple[str, LivePart]] = {}
        """Live parts with the names of their capabilities, by name."""
        self.searches: dict[str, NameSearch] = {}
        """Searches for what variables name."""
        for addition in additions:
            for route in addition.routes:
                if isinstance(route, LivePart):
                    self.parts[route.name] = addition.name, route
                elif isinstance(route, NameSearch):
                    self.searches[route.variable] = route
                else:
                    self.pages.append((addition.name, route))
        self._map = map_of(tuple((route.method, PREFIX + route.path) for _, route in self.pages))

    def match(self, method: bytes, path: bytes) -> PageTarget:
        """Find the page or form of a request; `ApiError` (404 or 405) if there is none.

        `FormOnly` for a page at a path that has forms only.
        """
        text = parts_in(path)
        verb = method.decode("ascii", "replace")
        try:
            number, names = self._map.match(text, "GET" if verb == "HEAD" else verb)
        except MethodNotAllowed as error:
            if verb == "GET":
                above = Redirect(to=self._page_above(path), notice=ASK_AGAIN)
                raise FormOnly(above) from None
            takes = ", ".join(sorted(error.valid_methods or ()))
            raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, NO_PAGE, {"Allow": takes}) from None
        except HTTPException:
            raise ApiError(HTTPStatus.NOT_FOUND, NO_PAGE) from None
        if any(isinstance(value, int) and value > MOST_ID for value in names.values()):
            raise ApiError(HTTPStatus.NOT_FOUND, NO_PAGE)
        capability, route = self.pages[int(str(number))]
        return PageTarget(capability, route, names)

    def again(self, form: ConsoleForm) -> Again | None:
        """Return what shows the page of a form again; None without such a page."""
        if form.page is None:
            return form.again
        capability, page = next(
            (name, one)
            for name, one in self.pages
            if isinstance(one, ConsolePage) and one.path == form.page
        )

        async def shown(visit: Visit, **values: object) -> View:
            view = await page.run(visit, **values)
            assert isinstance(view, View)  # noqa: S101 - forms stand on pages
            name = f"{capability}/{view.template}"
            return attrs.evolve(view, template=name, title=view.title or page.title)

        return shown

    def _page_above(self, path: bytes) -> str:
        """Return the path of the nearest page above a path."""
        place = path.decode("ascii", "replace")
        while (place := place.rpartition("/")[0]).startswith(f"{PREFIX}/"):
            try:
                self.match(b"GET", place.encode())
            except ApiError:
                continue
            return place.removeprefix(PREFIX)
        return "/"

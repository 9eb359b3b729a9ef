"""The navigation: the pages that an account may see."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..limits import refusal_of
from .pagemap import PageMap
from .pages import PREFIX, ConsoleForm, ConsolePage, NavGroup
from .phrases import Phrase
from .visits import Visit


@attrs.frozen
class NavLink:
    """A link of the navigation."""

    title: Phrase
    url: str
    icon: str
    is_current: bool


@attrs.frozen
class NavSection:
    """A group of links."""

    title: Phrase
    links: Sequence[NavLink]


def navigation(
    pages: Sequence[tuple[str, ConsolePage | ConsoleForm]], visit: Visit
) -> list[NavSection]:
    """Return the groups of links to the pages that the account may see; empty without one."""
    if visit.visitor is None:
        return []
    placed = sorted(
        (
            (one.nav.order, one.path, one)
            for _, one in pages
            if isinstance(one, ConsolePage)
            and one.nav is not None
            and visit.allows(one.scope)
            and (visit.areas is None or refusal_of(one.limited) is None)
        ),
        key=lambda each: each[:2],
    )
    found = []
    for group in NavGroup:
        links = [
            NavLink(one.title, PREFIX + one.path, one.nav.icon, _is_current(one.path, visit.path))
            for _, _, one in placed
            if one.nav is not None and one.nav.group is group
        ]
        if links:
            found.append(NavSection(group.value, links))
    return found


def reaches(pages: PageMap, visit: Visit, path: str, method: str = "GET") -> bool:
    """Whether a page, or with POST a form, is served to an account; `path` is under `/console`."""
    plain = path.partition("#")[0].partition("?")[0]
    route = pages.match(method.encode(), f"{PREFIX}{plain}".encode()).route
    return visit.allows(route.scope) and (visit.areas is None or refusal_of(route.limited) is None)


def _is_current(path: str, visited: str) -> bool:
    return visited == path or (path != "/" and visited.startswith(f"{path}/"))

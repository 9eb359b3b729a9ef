"""Pages of areas."""

from __future__ import annotations

from ...manage.console.pages import ConsoleRoute
from ...manage.services import Services
from .areapages import AreaPages
from .fetchpages import FetchPages
from .holderpages import HolderPages
from .memberpages import MemberPages
from .movingpages import MovingPages
from .placepages import PlacePages


def pages(services: Services) -> list[ConsoleRoute]:
    """The pages of areas."""
    areas = AreaPages(services)
    members = MemberPages(services, areas.show)
    return [
        *areas.routes(),
        *members.routes(),
        *FetchPages(services).routes(),
        *MovingPages(services).routes(),
        *PlacePages(services).routes(),
        *HolderPages(services).routes(),
    ]

"""Pages of areas."""

from __future__ import annotations

from ...manage.console.pages import ConsoleRoute, of_whole_site
from ...manage.services import Services
from .areapages import AreaPages
from .holderpages import HolderPages
from .placepages import PlacePages


def pages(services: Services) -> list[ConsoleRoute]:
    """The pages of areas."""
    return [
        *of_whole_site(AreaPages(services).routes()),
        *PlacePages(services).routes(),
        *HolderPages(services).routes(),
    ]

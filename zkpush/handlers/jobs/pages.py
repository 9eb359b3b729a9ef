"""Pages of jobs: the list, one job with its progress, and the form to send commands."""

from __future__ import annotations

from ...manage.console.pages import ConsoleRoute, of_whole_site
from ...manage.services import Services
from .progresspages import JobPages
from .sendpages import SendPages
from .wavepages import FILES, WavePages


def pages(services: Services) -> list[ConsoleRoute]:
    """The pages of jobs."""
    return [
        *SendPages(services).routes(),
        *of_whole_site(WavePages(services).routes(), FILES),
        *JobPages(services).routes(),
    ]
